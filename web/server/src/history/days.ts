import { HOUR_MS } from '@pesebre/contract/archive'
import { DAY_MINUTES, instantOf, offsetAt, transitionsBetween } from '@pesebre/contract/wall-clock'

const MINUTE_MS = 60_000
const DAY_MS = DAY_MINUTES * MINUTE_MS
/** Offsets that are remembered over all zones: thirty years of one. Asking Intl for a year of them takes longer than the database does. */
const OFFSETS_MAX = 10_000

/** A time in which the wall clock of a zone is as far from UTC. */
export type Part = { from: number; to: number; offsetMs: number }

export type LocalDays = {
  parts: Part[]
  /** Where the local day begins that a time is in. */
  startOf(at: number): number
}

const offsets = new Map<string, number>()

/** The days of a zone between two times, both of them milliseconds since 1970. */
export function localDays(zone: string, { from, to }: { from: number; to: number }): LocalDays {
  const parts: Part[] = []
  const firstDay = Math.floor(from / DAY_MS)
  let part: Part = { from, to, offsetMs: offsetOf(zone, firstDay) }
  // The first day may change its clock before `from`.
  if (offsetOf(zone, firstDay + 1) !== part.offsetMs) part.offsetMs = offsetAt(zone, from) * MINUTE_MS
  for (let day = firstDay; day * DAY_MS < to; day++) {
    if (offsetOf(zone, day + 1) === part.offsetMs) continue
    for (const { at, after } of transitionsBetween(zone, Math.max(day * DAY_MS, from), (day + 1) * DAY_MS)) {
      // An hour in which the clock changes belongs to what was before.
      const start = Math.ceil(at / HOUR_MS) * HOUR_MS
      if (start >= to) continue
      parts.push({ ...part, to: start })
      part = { from: start, to, offsetMs: after * MINUTE_MS }
    }
  }
  parts.push(part)
  const starts = new Map<number, number>()

  function startOf(at: number): number {
    const { offsetMs } = parts.findLast((one) => one.from <= at) ?? part
    const day = Math.floor((at + offsetMs) / DAY_MS)
    let start = starts.get(day)
    if (start === undefined) {
      start = day * DAY_MS - offsetMs
      const isPlain = offsetOf(zone, day - 1) === offsetMs && offsetOf(zone, day + 2) === offsetMs
      if (!isPlain) start = instantOf(zone, day * DAY_MINUTES)
      starts.set(day, start)
    }
    return start
  }

  return { parts, startOf }
}

/** Milliseconds from UTC to the wall when a day begins in UTC. */
function offsetOf(zone: string, day: number): number {
  const key = `${zone} ${day}`
  const known = offsets.get(key)
  if (known !== undefined) return known
  if (offsets.size >= OFFSETS_MAX) offsets.clear()
  const offset = offsetAt(zone, day * DAY_MS) * MINUTE_MS
  offsets.set(key, offset)
  return offset
}
