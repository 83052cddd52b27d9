/** What can be charted, over what times. Pure. */
import type { HistoryPoints } from '@pesebre/contract/api/history'

/** Measured fields as people read them: the value times `scale`, with so many digits. */
export const FIELDS = {
  hopper_pct: { unit: '%', digits: 0, scale: 1, floor: 0, ceiling: 100 },
  battery_mv: { unit: 'V', digits: 2, scale: 0.001, floor: undefined, ceiling: undefined },
  fed_g_today: { unit: 'g', digits: 0, scale: 1, floor: 0, ceiling: undefined },
  temp_c: { unit: '°C', digits: 1, scale: 1, floor: undefined, ceiling: undefined },
  rssi_dbm: { unit: 'dBm', digits: 0, scale: 1, floor: undefined, ceiling: undefined },
} as const
export type FieldName = keyof typeof FIELDS

const DAY_MS = 86_400_000
/** Milliseconds back from now. */
export const SPANS = { day: DAY_MS, week: 7 * DAY_MS, month: 31 * DAY_MS, year: 366 * DAY_MS } as const
export type SpanName = keyof typeof SPANS

/** The time that is asked for, to the minute: the same within a minute, so that what was read is used again. */
export function spanOf(name: SpanName, now: number): { from: number; to: number } {
  const to = Math.ceil(now / 60_000) * 60_000
  return { from: to - SPANS[name], to }
}

/** A chart of less would have the same minute all along its axis. */
const LEAST_MS = 30 * 60_000

/**
 * The part of a history that there is something to see of: what lies before the first report of all is no gap, the device was
 * not there yet. A little of it stays, so that the line does not begin at the edge.
 */
export function seen({ from, to, gaps }: { from: number; to: number; gaps: readonly [number, number][] }): {
  from: number
  to: number
  gaps: [number, number][]
} {
  const [first, ...rest] = gaps
  if (first === undefined || first[0] > from || first[1] >= to) return { from, to, gaps: [...gaps] }
  const shown = to - first[1]
  const before = Math.max(shown * 0.04, LEAST_MS - shown)
  return { from: Math.max(from, Math.round(first[1] - before)), to, gaps: rest }
}

/** Where values stand alone, without a neighbour that a line could be drawn to. */
export function lonely(values: ArrayLike<number | null | undefined>): number[] {
  const isThere = (index: number) => values[index] !== null && values[index] !== undefined
  return Array.from({ length: values.length }, (_, index) => index).filter(
    (index) => isThere(index) && !isThere(index - 1) && !isThere(index + 1),
  )
}

/** The lowest, the highest and the last value; undefined when there is none at all. */
export function extremes(
  points: Pick<HistoryPoints, 'min' | 'max' | 'last'>,
): { low: number; high: number; last: number } | undefined {
  const isNumber = (value: number | null): value is number => value !== null
  const lows = points.min.filter(isNumber)
  const highs = points.max.filter(isNumber)
  const last = points.last.findLast(isNumber)
  if (lows.length === 0 || highs.length === 0 || last === undefined) return undefined
  return { low: Math.min(...lows), high: Math.max(...highs), last }
}
