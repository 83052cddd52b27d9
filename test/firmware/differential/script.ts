import { zoneRuleOf } from '@pesebre/contract/zone-rule'
import {
  createModel,
  type Decision,
  type Limits,
  type Model,
  type Scene,
  type Slot,
  type Told,
} from './model.ts'

const COMPILED = { portion: 2000, daily: 6000, gap: 60, batteryMin: 3300 }
const UNSAID = 0xffff_ffff
const ZONE = 'Europe/Madrid'
const STEPS = 400
const DECISIONS: readonly Decision[] = ['decided', 'repeated', 'stale', 'busy']
const MEALS = ['none', 'decided', 'waits']
/** Numbers of the check-in (contract/src/check-in.ts). */
const ENDS = { done: 3, partial: 4, jammed: 5 } as const

/** One line for the driver, and what it has to come to. */
export type Step = {
  readonly line: string
  readonly result: number
  readonly gramsOfDay: number
  readonly told: readonly Told[]
  /** A copy of the model's state after it. */
  readonly state: Model['state']
}

/**
 * A feeder's life by chance: commands new, old and repeated, meals, portions that end in each way, power cuts, buttons, answers that
 * name what was told, or part of it, or come late, clocks that step and get lost, limits that change.
 * @param random from 0 to 1
 */
export function writeScript(random: () => number): Step[] {
  const model = createModel(COMPILED)
  const steps: Step[] = []
  let told: Told[] = []
  let slots: Slot[] = []
  let after = 0
  // Near a clock change every third time.
  const changes = [Date.UTC(2027, 2, 28, 1), Date.UTC(2027, 9, 31, 1)]
  const start = (chance(0.33) ? pick(changes) : Date.UTC(2027, 5, 1) + below(86_400_000)) / 1000 - 7200
  const scene: Scene = { now: Math.floor(start), battery: 3900, limits: unsaid() }
  let trueTime = scene.now

  record(`n ${COMPILED.portion} ${COMPILED.daily} ${COMPILED.gap} ${COMPILED.batteryMin}`)
  record(`z ${zoneRuleOf(ZONE, trueTime * 1000)!.join(' ')}`)
  world()
  while (steps.length < STEPS) next()
  return steps

  function next(): void {
    if (chance(0.3)) pass()
    const { active } = model.state
    if (active !== undefined && chance(0.5)) work(active.state)
    else pick([order, order, meal, meal, cut, button, answer, answer, answer, limit, schedule, look])()
  }

  function pass(): void {
    const seconds = pick([1, 20, 60, 300, 1200, 3600, 7200, 30_000])
    trueTime += 1 + below(seconds)
    const moved = chance(0.06) ? -below(7200) : 0
    scene.now = chance(0.03) ? 0 : trueTime + moved
    scene.battery = chance(0.05) ? 3299 : 3300 + below(900)
    world()
  }

  function order(): void {
    const { highWater, active } = model.state
    const known = [active?.isMeal ? 0 : (active?.id ?? 0), highWater, highWater - below(12)]
    const n = Math.max(1, chance(0.7) ? highWater + 1 + (chance(0.1) ? below(1000) : 0) : pick(known))
    const grams = pick([1, 250, 500, below(2001), 2000, 2001, 0xffff])
    const ttl = pick([0, 1, 60, 600, 7200])
    record(`c ${n} ${grams} ${ttl}`, DECISIONS.indexOf(model.command(n, { grams, ttl, scene })))
  }

  function meal(): void {
    record('m', MEALS.indexOf(model.meal(slots, { local: localMinute(scene.now), after, scene })))
  }

  function work(state: 'accepted' | 'dispensing'): void {
    if (state === 'accepted') {
      // Without a clock nothing is begun (F8).
      if (scene.now === 0) return
      const isPast = chance(0.1)
      model.begin(scene.now, isPast)
      record(`b ${Number(isPast)}`)
      return
    }
    const end = pick(['done', 'done', 'partial', 'jammed'] as const)
    const { grams } = model.state.active!
    const given = end === 'done' ? grams : below(grams + 1)
    model.finish(end, given, scene.now)
    record(`e ${ENDS[end]} ${given}`)
    if (end === 'jammed' && chance(0.7)) button()
  }

  function cut(): void {
    record('p', Number(model.restart()))
  }

  function button(): void {
    model.button()
    record('u')
  }

  function answer(): void {
    if (chance(0.6)) {
      told = model.tell()
      record('t', told.length)
      // Lost, or late: by then other things have happened.
      if (chance(0.4)) return
    }
    const highest = (isMeal: boolean) =>
      Math.max(0, ...told.filter((one) => one.isMeal === isMeal).map(({ id }) => id))
    const upto = { command: highest(false), meal: highest(true) }
    if (chance(0.2)) upto.command -= Math.min(upto.command, below(4))
    if (chance(0.2)) upto.meal = 0
    record(`k ${upto.command} ${upto.meal}`, Number(model.confirm(told, upto)))
  }

  function limit(): void {
    const lower = { portion: below(3000), daily: below(9000), gap: pick([0, 30, 600, 3600]) }
    scene.limits = chance(0.5) ? unsaid() : lower
    const { portion, daily, gap } = scene.limits
    record(`l ${Math.min(UNSAID, portion)} ${Math.min(UNSAID, daily)} ${gap}`)
  }

  function schedule(): void {
    slots = Array.from({ length: below(20) }, () => ({
      minute: pick([below(1440), 120 + below(60)]),
      grams: pick([100, 300, 2500]),
      days: pick([127, 127, below(128)]),
    }))
    after = scene.now === 0 ? 0 : localMinute(scene.now) - below(120)
    record(`s ${after} ${slots.map(({ minute, grams, days }) => `${minute} ${grams} ${days}`).join(' ')}`)
  }

  /** A store that has rotted is never believed. */
  function look(): void {
    record(`f ${below(768 * 8)}`, 0)
  }

  function world(): void {
    record(`w ${scene.now} ${scene.battery}`)
  }

  function record(line: string, result = 0): void {
    const gramsOfDay = model.gramsOfDay(scene.now)
    steps.push({ line, result, gramsOfDay, told, state: structuredClone(model.state) })
  }

  function chance(share: number): boolean {
    return random() < share
  }

  function below(limit: number): number {
    return Math.floor(random() * limit)
  }

  function pick<T>(all: readonly T[]): T {
    return all[below(all.length)]!
  }
}

function unsaid(): Limits {
  return { portion: Number.POSITIVE_INFINITY, daily: Number.POSITIVE_INFINITY, gap: 0 }
}

const clock = new Intl.DateTimeFormat('en-US', { timeZone: ZONE, timeZoneName: 'longOffset' })
const offsets = new Map<number, number>()

/** Minutes since 1970 on the wall, as ICU knows them. */
function localMinute(now: number): number {
  const quarter = Math.floor(now / 900)
  let offset = offsets.get(quarter)
  if (offset === undefined) {
    const name = clock.formatToParts(now * 1000).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    offset = Number(/([+-]\d\d):00/.exec(name)?.[1] ?? 0) * 60
    offsets.set(quarter, offset)
  }
  return Math.floor(now / 60) + offset
}
