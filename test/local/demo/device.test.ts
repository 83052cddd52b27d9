import { setImmediate as turn } from 'node:timers/promises'
import type { Command, Downlink, Outcome, Uplink } from '@pesebre/contract/check-in'
import { isFinal } from '@pesebre/contract/check-in'
import t from 'tap'
import { type Device, type DevicePorts, startDevice } from '../../../local/src/demo/device.ts'
import { type FeederRecord, NEW_RECORD } from '../../../local/src/demo/record.ts'

// A busy machine takes its time.
t.setTimeout(120_000)

const EPOCH = 1_800_000_000
/** More than the gap between two meals, so that the second command is not refused for it. */
const WAKE_S = 30

/** What stays when the power goes: the cloud, the memory of the feeder, what lies in the manger. */
type World = {
  disk: FeederRecord
  /** Seconds since 1970, as everybody but the feeder knows. */
  now: number
  queue: { n: number; grams: number; notAfter: number; from?: number }[]
  /** What the device has said of each command, in order. */
  said: Map<number, Outcome[]>
  /** The command that each start of the motor was for. */
  runs: number[]
  /** Everything that the device did, in order. */
  diary: string[]
}

function newWorld(queue: World['queue'] = []): World {
  return { disk: NEW_RECORD, now: EPOCH, queue, said: new Map(), runs: [], diary: [] }
}

/** The gateway, as the design has it: what no outcome has named, two at a time, with the time that is left. */
function answerOf(world: World, { outcomes = [], clock = 0 }: Uplink): Downlink {
  for (const outcome of outcomes) {
    const { n } = outcome
    if (n !== undefined) world.said.set(n, [...(world.said.get(n) ?? []), outcome])
  }
  const named = Math.max(0, ...world.said.keys())
  const commands: Command[] = world.queue
    .filter(({ n, notAfter, from = 0 }) => n > named && from <= world.now && notAfter > world.now + 1)
    .slice(0, 2)
    .map(({ n, grams, notAfter }) => ({ n, kind: 'feed', grams, ttl_s: notAfter - world.now }))
  const acked = Math.max(0, ...outcomes.map(({ n = 0 }) => n))
  return {
    ...(Math.abs(clock - world.now) > 5 && { time: world.now }),
    ...(commands.length > 0 && { commands }),
    ...(acked > 0 && { acked_upto: acked }),
  }
}

type Power = {
  /** The power goes at the port's so-manieth step. */
  cutAt: number
  steps: number
  /** Whether the so-manieth answer gets lost. */
  isLost?: (exchange: number) => boolean
}

/** A feeder in the world, for as long as the power lasts. `isOff` says that it went. */
function switchOn(world: World, power: Power): { device: Device | undefined; isOff: () => boolean } {
  let isOff = false
  let exchanges = 0
  const bootedAt = world.now
  function step(): void {
    if (isOff) throw new Error('no power')
    power.steps++
    if (power.steps !== power.cutAt) return
    isOff = true
    throw new Error('power cut')
  }
  const never = new Promise<never>(() => {})
  const ports: DevicePorts = {
    save(record) {
      step()
      world.disk = record
      world.diary.push(`save ${record.active?.state ?? record.ring.at(-1)?.state ?? '-'}`)
      step()
    },
    async dispense(grams) {
      const { active } = world.disk
      step()
      world.runs.push(active !== undefined && 'n' in active ? active.n : -1)
      world.diary.push('motor on')
      await turn()
      if (isOff) return never
      step()
      world.diary.push('motor off')
      return { state: 'done', grams }
    },
    async exchange(uplink) {
      if (isOff) return never
      step()
      const answer = answerOf(world, uplink)
      world.diary.push(`report ${uplink.outcomes?.map(({ n, state }) => `${n} ${state}`).join(', ') ?? ''}`)
      await turn()
      if (isOff) return never
      step()
      return power.isLost?.(exchanges++) ? undefined : answer
    },
    monotonic: () => (world.now - bootedAt) * 1000,
    measure: () => ({ battery_mv: 3700, rssi_dbm: -60, temp_c: 20 }),
    sleep: () => (isOff ? never : turn()),
    warn: () => undefined,
  }
  try {
    return { device: startDevice(world.disk, ports), isOff: () => isOff }
  } catch {
    return { device: undefined, isOff: () => isOff }
  }
}

/** Lets it run for some wakes; after each cut it is switched on again, the next cut being the next of the list. */
async function live(world: World, cuts: readonly number[], options: Omit<Power, 'cutAt' | 'steps'> = {}) {
  const left = [...cuts]
  let power: Power = { cutAt: left.shift() ?? -1, steps: 0, ...options }
  let feeder = switchOn(world, power)
  let steps = 0
  for (let wake = 0; wake < 10; wake++) {
    if (!feeder.isOff()) feeder.device?.wakeUp().catch(() => undefined)
    for (let turns = 0; turns < 24; turns++) await turn()
    steps = power.steps
    if (feeder.isOff()) {
      power = { cutAt: left.shift() ?? -1, steps: 0, ...options }
      feeder = switchOn(world, power)
    }
    world.now += WAKE_S
  }
  return steps
}

function twoMeals(): World['queue'] {
  return [
    { n: 1, grams: 500, notAfter: EPOCH + 600 },
    { n: 2, grams: 300, notAfter: EPOCH + 600, from: EPOCH + 2 * WAKE_S },
  ]
}

/** What must be true however the world went. Undefined: all of it is. */
function broken(world: World): string | undefined {
  for (const { n } of world.queue) {
    const runs = world.runs.filter((run) => run === n).length
    const said = world.said.get(n) ?? []
    const finals = new Set(said.filter(({ state }) => isFinal(state)).map(({ state }) => state))
    if (runs > 1) return `command ${n} ran ${runs} times`
    if (finals.size > 1) return `command ${n} ended as ${[...finals].join(' and ')}`
    const [final] = finals
    if (final === undefined && said.length > 0) return `nobody knows how command ${n} ended`
    if (final === 'done' && runs !== 1) return `command ${n} is done and did not run`
    if (runs === 1 && final !== 'done' && final !== 'interrupted') return `command ${n} ran and is ${final}`
  }
  return undefined
}

t.test('a meal: written down before it is told, again before the motor, and at its end (F3)', async (t) => {
  const world = newWorld([{ n: 1, grams: 500, notAfter: EPOCH + 60 }])
  await live(world, [])
  t.strictSame(world.runs, [1])
  const from = world.diary.indexOf('save accepted')
  const order = world.diary
    .slice(from)
    .filter((what) => !what.includes('dispensing') || what.startsWith('save'))
  t.strictSame(order.slice(0, 8), [
    'save accepted',
    'report 1 accepted',
    'save dispensing',
    'motor on',
    'motor off',
    'save done',
    'report 1 done',
    'save done',
  ])
  t.strictSame(
    world.said.get(1)?.map(({ state }) => state),
    ['accepted', 'dispensing', 'done'],
    'told once, since the answer named it',
  )
})

t.test(
  'a power cut at every step: no command runs twice, and the end of each is known (F2, F3, F4)',
  async (t) => {
    const whole = newWorld(twoMeals())
    const steps = await live(whole, [])
    t.equal(broken(whole), undefined)
    t.strictSame(whole.runs, [1, 2])
    t.ok(steps > 35, `${steps} steps`)
    const ends = new Set<string>()
    for (let cut = 1; cut <= steps; cut++) {
      const world = newWorld(twoMeals())
      await live(world, [cut])
      const fault = broken(world)
      if (fault !== undefined) t.fail(`cut at ${cut}: ${fault}`, { diary: world.diary })
      for (const said of world.said.values()) ends.add(said.at(-1)!.state)
    }
    t.strictSame([...ends].toSorted(), ['done', 'interrupted'])
  },
)

t.test('two power cuts, and lost answers: the same', async (t) => {
  let tried = 0
  for (let first = 1; first <= 60; first += 5) {
    for (let second = 1; second <= 30; second += 4) {
      const world = newWorld(twoMeals())
      await live(world, [first, second], { isLost: (exchange) => (exchange + first) % 3 === 0 })
      const fault = broken(world)
      if (fault !== undefined) t.fail(`cuts at ${first} and ${second}: ${fault}`, { diary: world.diary })
      tried++
    }
  }
  t.equal(tried, 96)
})

t.test('no persist, no motor (F3)', async (t) => {
  for (const failing of ['accepted', 'dispensing']) {
    const world = newWorld([{ n: 1, grams: 500, notAfter: EPOCH + 600 }])
    let isDiskBad = true
    const device = startDevice(NEW_RECORD, {
      save(record) {
        if (isDiskBad && record.active?.state === failing) throw new Error('EIO')
        world.disk = record
      },
      dispense: async (grams) => {
        world.runs.push(1)
        return { state: 'done', grams }
      },
      exchange: async (uplink) => answerOf(world, uplink),
      monotonic: () => (world.now - EPOCH) * 1000,
      measure: () => ({ battery_mv: 3700, rssi_dbm: -60, temp_c: 20 }),
      sleep: () => turn(),
      warn: () => undefined,
    })
    for (let wake = 0; wake < 3; wake++) {
      await device.wakeUp()
      for (let turns = 0; turns < 20; turns++) await turn()
      world.now += WAKE_S
    }
    t.strictSame(world.runs, [], `not when ${failing} cannot be written`)
    isDiskBad = false
    await device.wakeUp()
    for (let turns = 0; turns < 20; turns++) await turn()
    t.strictSame(world.runs, [1], 'and once the disk is well, since it is not too late')
  }
})

t.test(
  'accepted before a power cut, and its time is past after it: expired, and the motor stays off (F4)',
  async (t) => {
    const world = newWorld([{ n: 1, grams: 500, notAfter: EPOCH + 60 }])
    world.disk = {
      ...NEW_RECORD,
      highWater: 1,
      active: { n: 1, state: 'accepted', grams: 500, notAfter: EPOCH + 60, at: EPOCH },
      hours: [{ hour: Math.floor(EPOCH / 3600), grams: 500 }],
    }
    world.now = EPOCH + 3600
    await live(world, [])
    t.strictSame(world.runs, [])
    t.equal(world.said.get(1)?.at(-1)?.state, 'expired')
    t.equal(
      world.disk.hours.reduce((sum, { grams }) => sum + grams, 0),
      0,
      'nothing was given',
    )
  },
)

t.test(
  'outcomes are kept until an answer names them, and a full ring refuses rather than drop one (F9)',
  async (t) => {
    const world = newWorld([{ n: 9, grams: 100, notAfter: EPOCH + 6000 }])
    const ring = Array.from({ length: 8 }, (_, index) => ({
      n: index + 1,
      state: 'done' as const,
      grams: 100,
      at: EPOCH - 3600,
      isTold: false,
    }))
    const uplinks: Uplink[] = []
    let isAcked = false
    const device = startDevice(
      { ...NEW_RECORD, highWater: 8, ring },
      {
        save: (record) => {
          world.disk = record
        },
        dispense: async (grams) => {
          world.runs.push(9)
          return { state: 'done', grams }
        },
        async exchange(uplink) {
          uplinks.push(uplink)
          return {
            time: EPOCH,
            commands: [{ n: 9, kind: 'feed', grams: 100, ttl_s: 600 }],
            ...(isAcked && { acked_upto: 8 }),
          }
        },
        monotonic: () => 0,
        measure: () => ({ battery_mv: 3700, rssi_dbm: -60, temp_c: 20 }),
        sleep: () => turn(),
        warn: () => undefined,
      },
    )
    await device.wakeUp()
    for (let turns = 0; turns < 20; turns++) await turn()
    for (const { outcomes } of uplinks)
      t.strictSame(
        outcomes?.slice(0, 8).map(({ n }) => n),
        [1, 2, 3, 4, 5, 6, 7, 8],
        'all of them, each time',
      )
    t.strictSame(world.runs, [], 'refused')
    isAcked = true
    await device.wakeUp()
    for (let turns = 0; turns < 20; turns++) await turn()
    t.strictSame(world.runs, [9], 'there is room now, and the number was not used up')
  },
)

t.test(
  'a command that comes while it is busy runs when it comes again; told as refused(busy) once it cannot (F6)',
  async (t) => {
    const world = newWorld()
    const { promise: motorStops, resolve: stopMotor } = Promise.withResolvers<void>()
    const handedOut: Command[] = [
      { n: 1, kind: 'feed', grams: 100, ttl_s: 600 },
      { n: 2, kind: 'feed', grams: 100, ttl_s: 45 },
    ]
    const uplinks: Uplink[] = []
    const device = startDevice(NEW_RECORD, {
      save: (record) => {
        world.disk = record
      },
      async dispense(grams) {
        await motorStops
        return { state: 'done', grams }
      },
      async exchange(uplink) {
        uplinks.push(uplink)
        const named = Math.max(0, ...(uplink.outcomes ?? []).map(({ n = 0 }) => n))
        return { time: world.now, commands: handedOut.splice(0), ...(named > 0 && { acked_upto: named }) }
      },
      monotonic: () => (world.now - EPOCH) * 1000,
      measure: () => ({ battery_mv: 3700, rssi_dbm: -60, temp_c: 20 }),
      sleep: () => turn(),
      warn: () => undefined,
    })
    const wakeUp = async () => {
      await device.wakeUp()
      for (let turns = 0; turns < 20; turns++) await turn()
      world.now += WAKE_S
    }
    const said = (n: number) =>
      uplinks.flatMap(({ outcomes = [] }) => outcomes).filter((outcome) => outcome.n === n)
    await wakeUp()
    await wakeUp()
    t.strictSame(said(2), [], 'it may come again')
    handedOut.push({ n: 3, kind: 'feed', grams: 100, ttl_s: 600 })
    await wakeUp()
    t.strictSame(said(2), [{ n: 2, state: 'refused', reason: 'busy' }], 'its time is past, and told once')
    t.equal(world.disk.highWater, 1)
    stopMotor()
    await wakeUp()
    t.strictSame(said(3), [])
    handedOut.push({ n: 3, kind: 'feed', grams: 100, ttl_s: 540 })
    await wakeUp()
    await wakeUp()
    t.equal(said(3).at(-1)?.state, 'done')
    t.equal(said(2).length, 1)
  },
)
