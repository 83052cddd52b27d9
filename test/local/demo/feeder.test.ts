/** The firmware in WebAssembly, on real sockets, against the gateway's own side of the protocol: what C writes, TypeScript reads. */
import { TYPE } from '@pesebre/coap/codec/message'
import type { Downlink, OutcomeState, Uplink } from '@pesebre/contract/check-in'
import t from 'tap'
import { type Gateway, loadFirmware } from '../../../local/src/demo/core.ts'
import { DEMO_TUNING, startFeeder, type VirtualFeeder } from '../../../local/src/demo/feeder.ts'
import { openStore } from '../../../local/src/demo/store.ts'
import { until } from '../../fakes/until.ts'
import { type Heard, KID, NUMBER, SECRET, startLoneGateway } from './lone-gateway.ts'

t.setTimeout(120_000)

const firmware = loadFirmware()
const EPOCH = 1_800_000_000
type Tap = { teardown(handler: () => void): void; testdir(): string }

/** A second between check-ins; what is lost is missed soon. */
const TUNING = { ...DEMO_TUNING, intervalS: 1, windowMinMs: 300, windowMaxMs: 300 }

function start(t: Tap, gateways: readonly Gateway[], path = `${t.testdir()}/feeder.store`): VirtualFeeder {
  const feeder = startFeeder({
    firmware,
    number: NUMBER,
    kid: KID,
    secret: SECRET,
    gateways,
    store: openStore(path),
    log: () => undefined,
    tuning: TUNING,
  })
  let isOn = true
  const stop = () => {
    if (isOn) feeder.stop()
    isOn = false
  }
  t.teardown(stop)
  return { ...feeder, stop }
}

/** A gateway's rule: what an outcome has named is not handed out again, and is safe. */
function handOut(commands: { n: number; grams: number; ttl_s: number }[]) {
  let named = 0
  return ({ outcomes = [], clock }: Uplink): Downlink => {
    const acked = Math.max(0, ...outcomes.map(({ n = 0 }) => n))
    named = Math.max(named, acked)
    const open = commands.filter(({ n }) => n > named).map((each) => ({ ...each, kind: 'feed' as const }))
    return {
      ...(clock === 0 && { time: EPOCH }),
      ...(open.length > 0 && { commands: open.slice(0, 2) }),
      ...(acked > 0 && { acked_upto: acked }),
    }
  }
}

const statesOf = (heard: readonly Heard[], n: number): OutcomeState[] =>
  heard
    .flatMap(({ uplink }) => (uplink.outcomes ?? []).filter((each) => each.n === n))
    .map(({ state }) => state)

t.test('a check-in is one NON to /u, all of it inside OSCORE, with a new Partial IV each time', async (t) => {
  const gateway = await startLoneGateway(t, 'a', handOut([]))
  start(t, [gateway])
  await until(
    'three check-ins',
    () => gateway.heard.length >= 3,
    () => gateway.heard,
  )
  const [first, second, third] = gateway.heard
  t.match(first, {
    partialIv: 0,
    type: TYPE.NON,
    path: 'u',
    uplink: { clock: 0, interval_s: 1, config_version: 0 },
  })
  t.match(first?.uplink.state, { hopper_pct: 100, motor_runs: 0, jams: 0 })
  t.match(second, { partialIv: 1, type: TYPE.NON })
  t.equal(third?.uplink.changed, false, 'nothing new')
  t.ok((third?.size ?? 99) <= 61, 'in one frame')
})

t.test(
  'a command is told of as accepted, dispensing and done, runs once, and its end is repeated until confirmed',
  async (t) => {
    const gateway = await startLoneGateway(t, 'a', handOut([{ n: 7, grams: 60, ttl_s: 600 }]))
    start(t, [gateway])
    await until(
      'it is done',
      () => statesOf(gateway.heard, 7).includes('done'),
      () => gateway.heard,
    )
    const before = gateway.heard.length
    await until(
      'two more check-ins',
      () => gateway.heard.length >= before + 2,
      () => gateway.heard,
    )
    t.strictSame([...new Set(statesOf(gateway.heard, 7))], ['accepted', 'dispensing', 'done'])
    t.match(gateway.heard.at(-1)?.uplink, { state: { fed_g_today: 60 }, outcomes: undefined })
    t.match(
      gateway.heard.flatMap(({ uplink }) => uplink.outcomes ?? []).find(({ state }) => state === 'done'),
      { n: 7, grams: 60 },
    )
  },
)

t.test(
  'power cuts: what was dispensing is interrupted, nothing runs twice, no number of the sequence comes twice',
  async (t) => {
    const gateway = await startLoneGateway(t, 'a', handOut([{ n: 1, grams: 1500, ttl_s: 600 }]))
    const path = `${t.testdir()}/feeder.store`
    const feeder = start(t, [gateway], path)
    await until(
      'it is dispensing',
      () => statesOf(gateway.heard, 1).includes('dispensing'),
      () => gateway.heard,
    )
    feeder.stop()
    start(t, [gateway], path)
    await until(
      'it is interrupted',
      () => statesOf(gateway.heard, 1).includes('interrupted'),
      () => gateway.heard,
    )
    t.notOk(statesOf(gateway.heard, 1).includes('done'))
    t.equal(gateway.refused, 0, 'no replay')
    t.strictSame(
      gateway.heard.map(({ partialIv }) => partialIv),
      gateway.heard.map(({ partialIv }) => partialIv).toSorted((a, b) => a - b),
    )
  },
)

t.test('a challenge is answered in the same wake, with the Echo value and another Partial IV', async (t) => {
  const gateway = await startLoneGateway(t, 'a')
  gateway.manner = 'challenges'
  start(t, [gateway])
  await until(
    'two check-ins',
    () => gateway.heard.length >= 2,
    () => gateway.heard,
  )
  t.match(gateway.heard, [
    { partialIv: 0, hasEcho: false },
    { partialIv: 1, hasEcho: true },
  ])
})

t.test(
  'only a verified answer counts: after forged ones or silence the other gateway is asked',
  async (t) => {
    const a = await startLoneGateway(t, 'a', handOut([]))
    const b = await startLoneGateway(t, 'b', handOut([]))
    a.manner = 'forges'
    start(t, [a, b])
    await until(
      'two check-ins at b',
      () => b.heard.length >= 2,
      () => b.heard,
    )
    t.equal(a.heard.length, 0)
    b.manner = 'is silent'
    a.manner = 'answers'
    await until(
      'a check-in at a',
      () => a.heard.length >= 1,
      () => a.heard,
    )
    t.ok((a.heard[0]?.partialIv ?? 0) > (b.heard.at(-1)?.partialIv ?? 9), 'one sequence for all gateways')
  },
)

t.test('each gateway has keys of its own: what was made for one is nothing to the other', async (t) => {
  const b = await startLoneGateway(t, 'b')
  start(t, [{ id: 'a', host: b.host, port: b.port }])
  await until(
    'a refusal',
    () => b.refused >= 1,
    () => b.heard,
  )
  t.strictSame(b.heard, [])
})

t.test('a memory that was damaged: it does not begin its sequence again', async (t) => {
  const path = `${t.testdir({ 'feeder.store': '{"values":{' })}/feeder.store`
  t.throws(() => openStore(path), /Cannot read the memory of a feeder/)
})
