import { PORTS, type PortName } from '@pesebre/contract/local-stack'
import t from 'tap'
import { type Stack, startStack } from '../../local/src/supervisor/stack.ts'
import { type Run, run } from '../cli/fixtures/run.ts'
import { until } from '../fakes/until.ts'

// Nothing here takes long, but a busy machine takes its time to start processes.
const timeout = 180_000
t.setTimeout(timeout)

/** A gateway that was stopped stays away for as long as this test looks. */
const AWAY_MS = 60_000

type Reported = Record<string, unknown> & { link?: { gateway: string; seq: number } }

async function reported({ ports }: Stack, thing: string): Promise<Reported> {
  const answer = await fetch(`http://127.0.0.1:${ports.iot}/things/${thing}/shadow`)
  const { state } = (await answer.json()) as { state?: { reported?: Reported } }
  return state?.reported ?? {}
}

/** Waits until a shadow says what is expected. */
async function shown(stack: Stack, thing: string, isIt: (state: Reported) => boolean): Promise<void> {
  let state: Reported = {}
  const look = async () => {
    state = await reported(stack, thing)
    return isIt(state)
  }
  await until(`a state of ${thing}`, look, () => state)
}

function feed({ ports }: Stack, thing: string): Promise<Run> {
  const env = Object.fromEntries(
    Object.entries(PORTS).map(([name, { setting }]) => [setting, `${ports[name as PortName]}`]),
  )
  return run(['feed', thing, '--grams', '100', '--local'], { env })
}

t.test(
  'two gateways: either may go, commands still reach the feeders, each runs once, and a restart finds all',
  { timeout },
  async (t) => {
    const options = { home: t.testdir(), ports: 'free', gateways: 2, restartMs: AWAY_MS } as const
    const stack = await startStack(options)
    t.teardown(() => stack.stop())
    const [sol = '', mora = ''] = stack.devices.map(({ thing }) => thing)
    for (const thing of [sol, mora]) await shown(stack, thing, ({ link }) => link?.gateway !== undefined)

    // The one that Sol's feeder speaks to; which one that is depends on who answered in time at first.
    const [left, taken] =
      (await reported(stack, sol)).link?.gateway === 'a'
        ? (['gateway', 'b'] as const)
        : (['gateway-b', 'a'] as const)
    process.kill(stack.pid(left)!, 'SIGTERM')
    const [first, second] = await Promise.all([feed(stack, sol), feed(stack, mora)])
    for (const { code, out, err } of [first, second]) t.strictSame([code, err], [0, ''], out)
    await shown(stack, sol, ({ link }) => link?.gateway === taken)
    t.equal(stack.pid(left), undefined, 'it is still away')
    for (const thing of [sol, mora])
      t.match(await reported(stack, thing), { motor_runs: 1, fed_g_today: 100 })
    const before = await reported(stack, sol)
    await stack.stop()

    const again = await startStack(options)
    t.teardown(() => again.stop())
    t.strictSame(again.devices, stack.devices)
    await shown(again, sol, ({ link }) => link!.seq > before.link!.seq)
    t.match(await reported(again, sol), { motor_runs: 1, fed_g_today: 100 })
    await again.stop()
  },
)
