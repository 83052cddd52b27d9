import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { endOf, environment, freePort, startProcess } from './process.ts'
import { temporaryDir } from './support.ts'

t.setTimeout(120_000)

const MAIN = 'local/src/iot/main.ts'

t.test('main: answers on its ports, keeps everything in its home, and stops cleanly', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const home = await temporaryDir(t)
    const { ports, end } = await startProcess(t, MAIN, home)
    const body = '{"state":{"reported":{"hopper_pct":62}}}'
    const posted = await fetch(`http://127.0.0.1:${ports.iot}/things/bella/shadow`, { method: 'POST', body })
    t.equal(posted.status, 200)
    t.equal((await fetch(`http://127.0.0.1:${ports.iot}/healthz`)).status, 200)
    t.ok(existsSync(join(home, 'iot', 'ca.pem')))
    t.equal(await end(signal), 0)
  }
})

t.test('main: a port that is taken is named with its setting, in one line', async (t) => {
  const home = await temporaryDir(t)
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(async () => void taken.close())
  const port = (taken.address() as { port: number }).port
  const ports = { iot: await freePort(), mqtt: await freePort(), aws: await freePort() }
  for (const [name, setting] of [
    ['iot', 'PESEBRE_IOT_PORT'],
    ['mqtt', 'PESEBRE_MQTT_PORT'],
  ] as const) {
    const env = { ...environment({ ...ports, [name]: port }), PESEBRE_HOME: home }
    const { code, output } = await endOf(MAIN, env)
    t.equal(code, 1)
    t.equal(output.trim().split('\n').length, 1, output)
    t.match(output, new RegExp(`TCP port ${port} for AWS IoT .* is taken: .* set ${setting} `))
  }
})

t.test('main: a port that is none is named with its setting', async (t) => {
  const { code, output } = await endOf(MAIN, {
    PESEBRE_IOT_PORT: 'many',
    PESEBRE_HOME: await temporaryDir(t),
  })
  t.equal(code, 1)
  t.match(output, 'PESEBRE_IOT_PORT must be a port from 1 to 65535')
})
