import t from 'tap'
import { findCommand, positionalsOf, readArgs, secondsOf } from '../../cli/src/args.ts'
import { type Command, EXIT, Misuse } from '../../cli/src/command.ts'

function command(name: string): Command {
  return {
    name,
    summary: '',
    usage: '',
    about: [],
    examples: [],
    options: {
      data: { type: 'string', short: 'd', help: '' },
      for: { type: 'string', help: '' },
      non: { type: 'boolean', help: '' },
    },
    run: async () => EXIT.ok,
  }
}

function misuse(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    return error instanceof Misuse ? error.message : `not a Misuse: ${error}`
  }
  return 'no error'
}

t.test('findCommand() takes the longest name that the line begins with', async (t) => {
  const commands = ['dlq', 'dlq list', 'post'].map(command)
  const cases: [string[], string | undefined, string[]][] = [
    [['post', '/x'], 'post', ['/x']],
    [['dlq', 'list', '--json'], 'dlq list', ['--json']],
    [['dlq', 'other'], 'dlq', ['other']],
    [['--help'], undefined, []],
    [[], undefined, []],
  ]
  for (const [line, name, rest] of cases) {
    const found = findCommand(commands, line)
    t.strictSame([found?.command.name, found?.rest ?? []], [name, rest], line.join(' '))
  }
})

t.test('readArgs() sorts options with a value from those without', async (t) => {
  const args = readArgs(command('post'), ['-d', '{"a":1}', '/x', '--non', '--json'])
  t.strictSame(args, { positionals: ['/x'], text: { data: '{"a":1}' }, flag: { non: true, json: true } })
})

t.test('readArgs(), positionalsOf(), secondsOf() say in one line what is wrong', async (t) => {
  const read = (...rest: string[]) => readArgs(command('post'), rest)
  const cases: [() => unknown, string][] = [
    [() => read('--what'), "Unknown option '--what'"],
    [() => read('--data'), "Option '-d, --data <value>' argument missing"],
    [() => positionalsOf(read(), 'url'), 'Missing: <url>'],
    [() => positionalsOf(read('a', 'b'), 'url'), 'One argument too many: "b"'],
    [() => secondsOf(read('--for', 'ever'), 'for'), '--for must be a number of seconds: "ever"'],
    [() => secondsOf(read('--for', '0'), 'for'), '--for must be a number of seconds: "0"'],
    [() => secondsOf(read('--for', '86401'), 'for'), '--for must be a number of seconds: "86401"'],
  ]
  for (const [run, message] of cases) t.equal(misuse(run), message)
})
