import type { FeedLimits, RefuseReason } from '@pesebre/contract/check-in'
import type { FeederRecord } from './record.ts'

/** Compiled in: the cloud may lower them, and never exceed them. */
const PORTION_MAX = 2000
const DAILY_MAX = 12_000
const GAP_MIN_S = 20
/** Under this the motor would take the feeder down with it, millivolts. */
const BATTERY_MIN_MV = 3300

const HOUR_S = 3600
const DAY_HOURS = 24

export type MealFacts = {
  /** Seconds since 1970; undefined: no clock yet. */
  readonly now: number | undefined
  readonly grams: number
  /** Not begun after that, seconds since 1970. */
  readonly notAfter: number
  readonly batteryMv: number
}

/**
 * Why a meal may not be given, or undefined. The order of the reasons is fixed: the first that holds is told. A clock that was
 * set back frees nothing: what lies in its future counts as if it were now.
 */
export function refusalOf(
  { latched, hours, lastMealAt, config }: FeederRecord,
  { now, grams, notAfter, batteryMv }: MealFacts,
): RefuseReason | undefined {
  const { portion, daily, gap } = limitsOf(config.limits)
  if (latched) return 'latched'
  if (now === undefined) return 'no_time'
  if (now >= notAfter) return 'expired'
  if (grams > portion) return 'portion'
  if (givenSince(hours, hourOf(now) - DAY_HOURS) + grams > daily) return 'daily'
  if (now - lastMealAt < gap) return 'gap'
  if (batteryMv < BATTERY_MIN_MV) return 'battery'
  return undefined
}

/** The hours with so many grams more, or fewer, in the one of `at`; what no limit looks at any more is forgotten. */
export function countGrams(hours: FeederRecord['hours'], at: number, grams: number): FeederRecord['hours'] {
  const hour = hourOf(at)
  const others = hours.filter((one) => one.hour !== hour && one.hour >= hour - DAY_HOURS)
  const before = hours.find((one) => one.hour === hour)?.grams ?? 0
  return [...others, { hour, grams: Math.max(0, before + grams) }]
}

/** Grams given in the last 24 hours. */
export function gramsOfDay(hours: FeederRecord['hours'], now: number): number {
  return givenSince(hours, hourOf(now) - DAY_HOURS)
}

function limitsOf({ portion = PORTION_MAX, daily = DAILY_MAX, gap_s = 0 }: FeedLimits = {}) {
  return {
    portion: Math.min(portion, PORTION_MAX),
    daily: Math.min(daily, DAILY_MAX),
    gap: Math.max(gap_s, GAP_MIN_S),
  }
}

function givenSince(hours: FeederRecord['hours'], after: number): number {
  return hours.reduce((sum, { hour, grams }) => (hour >= after ? sum + grams : sum), 0)
}

function hourOf(at: number): number {
  return Math.floor(at / HOUR_S)
}
