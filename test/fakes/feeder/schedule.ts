import type { DeviceConfig } from '@pesebre/contract/check-in'

const DAY_MINUTES = 1440
const MINUTE_S = 60
/**
 * How late a meal may still begin, minutes of local time. More than the hour that a clock change skips: a meal in it runs at the
 * first instant after.
 */
const LATE_MAX = 120

/** A meal of the schedule whose time has come. */
export type ScheduledMeal = {
  /** The local minute that it stands for, counted since 1970: it rises, and an hour that comes twice has the same ones. */
  readonly occurrence: number
  readonly grams: number
  /** Seconds since 1970. */
  readonly notAfter: number
}

/**
 * The next meal that is due at `now`, seconds since 1970, and lies after the last one: each occurrence runs once. Undefined: none,
 * or no schedule, or a zone that nobody knows.
 */
export function dueMeal(
  config: DeviceConfig,
  lastOccurrence: number,
  now: number,
): ScheduledMeal | undefined {
  const { schedule = [], zone = 'UTC' } = config
  if (schedule.length === 0) return undefined
  const local = localMinute(zone, now)
  if (local === undefined) return undefined
  const today = Math.floor(local / DAY_MINUTES)
  let due: ScheduledMeal | undefined
  for (const day of [today - 1, today]) {
    for (const [minute, grams, days] of schedule) {
      const occurrence = day * DAY_MINUTES + minute
      const late = local - occurrence
      if (late < 0 || late > LATE_MAX || occurrence <= lastOccurrence || !isOn(days, day)) continue
      if (due !== undefined && due.occurrence <= occurrence) continue
      due = { occurrence, grams, notAfter: now + (LATE_MAX - late + 1) * MINUTE_S }
    }
  }
  return due
}

/** The last occurrence that lies wholly before `now`; 0 in a zone that nobody knows. */
export function occurrenceBefore({ zone = 'UTC' }: DeviceConfig, now: number): number {
  return (localMinute(zone, now) ?? 1) - 1
}

/** Bit 0 is Monday. 1 January 1970 was a Thursday. */
function isOn(days: number, day: number): boolean {
  return ((days >> ((day + 3) % 7)) & 1) === 1
}

/** Minutes of local time since 1970, as a calendar and a clock on the wall would show it. */
function localMinute(zone: string, now: number): number | undefined {
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    })
    const parts = new Map(format.formatToParts(now * 1000).map(({ type, value }) => [type, Number(value)]))
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0
    return Math.floor(
      Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute')) / 60_000,
    )
  } catch {
    return undefined
  }
}
