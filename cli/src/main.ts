/** The command line: finds the command, runs it, and turns what goes wrong into one line and an exit code. */
import { styleText } from 'node:util'
import { findCommand, readArgs } from './args.ts'
import { EXIT, type ExitCode, Failure, type Io, Misuse, type Paint } from './command.ts'
import { dlqList } from './commands/dlq-list.ts'
import { dlqRedrive } from './commands/dlq-redrive.ts'
import { dlqShow } from './commands/dlq-show.ts'
import { get } from './commands/get.ts'
import { observe } from './commands/observe.ts'
import { post } from './commands/post.ts'
import { probe } from './commands/probe.ts'
import { shadow } from './commands/shadow.ts'
import { start } from './commands/start.ts'
import { helpOf, overview } from './help.ts'

const COMMANDS = [start, post, get, observe, probe, shadow, dlqList, dlqShow, dlqRedrive]

const paint: Paint = (style, text) => styleText(style, text, { stream: process.stdout })
const interrupted = new AbortController()
const io: Io = {
  env: process.env,
  out: (line) => process.stdout.write(`${line}\n`),
  note: (line) => process.stderr.write(`${line}\n`),
  paint,
  stdin: readStdin,
  signal: interrupted.signal,
}

// A reader that has had enough (`| head`) is no error.
process.stdout.on('error', () => process.exit(EXIT.ok))
process.exitCode = await main(process.argv.slice(2))
// Sockets that the SDKs keep for a next call must not keep the process.
process.stdout.write('', () => process.exit())

async function main(line: readonly string[]): Promise<ExitCode> {
  const found = findCommand(COMMANDS, line)
  if (found === undefined) return withoutCommand(line)
  const { command, rest } = found
  process.once('SIGINT', () => {
    interrupted.abort()
    if (!command.endsItself) process.exit(130)
  })
  let json = false
  try {
    const args = readArgs(command, rest)
    json = args.flag['json'] === true
    if (args.flag['help']) {
      io.out(helpOf(command, paint))
      return EXIT.ok
    }
    return await command.run(args, io)
  } catch (error) {
    if (error instanceof Misuse)
      return complain(`${error.message}; see npx pesebre ${command.name} --help`, EXIT.usage)
    if (!(error instanceof Failure)) throw error
    if (json) io.out(JSON.stringify({ error: error.message }))
    return complain(error.message, EXIT.failed)
  }
}

function withoutCommand(line: readonly string[]): ExitCode {
  const [first] = line
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `))
  const asked = line.some((word) => word === '--help' || word === '-h' || word === 'help')
  if (asked || first === undefined || (line.length === 1 && group.length > 0)) {
    io.out(overview(group.length > 0 ? group : COMMANDS, paint))
    return asked ? EXIT.ok : EXIT.usage
  }
  const names = (group.length > 0 ? group : COMMANDS).map(({ name }) => name).join(', ')
  const typed = group.length > 0 ? line.slice(0, 2).join(' ') : first
  return complain(`No such command: "${typed}"; there are ${names}`, EXIT.usage)
}

function complain(message: string, code: ExitCode): ExitCode {
  io.note(styleText('red', message, { stream: process.stderr }))
  return code
}

async function readStdin(): Promise<Uint8Array | undefined> {
  if (process.stdin.isTTY) return undefined
  const chunks: Uint8Array[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks)
}
