import type { HistoryPoints } from '@pesebre/contract/api/history'
import { LATE_INTERVALS } from '@pesebre/contract/presence'

/** What one bucket of time, or one report, says of a field. */
export type Sample = {
  /** When it begins, milliseconds since 1970. */
  at: number
  min: number
  max: number
  sum: number
  count: number
  last: number
  last_at: number
}

/** Reports of one device in a row, whatever they hold. */
export type Heard = {
  /** When the first came, or began to. */
  at: number
  /** When the last came. */
  last: number
  /** When the next one was promised, seconds after it; 0 if nothing was. */
  interval_s: number
}

export type Gap = [from: number, to: number]

/** Of devices that promise nothing. */
const INTERVAL_STANDARD_S = 3600
/** On the way from the gateway to the index a report may take so long: the end of a chart is no gap for that. */
const ON_ITS_WAY_MS = 180_000

/** Brings samples, in their order, together into buckets. `startOf` says where the bucket of a time begins. */
export function gather(samples: readonly Sample[], startOf: (at: number) => number): Sample[] {
  const buckets = new Map<number, Sample>()
  for (const sample of samples) {
    const at = startOf(sample.at)
    const bucket = buckets.get(at)
    if (bucket === undefined) {
      buckets.set(at, { ...sample, at })
      continue
    }
    bucket.min = Math.min(bucket.min, sample.min)
    bucket.max = Math.max(bucket.max, sample.max)
    bucket.sum += sample.sum
    bucket.count += sample.count
    if (sample.last_at >= bucket.last_at) {
      bucket.last = sample.last
      bucket.last_at = sample.last_at
    }
  }
  return [...buckets.values()].sort((a, b) => a.at - b.at)
}

/**
 * Where a device said nothing for longer than it had promised. A device that reports each hour has no gap between two hours, one
 * that reports each minute has. What is shorter than `shortest` is left out: a chart could not show it.
 */
export function findGaps(
  heard: readonly Heard[],
  { from, to, now, shortest }: { from: number; to: number; now: number; shortest: number },
): Gap[] {
  const gaps: Gap[] = []
  let [previous, patience] = [from, patienceMs(heard[0]?.interval_s ?? 0)]
  for (const { at, last, interval_s } of heard) {
    if (at - previous > patience) add(previous, at)
    if (last < previous) continue
    previous = last
    patience = patienceMs(interval_s)
  }
  if (heard.length === 0) add(from, to)
  else if (to - previous > patience + (to >= now ? ON_ITS_WAY_MS : 0)) add(previous, to)
  return gaps

  function add(start: number, end: number): void {
    if (end - start >= shortest) gaps.push([start, end])
  }
}

/** Turns buckets into columns, with a point of nulls after the last bucket before each gap. */
export function toPoints(buckets: readonly Sample[], gaps: readonly Gap[]): HistoryPoints {
  const points: HistoryPoints = { at: [], min: [], max: [], avg: [], last: [] }
  let next = 0
  for (const [i, { at, min, max, sum, count, last }] of buckets.entries()) {
    points.at.push(at)
    points.min.push(min)
    points.max.push(max)
    points.avg.push(rounded(sum / count))
    points.last.push(last)
    const following = buckets[i + 1]?.at ?? Number.POSITIVE_INFINITY
    while (next < gaps.length && gaps[next]![0] < at) next++
    const gap = gaps[next]
    // Behind the last point a line ends anyway; within one bucket there is no line to break.
    if (gap === undefined || gap[0] >= following || following === Number.POSITIVE_INFINITY) continue
    const start = Math.max(gap[0], at + 1)
    if (start < following) breakAt(points, start)
  }
  return points
}

function breakAt(points: HistoryPoints, at: number): void {
  points.at.push(at)
  for (const column of [points.min, points.max, points.avg, points.last]) column.push(null)
}

function patienceMs(interval_s: number): number {
  return (interval_s || INTERVAL_STANDARD_S) * LATE_INTERVALS * 1000
}

/** Nobody measures with more than nine digits; without this, 0.1 + 0.2 shows. */
function rounded(value: number): number {
  return Number(value.toPrecision(9))
}
