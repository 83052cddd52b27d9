import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { openOurClient } from '../interop/clients/ours.ts'

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url))

type Run = { out: string; err: string; code: number | null }

/** Starts the command. `ended` resolves with all that it wrote, `ready` with its port. */
function start(...args: string[]): {
  ready: Promise<number>
  ended: Promise<Run>
  stop: (signal: NodeJS.Signals) => void
} {
  const child = spawn(process.execPath, [MAIN, ...args])
  let out = ''
  let err = ''
  child.stderr.on('data', (text) => (err += text))
  const ready = new Promise<number>((resolve) => {
    child.stdout.on('data', (text) => {
      out += text
      const port = /ready: coap:\/\/127\.0\.0\.1:(\d+)\//.exec(out)?.[1]
      if (port !== undefined) resolve(Number(port))
    })
  })
  const ended = once(child, 'close').then(([code]) => ({ out, err, code: code as number | null }))
  return { ready, ended, stop: (signal) => child.kill(signal) }
}

t.test('plugtest-server: serves, names a taken port, and stops cleanly', async (t) => {
  const first = start('--port', '0')
  const port = await first.ready
  const client = await openOurClient()
  t.teardown(() => client.close())
  t.match((await client.ask(port, { path: '.well-known/core' })).payload.toString(), '</test>')
  const second = await start('--port', `${port}`).ended
  t.equal(second.code, 1)
  t.equal(
    second.err.trim(),
    `Cannot start the plugtest server: UDP port ${port} on 127.0.0.1 is taken: choose another with --port`,
  )
  // Somebody who observes does not hold it up.
  const watch = client.observe(port, { path: 'obs' })
  await client.ask(port, { path: 'test' })
  first.stop('SIGTERM')
  t.match(await first.ended, { code: 0, err: '' })
  await watch.drop()
})

t.test('plugtest-server: says what is wrong with its arguments', async (t) => {
  const [wrong, unknown, help] = await Promise.all([
    start('--port', '70000').ended,
    start('--prot', '1').ended,
    start('--help').ended,
  ])
  t.match(wrong, { code: 2, out: /--port must be a whole number from 0 to 65535: 70000/ })
  t.match(unknown, { code: 2, out: /--prot/ })
  t.match(help, { code: 0, out: /--block-size N/ })
})

t.end()
