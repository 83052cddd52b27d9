import type { ClockChange } from '@pesebre/contract/api/schedule'
import type { DeviceConfig } from '@pesebre/contract/check-in'
import {
  DAY_MINUTES,
  dateOf,
  instantOf,
  isOnDay,
  isZone,
  localMinute,
  minuteOfDay,
  transitionsBetween,
} from '@pesebre/contract/wall-clock'

/** A meal of the schedule on one day. */
export type PlannedMeal = {
  /** Local minute since 1970: names it for good. */
  readonly occurrence: number
  readonly minute: number
  readonly grams: number
  /** When it runs, milliseconds since 1970. */
  readonly at: number
}

type Schedule = Pick<DeviceConfig, 'zone' | 'schedule'>

/** Meals that run in (from, to], in order. A schedule in a zone that nobody knows has none. */
export function mealsBetween(
  { zone = 'UTC', schedule = [] }: Schedule,
  from: number,
  to: number,
): PlannedMeal[] {
  if (schedule.length === 0 || !isZone(zone)) return []
  const [first, last] = [localMinute(zone, from), localMinute(zone, to)].map((minute) =>
    Math.floor(minute / DAY_MINUTES),
  ) as [number, number]
  const meals: PlannedMeal[] = []
  // A day more on either side: the clock may go back over midnight.
  for (let day = Math.min(first, last) - 1; day <= Math.max(first, last) + 1; day++) {
    for (const [minute, grams, days] of schedule) {
      const occurrence = day * DAY_MINUTES + minute
      if (!isOnDay(days, occurrence)) continue
      const at = instantOf(zone, occurrence)
      if (at > from && at <= to) meals.push({ occurrence, minute, grams, at })
    }
  }
  return meals.sort((a, b) => a.at - b.at || a.occurrence - b.occurrence)
}

/** The next meal after `now`, within eight days: every slot has a day of the week. */
export function nextMeal(schedule: Schedule, now: number): PlannedMeal | undefined {
  for (let day = 0; day < 8; day++) {
    const [meal] = mealsBetween(schedule, now + day * 86_400_000, now + (day + 1) * 86_400_000)
    if (meal !== undefined) return meal
  }
  return undefined
}

const YEARS_MS = 2 * 366 * 86_400_000
const CHANGES_MAX = 4

/** The next changes of the clock in the schedule's zone, and what each does to meals. */
export function clockChanges({ zone = 'UTC', schedule = [] }: Schedule, now: number): ClockChange[] {
  if (!isZone(zone)) return []
  return transitionsBetween(zone, now, now + YEARS_MS, CHANGES_MAX).map(({ at, before, after }) => {
    const utc = at / 60_000
    const [from, to] = [utc + before, utc + after]
    const [low, high] = [Math.min(from, to), Math.max(from, to)]
    const meals: ClockChange['meals'] = []
    for (let day = Math.floor(low / DAY_MINUTES); day <= Math.floor((high - 1) / DAY_MINUTES); day++) {
      for (const [minute, grams, days] of schedule) {
        const occurrence = day * DAY_MINUTES + minute
        // Between the two the wall shows nothing, or everything twice.
        if (occurrence < low || occurrence >= high || !isOnDay(days, occurrence)) continue
        const runs = instantOf(zone, occurrence)
        const effect = after > before ? 'skipped' : 'doubled'
        meals.push({ minute, grams, effect, at: runs, wall: minuteOfDay(localMinute(zone, runs)) })
      }
    }
    return {
      at,
      date: dateOf(from),
      shift: after - before,
      from: minuteOfDay(from),
      to: minuteOfDay(to),
      meals,
    }
  })
}
