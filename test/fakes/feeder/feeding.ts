/**
 * A model of the feeding machine, written apart from the firmware, for tests of what stands around a feeder.
 * How a feeder decides, as pure steps from one record to the next. Whoever drives it writes each record down before the next
 * step: the order of the design (F3) is what makes a meal run at most once, wherever the power goes.
 */
import type { Command, DeviceConfig, Outcome } from '@pesebre/contract/check-in'
import { isFinal } from '@pesebre/contract/check-in'
import { countGrams, refusalOf } from './limits.ts'
import {
  type Active,
  type FeederRecord,
  hasRoom,
  type KeptMeal,
  type KeptOutcome,
  keepOutcome,
  MEALS,
  type Origin,
  RING,
  type Said,
} from './record.ts'
import { occurrenceBefore } from './schedule.ts'

/** What is to become of a command. */
export type Decision =
  /** The record has changed: accepted, or refused for good. Write it down. */
  | { readonly kind: 'decided'; readonly record: FeederRecord }
  /** It was decided before, and its outcome is to be told again. */
  | { readonly kind: 'repeated'; readonly record: FeederRecord }
  /** It is older than anything remembered (F2). */
  | { readonly kind: 'stale' }
  /** Not now. The number is not used up: the command may come again when there is time, and room for its outcome (F6, F9). */
  | { readonly kind: 'busy' }

export type Circumstances = {
  /** Seconds since 1970; undefined: no clock yet. */
  readonly now: number | undefined
  readonly batteryMv: number
}

/** Decides on a command that came in a verified answer. */
export function decide(record: FeederRecord, command: Command, circumstances: Circumstances): Decision {
  const { n, grams, ttl_s } = command
  const { active, ring, highWater } = record
  if (active !== undefined && 'n' in active && active.n === n) return { kind: 'repeated', record }
  if (n <= highWater) {
    if (!ring.some((kept) => kept.n === n)) return { kind: 'stale' }
    const again = ring.map((kept) => (kept.n === n ? { ...kept, isTold: false } : kept))
    return { kind: 'repeated', record: { ...record, ring: again } }
  }
  if (active !== undefined || !hasRoom(ring)) return { kind: 'busy' }
  const notAfter = (circumstances.now ?? 0) + ttl_s
  const next = { ...record, highWater: n }
  return { kind: 'decided', record: take(next, { n }, { grams, notAfter, ...circumstances }) }
}

/** Takes a meal of the schedule, or not: then that was it. The feeder has nothing else to do, and has a clock. */
export function takeScheduled(
  record: FeederRecord,
  meal: { readonly occurrence: number; readonly grams: number; readonly notAfter: number },
  circumstances: Circumstances,
): FeederRecord {
  const { occurrence, grams, notAfter } = meal
  const next = { ...record, lastOccurrence: occurrence }
  return take(next, { occurrence }, { grams, notAfter, ...circumstances })
}

function take(
  record: FeederRecord,
  origin: Origin,
  facts: { grams: number; notAfter: number } & Circumstances,
): FeederRecord {
  const { grams, notAfter, now } = facts
  const at = now ?? 0
  const reason = refusalOf(record, facts)
  if (reason !== undefined) return withOutcome(record, origin, { state: 'refused', reason, at })
  const active: Active = { ...origin, state: 'accepted', grams, notAfter, at }
  return { ...record, active, hours: countGrams(record.hours, at, grams), lastMealAt: at }
}

/** The step before the motor: `dispensing`, or `expired` when its time is past, by the clock or as the caller knows (`isPast`). */
export function begin(record: FeederRecord, now: number, isPast = false): FeederRecord {
  const { active } = record
  if (active?.state !== 'accepted') return record
  if (isPast || now >= active.notAfter) return finish(record, { state: 'expired', grams: 0 }, now)
  return { ...record, active: { ...active, state: 'dispensing' }, motorRuns: record.motorRuns + 1 }
}

/** How the motor came to rest. */
export type Ended = { readonly state: 'done' | 'partial' | 'jammed'; readonly grams: number }

/** The step after the motor. A jam latches (F7). What was not given does not count against the limits. */
export function finish(
  record: FeederRecord,
  ended: Ended | { readonly state: 'expired' | 'interrupted'; readonly grams: number },
  now: number,
): FeederRecord {
  const { active } = record
  if (active === undefined) return record
  const { state, grams } = ended
  const { active: _, ...rest } = record
  const isJam = state === 'jammed'
  const given: FeederRecord = {
    ...rest,
    hours: countGrams(record.hours, active.at, grams - active.grams),
    hopperGrams: Math.max(0, record.hopperGrams - grams),
    latched: record.latched || isJam,
    jams: record.jams + (isJam ? 1 : 0),
  }
  // After a power cut nobody knows how much was given: it counts, but is not told as a fact.
  const isKnown = state !== 'expired' && state !== 'interrupted'
  return withOutcome(given, active, { state, ...(isKnown && { grams }), at: now })
}

/**
 * After the power came back (F4). What was dispensing is never resumed: nobody knows how much was given, so all of it counts, and
 * a person or a new command decides. What was accepted waits for the clock.
 */
export function wake(record: FeederRecord): FeederRecord {
  const { active } = record
  if (active?.state !== 'dispensing') return record
  return finish(record, { state: 'interrupted', grams: active.grams }, active.at)
}

/** What an uplink tells of an order: of a command, or of a meal. */
export type Told = KeptOutcome | KeptMeal

/**
 * The outcomes that an uplink has to carry: what was not told, the oldest first, and how far the present order is. Meals that do not
 * fit beside the commands follow when these are confirmed.
 */
export function outcomesToTell({ ring, meals, active }: FeederRecord): Told[] {
  const untold: Told[] = ring.filter(({ isTold }) => !isTold)
  const room = RING - untold.length - (active === undefined ? 0 : 1)
  untold.push(...meals.slice(0, Math.max(0, room)))
  if (active === undefined) return untold
  const { state, at } = active
  if ('n' in active) return [...untold, { n: active.n, state, at, isTold: false }]
  return [...untold, { occurrence: active.occurrence, state, at }]
}

/** Up to which number of commands, and of meals, an answer says that outcomes are safe. */
export type Acked = { readonly upTo: number; readonly meal: number }

/**
 * The record after a verified answer. An answer confirms what was in the very request: that it names a number says nothing about
 * an outcome of that number which came to be since.
 */
export function confirm(
  record: FeederRecord,
  told: readonly Pick<Outcome, 'n' | 'occurrence' | 'state'>[],
  { upTo, meal }: Acked,
): FeederRecord {
  const isConfirmed = (kept: KeptOutcome): boolean =>
    kept.n <= upTo && told.some(({ n, state }) => n === kept.n && state === kept.state && isFinal(state))
  const isSafe = (kept: KeptMeal): boolean =>
    kept.occurrence <= meal &&
    told.some(({ occurrence, state }) => occurrence === kept.occurrence && state === kept.state)
  const isNews = record.ring.some((kept) => !kept.isTold && isConfirmed(kept)) || record.meals.some(isSafe)
  if (!isNews) return record
  const ring = record.ring.map((kept) => (isConfirmed(kept) ? { ...kept, isTold: true } : kept))
  return { ...record, ring, meals: record.meals.filter((kept) => !isSafe(kept)) }
}

/** Takes another configuration. Meals that lie before it are no meals of its schedule. */
export function configure(record: FeederRecord, config: DeviceConfig, now: number | undefined): FeederRecord {
  if (now === undefined) return { ...record, config }
  const before = occurrenceBefore(config, now)
  const isSameZone = config.zone === record.config.zone
  return {
    ...record,
    config,
    lastOccurrence: isSameZone ? Math.max(record.lastOccurrence, before) : before,
  }
}

function withOutcome(record: FeederRecord, origin: Origin, said: Said): FeederRecord {
  if ('n' in origin)
    return { ...record, ring: keepOutcome(record.ring, { n: origin.n, ...said, isTold: false }) }
  const { occurrence } = origin
  return { ...record, meals: [...record.meals, { occurrence, ...said }].slice(-MEALS) }
}
