import { setImmediate as turn } from 'node:timers/promises'
import type { Downlink, Uplink } from '@pesebre/contract/check-in'
import t from 'tap'
import { startDevice } from '../../../local/src/demo/device.ts'
import { type FeederRecord, NEW_RECORD } from '../../../local/src/demo/record.ts'

const EPOCH = 1_800_000_000

/** A feeder whose answers the test writes; `at` is its uptime in seconds. */
function feeder(
  answer: (uplink: Uplink, at: number) => Downlink | undefined,
  isDiskBad: (record: FeederRecord) => boolean = () => false,
  motor: Promise<void> = Promise.resolve(),
) {
  const uplinks: Uplink[] = []
  const runs: number[] = []
  const clock = { at: 0 }
  const memory: { record: FeederRecord } = { record: NEW_RECORD }
  const device = startDevice(NEW_RECORD, {
    save(record) {
      if (isDiskBad(record)) throw new Error('EIO')
      memory.record = record
    },
    async dispense(grams) {
      runs.push(grams)
      for (let turns = 0; turns < 10; turns++) await turn()
      await motor
      return { state: 'done', grams }
    },
    async exchange(uplink) {
      uplinks.push(uplink)
      await turn()
      return answer(uplink, clock.at)
    },
    monotonic: () => clock.at * 1000,
    measure: () => ({ battery_mv: 3700, rssi_dbm: -60, temp_c: 20 }),
    sleep: () => turn(),
    warn: () => undefined,
  })
  const settle = async () => {
    for (let turns = 0; turns < 40; turns++) await turn()
  }
  const wakeUp = async () => {
    await device.wakeUp()
    await settle()
  }
  return { device, uplinks, runs, clock, memory, wakeUp, settle }
}

const COMMAND = { n: 1, kind: 'feed', grams: 100, ttl_s: 60 } as const

t.test('an order that two wakes meet runs once', async (t) => {
  const { device, runs, settle } = feeder(() => ({ time: EPOCH, commands: [COMMAND], acked_upto: 1 }))
  await Promise.all([device.wakeUp(), device.wakeUp(), device.wakeUp()])
  await settle()
  t.strictSame(runs, [100])
})

t.test('a clock that is set back does not prolong the time of an order (F8)', async (t) => {
  let isBad = false
  const { wakeUp, runs, clock, uplinks, memory } = feeder(
    (_, at) => (at === 0 ? { time: EPOCH, commands: [COMMAND] } : { time: EPOCH - 3600 }),
    (record) => isBad && record.active?.state === 'dispensing',
  )
  isBad = true
  await wakeUp()
  t.equal(memory.record.active?.state, 'accepted', 'it waits, since its memory fails')
  isBad = false
  clock.at = 61
  await wakeUp()
  await wakeUp()
  t.strictSame(runs, [])
  t.match(uplinks.at(-1)?.outcomes, [{ n: 1, state: 'expired' }])
})

t.test('an outcome that cannot be written is tried again until it is, and told only then', async (t) => {
  let failures = 3
  const { wakeUp, uplinks, memory } = feeder(
    () => ({ time: EPOCH, commands: [COMMAND] }),
    ({ ring }) => ring.length > 0 && failures-- > 0,
  )
  await wakeUp()
  t.match(memory.record.ring, [{ n: 1, state: 'done' }])
  t.equal(uplinks.at(-1)?.outcomes?.[0]?.state, 'done')
})

t.test('commands wait for the clock: refused(no_time) when the answer does not bring it (F8)', async (t) => {
  const { wakeUp, uplinks, runs } = feeder(() => ({ commands: [COMMAND] }))
  await wakeUp()
  t.match(uplinks[0], { clock: 0 })
  t.match(uplinks[1]?.outcomes, [{ n: 1, state: 'refused', reason: 'no_time' }])
  t.strictSame(runs, [])
})

t.test('it says unchanged only of the state of its last answered report', async (t) => {
  let isAnswered = true
  const { wakeUp, uplinks } = feeder(() => (isAnswered ? { time: EPOCH } : undefined))
  await wakeUp()
  await wakeUp()
  await wakeUp()
  t.strictSame(
    uplinks.map(({ changed }) => changed),
    [undefined, undefined, false],
    'the clock came with the first answer, and with it a state of the day',
  )
  isAnswered = false
  await wakeUp()
  isAnswered = true
  await wakeUp()
  await wakeUp()
  t.strictSame(
    uplinks.slice(3).map(({ changed }) => changed),
    [false, undefined, false],
  )
})

t.test('it takes another configuration, says so, and keeps to it', async (t) => {
  const config = { version: 3, interval_s: 20, limits: { portion: 50 } }
  const { device, wakeUp, uplinks, memory } = feeder(({ config_version }) => ({
    time: EPOCH,
    ...(config_version !== 3 && { config }),
    ...(config_version === 3 && { commands: [COMMAND] }),
  }))
  t.equal(device.intervalS(), 5)
  await wakeUp()
  await wakeUp()
  t.equal(device.intervalS(), 20)
  t.match(uplinks[1], { config_version: 3, interval_s: 20, state: { schedule_version: 3 } })
  t.strictSame(memory.record.config, config)
  t.match(uplinks.at(-1)?.outcomes, [{ reason: 'portion' }])
})

t.test('a meal of the schedule runs without a network, once the clock is known', async (t) => {
  const minute = Math.floor((EPOCH % 86_400) / 60) + 2
  let isUp = true
  const { wakeUp, runs, clock, memory } = feeder(() =>
    isUp ? { time: EPOCH, config: { version: 1, zone: 'UTC', schedule: [[minute, 70, 127]] } } : undefined,
  )
  await wakeUp()
  isUp = false
  for (clock.at = 5; clock.at < 300; clock.at += 5) await wakeUp()
  t.strictSame(runs, [70])
  t.match(memory.record, { active: undefined, motorRuns: 1, ring: [] })
})

t.test('a meal of the schedule that comes right after another waits for the gap', async (t) => {
  const minute = Math.floor((EPOCH % 86_400) / 60)
  const config = { version: 1, zone: 'UTC', schedule: [[minute + 1, 70, 127] as [number, number, number]] }
  const { wakeUp, runs, clock, memory } = feeder((_, at) => ({
    time: EPOCH + at,
    config,
    ...(at === 55 && { commands: [COMMAND] }),
  }))
  for (clock.at = 0; clock.at <= 70; clock.at += 5) await wakeUp()
  t.strictSame(runs, [100], 'the schedule is late now')
  for (; clock.at <= 90; clock.at += 5) await wakeUp()
  t.strictSame(runs, [100, 70])
  t.equal(memory.record.motorRuns, 2)
})

t.test('while it is busy it asks once in a wake, whatever waits for it', async (t) => {
  const motor = Promise.withResolvers<void>()
  const { wakeUp, uplinks, runs } = feeder(
    ({ outcomes = [] }) => {
      const named = Math.max(0, ...outcomes.map(({ n = 0 }) => n))
      const commands = [COMMAND, { ...COMMAND, n: 2 }].filter(({ n }) => n > named)
      return { time: EPOCH, more: true, commands }
    },
    undefined,
    motor.promise,
  )
  await wakeUp()
  t.strictSame(runs, [100])
  const before = uplinks.length
  await wakeUp()
  t.match(uplinks.slice(before), [{ outcomes: [{ n: 1, state: 'dispensing' }] }])
  t.equal(uplinks.length - before, 1)
  motor.resolve()
})
