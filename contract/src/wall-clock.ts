/**
 * The clock on the wall of an IANA zone, and the meals that go by it. Pure, on Intl's own time zone data. Instants are milliseconds
 * since 1970. A local minute counts minutes since 1970-01-01 00:00 as the wall shows them (an `occurrence` of a meal is one): it jumps
 * forward and back when the clock does.
 */

export const DAY_MINUTES = 1440
const MINUTE_MS = 60_000
const DAY_MS = DAY_MINUTES * MINUTE_MS
/** Zones differ from UTC by less than this, and change by less than a day. */
const FAR_MS = 2 * DAY_MS

/** A change of the clock. */
export type Transition = {
  /** The first instant with the new offset. */
  readonly at: number
  /** Minutes from UTC to the wall, before and after. */
  readonly before: number
  readonly after: number
}

const formats = new Map<string, Intl.DateTimeFormat>()
/** So many zones are kept ready: making one costs a hundred times as much as using it. */
const FORMATS_MAX = 64

/** Whether there is such a zone. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone)
    return true
  } catch {
    return false
  }
}

/** The local minute that the wall shows at `instant`, rounded down. @throws RangeError for a zone that nobody knows */
export function localMinute(zone: string, instant: number): number {
  const found: Record<string, number> = {}
  for (const { type, value } of formatOf(zone).formatToParts(instant)) found[type] = Number(value)
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = found
  return Math.floor(Date.UTC(year, month - 1, day, hour, minute) / MINUTE_MS)
}

/** Minutes from UTC to the wall. */
export function offsetAt(zone: string, instant: number): number {
  return localMinute(zone, instant) - Math.floor(instant / MINUTE_MS)
}

/**
 * When a meal of that local minute runs: the first instant at which the wall shows it, or shows later. So one that the clock skips runs
 * at the first instant after the gap, and one that it doubles runs the first time.
 */
export function instantOf(zone: string, minute: number): number {
  const asUtc = minute * MINUTE_MS
  const candidates = [offsetAt(zone, asUtc - DAY_MS), offsetAt(zone, asUtc + DAY_MS)]
    .map((offset) => asUtc - offset * MINUTE_MS)
    .sort((a, b) => a - b)
  for (const instant of candidates) if (localMinute(zone, instant) === minute) return instant
  // The wall never shows it: the clock jumps over it between the two.
  const [low = asUtc - FAR_MS, high = asUtc + FAR_MS] = candidates
  return firstInstant(low - MINUTE_MS, high, (instant) => localMinute(zone, instant) >= minute)
}

/** Changes of the clock in (from, to], at most `max`. */
export function transitionsBetween(zone: string, from: number, to: number, max = 10): Transition[] {
  const found: Transition[] = []
  let [start, before] = [from, offsetAt(zone, from)]
  while (start < to && found.length < max) {
    // Two changes within a day would be taken for none: no zone has had any since 1970.
    const end = Math.min(start + DAY_MS, to)
    const after = offsetAt(zone, end)
    if (after !== before) {
      const at = firstInstant(start, end, (instant) => offsetAt(zone, instant) !== before)
      found.push({ at, before, after })
    }
    ;[start, before] = [end, after]
  }
  return found
}

/** `YYYY-MM-DD` of a local minute. */
export function dateOf(minute: number): string {
  return new Date(Math.floor(minute / DAY_MINUTES) * DAY_MS).toISOString().slice(0, 10)
}

/** The first local minute of a date. NaN for what is none. */
export function startOfDate(date: string): number {
  const instant = Date.parse(`${date}T00:00:00Z`)
  return Number.isNaN(instant) || new Date(instant).toISOString().slice(0, 10) !== date
    ? Number.NaN
    : instant / MINUTE_MS
}

/** Minute of the day. */
export function minuteOfDay(minute: number): number {
  return ((minute % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES
}

/** Whether a meal with these days (bit 0 is Monday) is on the day of a local minute. 1 January 1970 was a Thursday. */
export function isOnDay(days: number, minute: number): boolean {
  return ((days >> ((Math.floor(minute / DAY_MINUTES) + 3) % 7)) & 1) === 1
}

/** The first whole minute in (low, high] for which it is so, if it stays so from then on. */
function firstInstant(low: number, high: number, isSo: (instant: number) => boolean): number {
  let [no, yes] = [Math.floor(low / MINUTE_MS), Math.ceil(high / MINUTE_MS)]
  while (yes - no > 1) {
    const middle = Math.floor((no + yes) / 2)
    if (isSo(middle * MINUTE_MS)) yes = middle
    else no = middle
  }
  return yes * MINUTE_MS
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone)
  if (known !== undefined) return known
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  })
  const oldest = formats.keys().next()
  if (formats.size >= FORMATS_MAX && !oldest.done) formats.delete(oldest.value)
  formats.set(zone, format)
  return format
}
