/**
 * The rule of a time zone as a device can hold it: that of a POSIX TZ string (IEEE 1003.1 section 8.3, `Mm.w.d/time`), in integers, so
 * that a device has neither a table of zones nor a parser. What our ICU knows of the zone's next years decides.
 */

/**
 * Minutes east of UTC; with daylight saving ten numbers: standard, daylight, then month, week (5 is the last), day (0 is Sunday) and
 * minute (by the clock that is changed, may be negative or above a day) of its begin, and the same of its end.
 */
export type ZoneRule = [offset: number] | RuleWithDaylight
export type RuleWithDaylight = [standard: number, daylight: number, ...begin: Change, ...end: Change]
type Change = [month: number, week: number, day: number, minute: number]

/** Limits of the numbers of a rule, as devices check them. */
export const ZONE_OFFSET_MAX = 15 * 60
export const ZONE_CHANGE_MINUTE_MAX = 168 * 60

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const STEP_MS = 7 * DAY_MS
/** Years from the present one that a rule has to be true of. */
const YEARS = 5
/** POSIX counts the time of a change from the midnight of a day that may lie up to a week before it. */
const DAYS_BACK = 6

/** A change of the offset at `at`, milliseconds since 1970. Offsets in minutes. */
type Transition = { at: number; before: number; after: number }

/**
 * The rule of an IANA zone that is true from `now`, milliseconds since 1970, for the next years. A zone that follows none, since a
 * lunar calendar or a decree decides there, has the offset that it has now. Undefined: nobody knows the zone.
 */
export function zoneRuleOf(zone: string, now: number): ZoneRule | undefined {
  const offsetAt = offsets(zone)
  if (offsetAt === undefined) return undefined
  const year = new Date(now).getUTCFullYear()
  const years = Array.from({ length: YEARS }, (_, index) => transitionsIn(year + index, offsetAt))
  const present = offsetAt(now)
  if (years.some((found) => found.length !== 2)) return [present]
  const [first, second] = [years.map((found) => found[0]!), years.map((found) => found[1]!)]
  const [begins, ends] = first[0]!.after > first[0]!.before ? [first, second] : [second, first]
  const begin = changeOf(begins)
  const end = changeOf(ends)
  const { before: standard, after: daylight } = begins[0]!
  const isSteady = begins.every(({ before, after }) => before === standard && after === daylight)
  if (begin === undefined || end === undefined || !isSteady) return [present]
  return [standard, daylight, ...begin, ...end]
}

/** Offset of a zone in minutes by time; undefined when nobody knows the zone. */
function offsets(zone: string): ((at: number) => number) | undefined {
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
    return (at) => {
      const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? ''
      const [, sign, hours = '0', minutes = '0'] = /([+-])(\d\d):(\d\d)/.exec(name) ?? []
      return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
    }
  } catch {
    return undefined
  }
}

function transitionsIn(year: number, offsetAt: (at: number) => number): Transition[] {
  const found: Transition[] = []
  const end = Date.UTC(year + 1, 0, 1)
  let before = offsetAt(Date.UTC(year, 0, 1))
  // Two changes within a week would cancel out: no zone has ever had such.
  for (let from = Date.UTC(year, 0, 1); from < end; from += STEP_MS) {
    const to = Math.min(from + STEP_MS, end)
    const after = offsetAt(to)
    if (after !== before) found.push({ at: bisect(from, to, offsetAt), before, after })
    before = after
  }
  return found
}

/** The first minute with the offset of `to`. */
function bisect(from: number, to: number, offsetAt: (at: number) => number): number {
  const after = offsetAt(to)
  let [low, high] = [from, to]
  while (high - low > MINUTE_MS) {
    const middle = low + Math.floor((high - low) / 2 / MINUTE_MS) * MINUTE_MS
    if (offsetAt(middle) === after) high = middle
    else low = middle
  }
  return high
}

/** The one way to say the changes of several years; undefined when there is none. */
function changeOf(transitions: readonly Transition[]): Change | undefined {
  for (let back = 0; back <= DAYS_BACK; back++) {
    const days = transitions.map(({ at, before }) => {
      const local = at + before * MINUTE_MS
      const midnight = Math.floor(local / DAY_MS) * DAY_MS - back * DAY_MS
      const date = new Date(midnight)
      return { date, minute: (local - midnight) / MINUTE_MS }
    })
    const { date, minute } = days[0]!
    const isSame = days.every(
      (day) =>
        day.minute === minute &&
        day.date.getUTCMonth() === date.getUTCMonth() &&
        day.date.getUTCDay() === date.getUTCDay(),
    )
    if (!isSame) continue
    const week = weekOf(days.map((day) => day.date))
    if (week !== undefined) return [date.getUTCMonth() + 1, week, date.getUTCDay(), minute]
  }
  return undefined
}

/** Which week of their months all of these days are in: 5 is the last one. */
function weekOf(days: readonly Date[]): number | undefined {
  const isLast = days.every((day) => {
    const next = new Date(day.getTime() + 7 * DAY_MS)
    return next.getUTCMonth() !== day.getUTCMonth()
  })
  if (isLast) return 5
  const week = Math.ceil(days[0]!.getUTCDate() / 7)
  return days.every((day) => Math.ceil(day.getUTCDate() / 7) === week) ? week : undefined
}
