import type { Day } from '@pesebre/contract/api/feed'
import type { DeviceConfig } from '@pesebre/contract/check-in'
import { DAY_MINUTES, instantOf, startOfDate } from '@pesebre/contract/wall-clock'
import { mealsBetween, type PlannedMeal } from './plan.ts'
import { type FeedRow, gramsOf } from './timeline.ts'

/** A schedule, and since when it was wanted, milliseconds since 1970. */
export type ScheduleSince = Pick<DeviceConfig, 'zone' | 'schedule'> & { readonly since: number }

/** After its time, a meal is given so long to be told of before it counts as missed, milliseconds (design/feeding.md). */
export const MISSED_AFTER_MS = 5 * 60_000

/** The meals that the schedules of their time had in (from, to]. @param schedules the oldest first */
export function mealsOf(schedules: readonly ScheduleSince[], from: number, to: number): PlannedMeal[] {
  return schedules.flatMap((schedule, index) => {
    const until = schedules[index + 1]?.since ?? Number.POSITIVE_INFINITY
    return mealsBetween(schedule, Math.max(from, schedule.since), Math.min(to, until))
  })
}

/** The instants of a date: (from, to]. NaN for what is no date. */
export function boundsOf(zone: string, date: string): { from: number; to: number } {
  const start = startOfDate(date)
  if (Number.isNaN(start)) return { from: Number.NaN, to: Number.NaN }
  return { from: instantOf(zone, start) - 1, to: instantOf(zone, start + DAY_MINUTES) - 1 }
}

/** When a meal of which there is no word counts as missed. */
export function missedAt({ at }: PlannedMeal, gapS: number): number {
  // Somebody may have been fed by hand just before: the meal follows when the gap is over.
  return at + gapS * 1000 + MISSED_AFTER_MS
}

/** What was planned for a day, against what was eaten. */
export function dayOf({
  date,
  zone,
  planned,
  rows,
  now,
  gapS,
}: {
  date: string
  zone: string
  planned: readonly PlannedMeal[]
  rows: readonly FeedRow[]
  now: number
  gapS: number
}): Day {
  const left = new Set(rows)
  const meals: Day['meals'] = planned.map((meal) => {
    const row = rows.find(({ occurrence }) => occurrence === meal.occurrence)
    if (row !== undefined) {
      left.delete(row)
      return { ...mealOf(row), planned: meal.grams, at: meal.at }
    }
    const state = now <= meal.at ? 'planned' : now <= missedAt(meal, gapS) ? 'due' : 'missed'
    return { source: 'schedule', minute: meal.minute, at: meal.at, planned: meal.grams, state }
  })
  meals.push(...[...left].map(mealOf))
  return {
    date,
    zone,
    meals: meals.sort((a, b) => a.at - b.at),
    planned: planned.reduce((sum, { grams }) => sum + grams, 0),
    actual: rows.reduce((sum, row) => sum + eaten(row), 0),
  }
}

function mealOf(row: FeedRow): Day['meals'][number] {
  return {
    source: row.source === 'schedule' ? 'schedule' : 'command',
    ...(row.slot !== null && { minute: row.slot }),
    at: row.at,
    ...(row.planned_g !== null && { planned: row.planned_g }),
    ...(row.actual_g !== null && { actual: row.actual_g }),
    state: row.state as Day['meals'][number]['state'],
    feed: row.id,
    ...(row.reason !== null && { reason: row.reason }),
  }
}

/** What has been given for sure, or may have been when the power failed. */
function eaten(row: FeedRow): number {
  const isOver = ['done', 'partial', 'jammed', 'interrupted'].includes(row.state)
  return isOver ? gramsOf(row) : 0
}
