import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { freePort } from '../../../local/src/supervisor/ports.ts'

const timeout = 60_000
t.setTimeout(timeout)
const MAIN = fileURLToPath(new URL('../../../web/server/src/main.ts', import.meta.url))

function start(env: Record<string, string>): { child: ChildProcess; said: () => string } {
  const child = spawn(process.execPath, [MAIN], { env: { PATH: process.env['PATH'], ...env } })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  return { child, said: () => said }
}

async function settings(dir: string): Promise<{ port: number; admin: number; env: Record<string, string> }> {
  const taken = new Set<number>()
  const [port, admin] = [await freePort('tcp', taken), await freePort('tcp', taken)]
  const env = { PESEBRE_WEB_DIR: dir, PESEBRE_WEB_PORT: `${port}`, PESEBRE_WEB_ADMIN_PORT: `${admin}` }
  return { port, admin, env }
}

t.test(
  'main.ts starts with a directory alone, and its log has the link that makes the first admin',
  { timeout },
  async (t) => {
    const { port, admin, env } = await settings(t.testdir())
    const { child, said } = start(env)
    const exited = once(child, 'close')
    t.after(() => child.kill('SIGKILL'))
    while (!said().includes('web ready') && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 50))
    t.equal((await fetch(`http://127.0.0.1:${admin}/readyz`)).status, 200)
    const [, token] = /"setup":"http:\/\/localhost:\d+\/setup#([\w-]{32})"/.exec(said()) ?? []
    const answer = await fetch(`http://localhost:${port}/api/setup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: `http://localhost:${port}` },
      body: JSON.stringify({ token, name: 'Ana', email: 'ana@stable.example', password: 'a stable secret' }),
    })
    t.equal(answer.status, 201)
    const cookie = answer.headers.getSetCookie()[0]!.split(';')[0]!
    child.kill('SIGTERM')
    t.strictSame(await exited, [0, null])

    const again = start(env)
    t.after(() => again.child.kill('SIGKILL'))
    const ended = once(again.child, 'close')
    while (!again.said().includes('web ready') && again.child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 50))
    t.notMatch(again.said(), 'setup#', 'there is an admin')
    const me = await fetch(`http://localhost:${port}/api/me`, { headers: { cookie } })
    t.match(await me.json(), { name: 'Ana', role: 'admin' }, 'and a restart signs nobody out')
    again.child.kill('SIGTERM')
    t.strictSame(await ended, [0, null])
  },
)

t.test('main.ts says what is wrong, and ends with 1', { timeout }, async (t) => {
  const wrong = start({ PESEBRE_WEB_PORT: 'x', PESEBRE_LOG_LEVEL: 'loud' })
  t.strictSame(await once(wrong.child, 'close'), [1, null])
  for (const name of ['PESEBRE_WEB_DIR', 'PESEBRE_WEB_PORT', 'PESEBRE_LOG_LEVEL'])
    t.match(wrong.said(), `  ${name}: `)

  const { port, env } = await settings(t.testdir())
  const other = createServer().listen(port, '127.0.0.1')
  await once(other, 'listening')
  const taken = start(env)
  t.strictSame(await once(taken.child, 'close'), [1, null])
  t.match(taken.said(), `Cannot listen on 127.0.0.1:${port} (PESEBRE_WEB_HOST, PESEBRE_WEB_PORT)`)
  other.close()
})
