import { execFileSync } from 'node:child_process'
import { DescribeThingCommand, IoTClient } from '@aws-sdk/client-iot'
import { GetThingShadowCommand, IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import t from 'tap'
import type { ProcessName } from '../../local/src/supervisor/processes.ts'
import { type Stack, startStack } from '../../local/src/supervisor/stack.ts'
import { missing, onPath } from '../fakes/needs.ts'
import { startReporters } from '../fakes/reporters.ts'
import { until } from '../fakes/until.ts'

// Of the whole file: tap's own limit would be 30 seconds.
t.setTimeout(300_000)

const COAP_CLIENT = 'coap-client-notls'
const skip = missing("libcoap's client (Debian: libcoap3-bin)", () => onPath(COAP_CLIENT))
const timeout = 180_000

type Reported = Record<string, unknown>

/** What an application that knows AWS IoT sees of the stack. */
function cloudOf({ ports }: Stack) {
  const settings = {
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${ports.iot}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  }
  const data = new IoTDataPlaneClient(settings)
  const control = new IoTClient(settings)
  return {
    close: () => {
      data.destroy()
      control.destroy()
    },
    typeOf: async (thing: string) =>
      (await control.send(new DescribeThingCommand({ thingName: thing }))).thingTypeName,
    reported: async (thing: string): Promise<Reported> => {
      try {
        const { payload } = await data.send(new GetThingShadowCommand({ thingName: thing }))
        const { state } = JSON.parse(new TextDecoder().decode(payload)) as { state: { reported?: Reported } }
        return state.reported ?? {}
      } catch {
        return {}
      }
    },
  }
}

t.test(
  "libcoap's client posts a reading, and the shadow shows it; so it does after a restart",
  { timeout, skip },
  async (t) => {
    const home = t.testdir()
    const first = await startStack({ home, ports: 'free', demo: false, web: false })
    t.teardown(() => first.stop())
    const cloud = cloudOf(first)
    t.teardown(cloud.close)
    const url = `coap://127.0.0.1:${first.ports.coap}/feeder/bella`
    const reading = '{"hopper_pct":62,"battery_mv":3710}'
    const args = ['-v', '6', '-m', 'post', url, '-t', 'application/json', '-e', reading]
    t.match(execFileSync(COAP_CLIENT, args, { encoding: 'utf8' }), /c:2\.04/)
    await shown(cloud, 'bella', ({ battery_mv }) => battery_mv === 3710)
    const before = await cloud.reported('bella')
    t.match(before, { hopper_pct: 62, battery_mv: 3710, link: { gateway: 'a' } })
    t.equal(await cloud.typeOf('bella'), 'feeder')
    await first.stop()

    const second = await startStack({ home, ports: 'free', demo: false, web: false })
    t.teardown(() => second.stop())
    const again = cloudOf(second)
    t.teardown(again.close)
    t.same(await again.reported('bella'), before)
  },
)

// D1 to its end: whatever dies on the way, the last report that was acknowledged is what the shadow shows.
t.test(
  'processes of the whole chain killed under load: every shadow ends at its last acknowledged report',
  { timeout },
  async (t) => {
    const stack = await startStack({
      home: t.testdir(),
      ports: 'free',
      demo: false,
      web: false,
      restartMs: 50,
    })
    t.teardown(() => stack.stop())
    const cloud = cloudOf(stack)
    t.teardown(cloud.close)
    const reporters = startReporters({ devices: 12, port: stack.ports.coap, prefix: 'horse' })
    t.teardown(() => reporters.close())
    const victims: ProcessName[] = ['gateway', 'lambda', 'iot', 'aws', 'gateway', 'lambda']
    for (const victim of victims) {
      const before = reporters.acknowledged.size
      await until(
        '60 more acknowledged',
        () => reporters.acknowledged.size > before + 60,
        () => reporters.codes,
      )
      const pid = stack.pid(victim)
      t.ok(pid, `${victim} runs`)
      process.kill(pid!, 'SIGKILL')
      await until(
        `another ${victim}`,
        () => stack.pid(victim) !== pid && stack.pid(victim),
        () => stack.pid(victim),
      )
    }
    const before = reporters.acknowledged.size
    await until(
      '60 more acknowledged',
      () => reporters.acknowledged.size > before + 60,
      () => reporters.codes,
    )
    reporters.pause()

    const last = new Map<string, number>()
    for (const name of reporters.acknowledged) {
      const [thing, n] = name.split(':') as [string, string]
      last.set(thing, Math.max(last.get(thing) ?? 0, Number(n)))
    }
    t.equal(last.size, 12)
    for (const [thing, n] of last) {
      await shown(cloud, thing, (state) => Number(state['n']) >= n)
      // Those after it may have been kept without their answer having arrived, or refused because they came too fast.
      const ends = Number((await cloud.reported(thing))['n'])
      t.ok(ends <= reporters.sent().get(thing)!, `${thing} ends at report ${n}: ${ends}`)
    }
  },
)

/** Waits until the shadow of a thing says what is expected. */
async function shown(
  { reported }: ReturnType<typeof cloudOf>,
  thing: string,
  isIt: (state: Record<string, unknown>) => boolean,
): Promise<void> {
  let state: Record<string, unknown> = {}
  const look = async () => {
    state = await reported(thing)
    return isIt(state)
  }
  await until(`a state of ${thing}`, look, () => state)
}
