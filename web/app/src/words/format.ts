/** Numbers, times and sentences made of them, in a language. Pure: language, zone and present time are arguments. */
import type { Language } from '@pesebre/contract/api/values'
import type { Words } from './en.ts'

const LOCALES: Record<Language, string> = { es: 'es-ES', en: 'en-GB' }
const formats = new Map<string, Intl.DateTimeFormat>()

function dates(language: Language, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = language + JSON.stringify(options)
  const format = formats.get(key) ?? new Intl.DateTimeFormat(LOCALES[language], options)
  formats.set(key, format)
  return format
}

/** `07:30`, or `07:30:05`. @param at milliseconds since 1970; zone IANA, the browser's if absent */
export function clock(
  language: Language,
  at: number,
  { zone, seconds = false }: { zone?: string; seconds?: boolean } = {},
): string {
  return dates(language, {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(seconds && { second: '2-digit' }),
    ...(zone !== undefined && { timeZone: zone }),
  }).format(at)
}

/** `07:30` today, with the day otherwise: `Fri 20 Nov, 07:30`. */
export function when(language: Language, at: number, { zone, now }: { zone?: string; now: number }): string {
  const inZone = zone === undefined ? {} : { timeZone: zone }
  const day = dates(language, { weekday: 'short', day: 'numeric', month: 'short', ...inZone })
  const year = dates(language, { year: 'numeric', ...inZone })
  const time = clock(language, at, zone === undefined ? {} : { zone })
  if (day.format(at) === day.format(now) && Math.abs(now - at) < 2 * DAY_MS) return time
  if (year.format(at) === year.format(now)) return `${day.format(at)}, ${time}`
  return `${dates(language, { dateStyle: 'medium', ...inZone }).format(at)}, ${time}`
}

/** A whole date: `Friday, 20 November 2026`. @param date `YYYY-MM-DD` */
export function longDate(language: Language, date: string): string {
  return dates(language, { weekday: 'long', day: 'numeric', month: 'long', timeZone: 'UTC' }).format(
    Date.parse(`${date}T12:00:00Z`),
  )
}

/** `20 Nov 2026`. */
export function mediumDate(language: Language, at: number, zone?: string): string {
  return dates(language, { dateStyle: 'medium', ...(zone !== undefined && { timeZone: zone }) }).format(at)
}

/** The date that it is in a zone at an instant, `YYYY-MM-DD`. */
export function dateIn(zone: string, at: number): string {
  const parts = dates('en', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(at)
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? ''
  return `${part('year')}-${part('month')}-${part('day')}`
}

/** The date so many days later. */
export function daysLater(date: string, days: number): string {
  return new Date(Date.parse(`${date}T12:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
}

/** Minute of the day as `HH:MM`, as `<input type=time>` takes it. */
export function hhmm(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
}

/** Minute of the day of `HH:MM`; undefined when it is none. */
export function minuteOf(text: string): number | undefined {
  const match = /^([01]\d|2[0-3]):([0-5]\d)/.exec(text)
  return match === null ? undefined : Number(match[1]) * 60 + Number(match[2])
}

/** `1,500 g`. Grams stay grams: nobody shall have to convert. */
export function grams(language: Language, amount: number): string {
  // The unit never stands alone on the next line.
  return `${number(language, amount)}\u00a0g`
}

export function number(language: Language, value: number, digits = 0): string {
  // Spanish does not group four digits by default, which makes 1500 and 500 look alike.
  return new Intl.NumberFormat(LOCALES[language], {
    maximumFractionDigits: digits,
    minimumFractionDigits: digits,
    useGrouping: 'always',
  } as unknown as Intl.NumberFormatOptions).format(value)
}

export function percent(language: Language, value: number): string {
  return new Intl.NumberFormat(LOCALES[language], { style: 'percent', maximumFractionDigits: 1 }).format(
    value / 100,
  )
}

const SECOND_MS = 1000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** `12 s`, `5 min`, `3 h`, `2 days`. */
export function span({ unit }: Words, ms: number): string {
  if (ms < MINUTE_MS) return `${Math.max(0, Math.round(ms / SECOND_MS))} ${unit.s}`
  if (ms < 2 * HOUR_MS) return `${Math.round(ms / MINUTE_MS)} ${unit.min}`
  if (ms < 2 * DAY_MS) return `${Math.round(ms / HOUR_MS)} ${unit.h}`
  return `${Math.round(ms / DAY_MS)} ${unit.d}`
}

/** `5 minutes ago`. @param at, now milliseconds since 1970 */
export function ago(
  language: Language,
  { justNow }: Words,
  { at, now }: { at: number; now: number },
): string {
  const age = Math.max(0, now - at)
  if (age < 5 * SECOND_MS) return justNow
  const relative = new Intl.RelativeTimeFormat(LOCALES[language], { style: 'short' })
  if (age < MINUTE_MS) return relative.format(-Math.round(age / (5 * SECOND_MS)) * 5, 'second')
  if (age < 2 * HOUR_MS) return relative.format(-Math.round(age / MINUTE_MS), 'minute')
  if (age < 2 * DAY_MS) return relative.format(-Math.round(age / HOUR_MS), 'hour')
  return relative.format(-Math.round(age / DAY_MS), 'day')
}

/** Short names of the days of the week, Monday first. */
export function weekdays(language: Language, length: 'short' | 'long' | 'narrow' = 'short'): string[] {
  const format = dates(language, { weekday: length, timeZone: 'UTC' })
  // 5 January 1970 was a Monday.
  return Array.from({ length: 7 }, (_, day) => format.format((4 + day) * DAY_MS))
}
