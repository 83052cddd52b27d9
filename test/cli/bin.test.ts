import { execFileSync } from 'node:child_process'
import t from 'tap'
import { pesebre } from './fixtures/pesebre.ts'

t.setTimeout(120_000)

t.test('the launcher runs the command line, and its exit code comes through', async (t) => {
  const help = await pesebre(['--help'])
  t.equal(help.code, 0)
  t.match(help.out, 'Usage  npx pesebre <command>')
  const usage = await pesebre(['nonsense'])
  t.strictSame([usage.code, usage.out], [2, ''])
  const failure = await pesebre(['post', '/x', '-t', 'text'], {
    env: { PESEBRE_COAP_PORT: '1' },
    stdin: '21.5',
  })
  t.strictSame(failure, {
    code: 1,
    out: '',
    err: 'Nothing listens on UDP 127.0.0.1:1: start it with npm start',
  })
})

const old = oldNode()
const skip = old === undefined && 'no Node older than 24 on this machine'
t.test(
  "the launcher hands over to the pinned Node when the machine's own is too old",
  { skip },
  async (t) => {
    const { code, out } = await pesebre(['--help'], { node: old! })
    t.equal(code, 0)
    t.match(out, 'Usage  npx pesebre')
    t.equal((await pesebre(['nonsense'], { node: old! })).code, 2)
  },
)

function oldNode(): string | undefined {
  try {
    const version = execFileSync('/usr/bin/node', ['--version'], { encoding: 'utf8' })
    return Number(version.slice(1).split('.')[0]) < 24 ? '/usr/bin/node' : undefined
  } catch {
    return undefined
  }
}
