import type { DeviceConfig, FeedLimits } from '@pesebre/contract/check-in'
import { GAP_S, PORTION_MAX } from '@pesebre/contract/commands/rules'

/**
 * Of the body weight in one portion: 400 g per 100 kg, and never above 2 kg (design/feeding.md; general guidance of feed makers and
 * an extension service, not a vet's advice).
 */
const PORTION_OF_WEIGHT = 0.004
/** Of the body weight in 24 hours, and the most that any feeder gives. */
const DAILY_OF_WEIGHT = 0.015
const DAILY_MAX = 12_000
/** Of whom nobody has said a weight: as of a pony. */
const UNKNOWN_KG = 250

export type HorseLimits = {
  readonly weight_kg: number | null
  /** What an owner has set. */
  readonly meal_max_g: number | null
  readonly day_max_g: number | null
}

export type Caps = {
  /** Most grams in one portion, unless an owner says otherwise each time. */
  readonly portion: number
  /** Most grams in one portion whoever says what. The feeder keeps it, too. */
  readonly hard: number
  /** Most grams in any 24 hours. */
  readonly daily: number
  /** Seconds between two portions. */
  readonly gap: number
  /** What the body weight alone allows in one portion. */
  readonly recommended: number
}

/**
 * What a horse may get. An owner's own limit is hard: feeder and server keep it. Without one, an owner may go beyond what the weight
 * allows, portion by portion, up to 2 kg.
 */
export function capsOf(
  { weight_kg, meal_max_g, day_max_g }: HorseLimits,
  config: Pick<DeviceConfig, 'limits'> | undefined,
): Caps {
  const kg = weight_kg ?? UNKNOWN_KG
  const recommended = Math.min(PORTION_MAX, Math.round(kg * 1000 * PORTION_OF_WEIGHT))
  return {
    portion: meal_max_g ?? recommended,
    hard: meal_max_g ?? PORTION_MAX,
    daily: day_max_g ?? Math.min(DAILY_MAX, Math.round(kg * 1000 * DAILY_OF_WEIGHT)),
    gap: config?.limits?.gap_s ?? GAP_S,
    recommended,
  }
}

/** What the feeder itself is to keep. */
export function deviceLimits({ hard, daily, gap }: Caps): FeedLimits {
  return { portion: hard, daily, gap_s: gap }
}

/** A portion that was given, or is to come. */
export type Portion = { readonly at: number; readonly grams: number }

const DAY_MS = 86_400_000

/**
 * How many grams may be given now so that no 24 hours hold more than `daily`: neither those behind us, nor those in which meals of the
 * schedule are still to come, which the feeder would have to refuse.
 */
export function leftNow(
  daily: number,
  { given, planned, now }: { given: readonly Portion[]; planned: readonly Portion[]; now: number },
): number {
  const ends = [now, ...planned.map(({ at }) => at).filter((at) => at > now && at <= now + DAY_MS)]
  const sums = ends.map((end) => {
    const isIn = ({ at }: Portion): boolean => at > end - DAY_MS && at <= end
    const due = planned.filter((portion) => portion.at > now && isIn(portion))
    return [...given.filter(isIn), ...due].reduce((sum, { grams }) => sum + grams, 0)
  })
  return Math.max(0, daily - Math.max(...sums))
}
