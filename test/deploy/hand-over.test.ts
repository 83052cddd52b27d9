import { execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { buildLoad, load } from '../../bench/load.ts'
import { packGateway } from '../../gateway/pack.ts'
import { missing, onPath } from '../fakes/needs.ts'

t.setTimeout(180_000)

const skip = missing('gcc', () => onPath('gcc'))
/** Inside the checkout, so that the packed gateway finds the package that it does not bundle. */
const PACKED = new URL('../../gateway/dist/test-hand-over/', import.meta.url).pathname
const BUFFER = 16 * 1024 * 1024
const RESTARTS = 2

for (const workers of [1, 2])
  t.test(
    `restarts of the packed gateway under load, ${workers} workers: whoever retries once is answered`,
    { skip, timeout: 90_000 },
    async (t) => {
      const dir = mkdtempSync(join(tmpdir(), 'pesebre-hand-over-'))
      t.teardown(() => rmSync(dir, { recursive: true, force: true }))
      await packGateway(PACKED)
      t.teardown(() => rmSync(PACKED, { recursive: true, force: true }))
      buildLoad()
      const holder = join(dir, 'hold-sockets')
      execFileSync('gcc', ['-O2', '-o', holder, join(import.meta.dirname, 'hold-sockets.c')])
      const notified = fakeSystemdNotify(dir)

      const port = await freePort()
      const args = [String(workers), '127.0.0.1', String(port), String(BUFFER), join(PACKED, 'systemd/run')]
      const child = spawn(holder, args, {
        env: {
          ...settings(dir, workers),
          PESEBRE_COAP_PORT: String(port),
          PATH: `${dir}:${process.env['PATH']}`,
          NOTIFY_SOCKET: 'a fake one',
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      t.teardown(() => child.kill('SIGKILL'))
      let output = ''
      child.stdout.on('data', (bytes: Buffer) => {
        output += String(bytes)
      })
      const starts = () => output.split('"gateway ready"').length - 1
      await until(() => starts() === 1)

      const loaded = load({
        mode: 'con',
        port,
        path: 't/d%04u',
        seconds: 9,
        outstanding: 200,
        ports: 100,
        things: 200,
        timeoutMs: 2500,
        retries: 1,
      })
      for (let restart = 1; restart <= RESTARTS; restart++) {
        await new Promise((resolve) => setTimeout(resolve, 1500))
        process.kill(childOf(child.pid!), 'SIGTERM')
        await until(() => starts() === restart + 1)
      }
      const { ok, again, timeout, refused, kdrops } = await loaded
      t.comment(
        `${ok} answered, ${again} of them on the second try, ${timeout} lost, ${kdrops} dropped by the kernel`,
      )
      t.ok(ok > 1000, 'there was load')
      t.equal(timeout, 0, 'nobody who retries once is lost')
      t.equal(refused, 0, 'the port was never closed')
      const told = notified()
      t.equal(
        told.filter((line) => line.includes('--ready')).length,
        RESTARTS + 1,
        'systemd hears that each is ready',
      )
      t.ok(told.filter((line) => line === 'WATCHDOG=1').length > 0, 'and that it lives')

      child.kill('SIGTERM')
      const [code] = await once(child, 'exit')
      t.equal(code, 0)
    },
  )

t.test('as many sockets as workers, or the gateway says why not', { skip }, async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'pesebre-hand-over-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const holder = join(dir, 'hold-sockets')
  execFileSync('gcc', ['-O2', '-o', holder, join(import.meta.dirname, 'hold-sockets.c')])
  const main = new URL('../../gateway/src/main.ts', import.meta.url).pathname
  const child = spawn(holder, ['1', '127.0.0.1', String(await freePort()), '65536', process.execPath, main], {
    env: { ...settings(dir, 2), PATH: process.env['PATH'] },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [text] = (await once(child.stderr, 'data')) as [Buffer]
  t.match(
    String(text),
    /Cannot use the sockets handed over by systemd: 1 given for 2 workers \(PESEBRE_WORKERS\)/,
  )
})

function settings(dir: string, workers: number): NodeJS.ProcessEnv {
  mkdirSync(join(dir, 'journal'), { recursive: true })
  return {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1',
    PESEBRE_QUEUE_URL: 'http://127.0.0.1:1/000000000000/reports',
    PESEBRE_JOURNAL_DIR: join(dir, 'journal'),
    PESEBRE_COAP_HOST: '127.0.0.1',
    PESEBRE_ADMIN_PORT: '0',
    PESEBRE_ALLOW_OPEN: 'true',
    PESEBRE_WORKERS: String(workers),
    PESEBRE_ADDRESS_RATE: '1000000',
    PESEBRE_ADDRESS_BURST: '1000000',
    PESEBRE_STOP_TIMEOUT_MS: '300',
    WATCHDOG_USEC: '3000000',
  }
}

/** What is said to systemd, line by line: its own program would look for it. */
function fakeSystemdNotify(dir: string): () => string[] {
  const path = join(dir, 'systemd-notify')
  writeFileSync(path, `#!/bin/sh\necho "$*" >> '${join(dir, 'notified')}'\n`)
  chmodSync(path, 0o755)
  return () =>
    readdirSync(dir).includes('notified')
      ? readFileSync(join(dir, 'notified'), 'utf8').trim().split('\n')
      : []
}

/** The gateway: what the holder has started. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim())
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20))
}
