import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { HorseCard } from '@pesebre/contract/api/horse'
import type { Session } from '@pesebre/contract/api/session'
import { PORTS, type PortName } from '@pesebre/contract/local-stack'
import t, { type Test } from 'tap'
import { DEMO_PASSWORD, demoEmail } from '../../local/src/demo/seed.ts'
import { webClient } from '../../local/src/demo/web-client.ts'
import { freePorts } from '../../local/src/supervisor/ports.ts'
import { until, within } from '../fakes/until.ts'

// Nothing here takes long, but a busy machine takes its time to start processes.
const timeout = 120_000
t.setTimeout(timeout)

const MAIN = fileURLToPath(new URL('../../local/src/main.ts', import.meta.url))

function settings(ports: Readonly<Record<PortName, number>>, home: string): Record<string, string> {
  const entries = Object.entries(PORTS).map(([name, { setting }]) => [setting, `${ports[name as PortName]}`])
  return { ...Object.fromEntries(entries), PESEBRE_HOME: home }
}

function start(env: Record<string, string>, ...args: string[]): { child: ChildProcess; said: () => string } {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { NO_COLOR: '1', ...env } })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  return { child, said: () => said }
}

/** Waits for the end: exit code and signal. */
function endOf({ child, said }: ReturnType<typeof start>): Promise<unknown> {
  return within('an end', once(child, 'close'), said)
}

t.test(
  'npm start runs everything, demo devices report, and Ctrl-C stops it with exit code 0',
  { timeout },
  async (t) => {
    const ports = await freePorts()
    const started = start(settings(ports, t.testdir()))
    const { child, said } = started
    await until('ready', () => said().includes('pesebre is ready') || child.exitCode !== null, said)
    t.match(said(), `coap://127.0.0.1:${ports.coap}`)
    const feeders = new Set(said().match(/feeder-[0-9a-f]{8}/g))
    t.equal(feeders.size, 2)
    for (const thing of ['demo-luna', ...feeders]) {
      const url = `http://127.0.0.1:${ports.iot}/things/${thing}/shadow`
      let reported: object | undefined
      // A new shadow is empty for a moment (bridge-lambda/src/settle.ts).
      await until(
        `a state of ${thing}`,
        async () => {
          const { state } = (await (await fetch(url)).json()) as { state?: { reported?: object } }
          reported = state?.reported
          return reported
        },
        () => reported,
      )
      t.match(reported, { hopper_pct: Number, battery_mv: Number })
    }
    await demoStable(t, ports.web, [...feeders])
    // From the terminal and, at once, from npm, which passes it on: not the second Ctrl-C of somebody in a hurry.
    child.kill('SIGINT')
    const exited = endOf(started)
    child.kill('SIGINT')
    t.strictSame(await exited, [0, null])
    t.match(said(), 'Stopped. The data is kept')
  },
)

/** What an owner sees who signs in for the first time. */
async function demoStable(t: Test, port: number, feeders: readonly string[]): Promise<void> {
  const owner = webClient(`http://localhost:${port}`)
  const { stables } = await owner.call<Session>('POST', '/api/session', {
    email: demoEmail('owner'),
    password: DEMO_PASSWORD,
  })
  t.match(stables, [{ name: 'Yeguada Pesebre', role: 'owner' }])
  let cards: HorseCard[] = []
  // The feeder says what it has heard at its next check-in.
  await until(
    'all feeders seen',
    async () => {
      cards = await owner.call<HorseCard[]>('GET', `/api/stables/${stables[0]!.id}/horses`)
      return cards.every(({ horse, feeder }) => horse.feeder === null || feeder?.lastSeen != null)
    },
    () => cards,
  )
  t.strictSame(
    cards.map(({ horse }) => horse.name),
    ['Bella', 'Mora', 'Sol'],
  )
  const [bella, mora, sol] = cards
  t.equal(bella?.feeder, null)
  t.strictSame([mora?.horse.feeder, sol?.horse.feeder].toSorted(), feeders.toSorted())
  t.match(sol, { feeder: { state: 'ok' }, camera: { name: "Sol's camera" }, nextMeal: { state: 'planned' } })
  const form = await fetch(`http://localhost:${port}/api/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: 'x', name: 'Eve', email: 'eve@demo.example', password: 'a stable secret' }),
  })
  t.equal(form.status, 410, 'the first admin is there')
}

t.test('npm start says what is wrong, all at once, and starts nothing', { timeout }, async (t) => {
  const wrong = start({ PESEBRE_COAP_PORT: 'x', PESEBRE_DEMO: 'maybe' })
  t.strictSame(await endOf(wrong), [1, null])
  t.strictSame(wrong.said().trimEnd().split('\n'), [
    'PESEBRE_COAP_PORT must be a port from 1 to 65535: "x"',
    'PESEBRE_DEMO must be one of true, false: "maybe"',
  ])

  const ports = await freePorts()
  const other = createServer().listen(ports.aws, '127.0.0.1')
  await once(other, 'listening')
  const taken = start(settings(ports, t.testdir()))
  t.strictSame(await endOf(taken), [1, null])
  t.equal(
    taken.said().trimEnd(),
    `TCP port ${ports.aws} for SQS and S3 is taken: stop the program that uses it, or set PESEBRE_AWS_PORT to a free port`,
  )
  other.close()
})

t.test('npm start can be stopped before it is ready', { timeout }, async (t) => {
  const started = start(settings(await freePorts(), t.testdir()), '--json')
  const { child, said } = started
  await until('the first process is ready', () => said().includes('"kind":"ready","name":"aws"'), said)
  const exited = endOf(started)
  child.kill('SIGTERM')
  t.strictSame(await exited, [0, null])
  for (const line of said().trimEnd().split('\n')) t.doesNotThrow(() => JSON.parse(line), line)
})
