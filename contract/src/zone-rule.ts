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
/** So far ahead a rule that is to hold for good has to be true. */
const GOOD_MS = 5 * 365 * DAY_MS
/**
 * So far ahead may the changes be that a rule for the time being is made of. A year later and earlier it says them, too: so that its
 * year before has passed, it is less than a year.
 */
const REACH_MS = 330 * DAY_MS
/** POSIX counts the time of a change from the midnight of a day that may lie up to a week before it. */
const DAYS_BACK = 6
/** There are some four hundred zones; names that nobody knows must not fill the memory. */
const KNOWN_MAX = 1000

/** A change of the offset at `at`, milliseconds since 1970. Offsets in minutes. */
type Transition = { at: number; before: number; after: number }
type OffsetAt = (at: number) => number

/**
 * The rule of an IANA zone from `now` on, milliseconds since 1970. A zone where a lunar calendar or a decree decides follows none: then a
 * rule that says its next two changes, or what is known of them, and is not true any more after that: see `ruleHoldsUntil`.
 * Undefined: nobody knows the zone.
 */
export function zoneRuleOf(zone: string, now: number): ZoneRule | undefined {
  const offsetAt = offsets(zone)
  if (offsetAt === undefined) return undefined
  // From the year's begin, since more years tell more; but what held until now need not be true any more.
  const changes = transitionsIn(Date.UTC(new Date(now).getUTCFullYear(), 0, 1), now + GOOD_MS, offsetAt)
  const future = changes.filter(({ at }) => at > now)
  const [first, second] = future
  if (first === undefined) return [offsetAt(now)]
  for (const known of [changes, future]) {
    const rule = ruleOf(everySecond(known, 0), everySecond(known, 1))
    if (rule !== undefined && untilOf(rule, now, offsetAt) >= now + GOOD_MS) return rule
  }
  if (first.at > now + REACH_MS) return [offsetAt(now)]
  const { before, after } = first
  const isBack = second !== undefined && second.after === before && second.at <= now + REACH_MS
  // There is no rule of one change. Long before the one that is made up there is a better rule.
  const back = isBack
    ? second
    : { at: Math.max(now + REACH_MS, first.at + STEP_MS), before: after, after: before }
  return ruleOf([first], [back]) ?? [offsetAt(now)]
}

const untils = new Map<string, number>()

/**
 * How long a rule is true of a zone, milliseconds since 1970; `now` if it is wrong already. At most five years are looked at.
 * Infinity: nobody knows the zone, and no other rule would be better.
 */
export function ruleHoldsUntil(rule: ZoneRule, zone: string, now: number): number {
  const key = `${zone} ${rule}`
  const known = untils.get(key)
  if (known !== undefined && known - now > REACH_MS) return known
  const offsetAt = offsets(zone)
  if (offsetAt === undefined) return Number.POSITIVE_INFINITY
  const until = untilOf(rule, now, offsetAt)
  if (untils.size >= KNOWN_MAX) untils.clear()
  untils.set(key, until)
  return until
}

function untilOf(rule: ZoneRule, now: number, offsetAt: OffsetAt): number {
  const end = now + GOOD_MS
  const wanted = transitionsIn(now, end, offsetAt)
  const { offset, changes } = followed(rule, now, end)
  if (offset !== offsetAt(now)) return now
  for (const [index, { at, after }] of wanted.entries()) {
    const said = changes[index]
    if (said?.at !== at || said.after !== after) return Math.min(at, said?.at ?? end)
  }
  return changes[wanted.length]?.at ?? end
}

/** What a device makes of a rule: its offset at a time, and the changes from then on. */
function followed(rule: ZoneRule, from: number, to: number): { offset: number; changes: Transition[] } {
  if (rule.length === 1) return { offset: rule[0], changes: [] }
  const [standard, daylight] = rule
  const changes: Transition[] = []
  const years = [new Date(from).getUTCFullYear() - 1, new Date(to).getUTCFullYear() + 1] as const
  for (let year = years[0]; year <= years[1]; year++) {
    const begin = timeOf(rule.slice(2, 6) as Change, year) - standard * MINUTE_MS
    const end = timeOf(rule.slice(6, 10) as Change, year) - daylight * MINUTE_MS
    changes.push(
      { at: begin, before: standard, after: daylight },
      { at: end, before: daylight, after: standard },
    )
  }
  changes.sort((a, b) => a.at - b.at)
  const last = changes.findLast(({ at }) => at <= from)
  return { offset: last?.after ?? standard, changes: changes.filter(({ at }) => at > from && at < to) }
}

/** When a change is in that year, by the clock that it changes. */
function timeOf([month, week, day, minute]: Change, year: number): number {
  const first = Date.UTC(year, month - 1, 1)
  const days = (day + 7 - new Date(first).getUTCDay()) % 7
  const found = first + (days + (week - 1) * 7) * DAY_MS
  return (found >= Date.UTC(year, month, 1) ? found - 7 * DAY_MS : found) + minute * MINUTE_MS
}

function everySecond(changes: readonly Transition[], from: number): Transition[] {
  return changes.filter((_, index) => index % 2 === from)
}

/** The one rule for changes there and back. Undefined: there is none. */
function ruleOf(there: readonly Transition[], back: readonly Transition[]): RuleWithDaylight | undefined {
  const [first] = there
  if (first === undefined || back.length === 0) return undefined
  const [begins, ends] = first.after > first.before ? [there, back] : [back, there]
  const begin = changeOf(begins)
  const end = changeOf(ends)
  if (begin === undefined || end === undefined) return undefined
  const [standard, daylight] = [Math.min(first.before, first.after), Math.max(first.before, first.after)]
  return [standard, daylight, ...begin, ...end]
}

/** Offset of a zone in minutes by time; undefined when nobody knows the zone. */
function offsets(zone: string): OffsetAt | undefined {
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

function transitionsIn(from: number, to: number, offsetAt: OffsetAt): Transition[] {
  const found: Transition[] = []
  const begin = Math.floor(from / MINUTE_MS) * MINUTE_MS
  let before = offsetAt(begin)
  // Two changes within a week would cancel out: no zone has ever had such.
  for (let at = begin; at < to; at += STEP_MS) {
    const next = Math.min(at + STEP_MS, to)
    const after = offsetAt(next)
    if (after !== before) found.push({ at: bisect(at, next, offsetAt), before, after })
    before = after
  }
  return found
}

/** The first minute with the offset of `to`. */
function bisect(from: number, to: number, offsetAt: OffsetAt): number {
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
