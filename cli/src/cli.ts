import { findCommand, readArgs } from './args.ts'
import { type Command, EXIT, type ExitCode, Failure, type Io, Misuse } from './command.ts'
import { cancel } from './commands/cancel.ts'
import { commands } from './commands/commands.ts'
import { configSet } from './commands/config-set.ts'
import { demo } from './commands/demo.ts'
import { dlqList } from './commands/dlq-list.ts'
import { dlqRedrive } from './commands/dlq-redrive.ts'
import { dlqShow } from './commands/dlq-show.ts'
import { disable, enable } from './commands/enable.ts'
import { feed } from './commands/feed.ts'
import { firmwareRollOut } from './commands/firmware-roll-out.ts'
import { firmwareShow } from './commands/firmware-show.ts'
import { firmwareWithdraw } from './commands/firmware-withdraw.ts'
import { get } from './commands/get.ts'
import { observe } from './commands/observe.ts'
import { post } from './commands/post.ts'
import { probe } from './commands/probe.ts'
import { register } from './commands/register.ts'
import { shadow } from './commands/shadow.ts'
import { start } from './commands/start.ts'
import { helpOf, overview } from './help.ts'

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  start,
  demo,
  register,
  feed,
  commands,
  cancel,
  configSet,
  firmwareRollOut,
  firmwareShow,
  firmwareWithdraw,
  disable,
  enable,
  post,
  get,
  observe,
  probe,
  shadow,
  dlqList,
  dlqShow,
  dlqRedrive,
]

/** Runs one command line, without the leading `pesebre`. What goes wrong becomes one line and an exit code. */
export async function runCli(line: readonly string[], io: Io): Promise<ExitCode> {
  const found = findCommand(COMMANDS, line)
  if (found === undefined) return withoutCommand(line, io)
  const { command, rest } = found
  let json = false
  try {
    const args = readArgs(command, rest)
    json = args.flag['json'] === true
    if (args.flag['help']) {
      io.out(helpOf(command, io.paint))
      return EXIT.ok
    }
    return await command.run(args, io)
  } catch (error) {
    if (error instanceof Misuse) {
      io.complain(`${error.message}; see npx pesebre ${command.name} --help`)
      return EXIT.usage
    }
    if (!(error instanceof Failure)) throw error
    if (json) io.out(JSON.stringify({ error: error.message }))
    io.complain(error.message)
    return EXIT.failed
  }
}

function withoutCommand(line: readonly string[], io: Io): ExitCode {
  const [first] = line
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `))
  const choice = group.length > 0 ? group : COMMANDS
  const asked = line.some((word) => word === '--help' || word === '-h' || word === 'help')
  if (asked || first === undefined || (line.length === 1 && group.length > 0)) {
    io.out(overview(choice, io.paint))
    return asked ? EXIT.ok : EXIT.usage
  }
  const typed = group.length > 0 ? line.slice(0, 2).join(' ') : first
  io.complain(`No such command: "${typed}"; there are ${choice.map(({ name }) => name).join(', ')}`)
  return EXIT.usage
}
