import t from 'tap'
import {
  findGaps,
  gather,
  type Heard,
  type Sample,
  toPoints,
} from '../../../../web/server/src/history/points.ts'

const MINUTE = 60_000
const NOW = 1000 * MINUTE

function sample(at: number, value: number): Sample {
  return { at, min: value, max: value, sum: value, count: 1, last: value, last_at: at }
}

/** Reports at these minutes. */
function heard(minutes: number[], interval_s = 300): Heard[] {
  return minutes.map((minute) => ({ at: minute * MINUTE, last: minute * MINUTE, interval_s }))
}

function gaps(of: Heard[], [from, to]: [number, number], shortest = MINUTE): number[][] {
  const found = findGaps(of, { from: from * MINUTE, to: to * MINUTE, now: NOW, shortest })
  return found.map((gap) => gap.map((at) => at / MINUTE))
}

t.test('gather() brings reports together in buckets, whatever their order', async (t) => {
  const buckets = gather([sample(70, 5), sample(0, 1), sample(30, 3), sample(20, 8)], (at) => at - (at % 60))
  t.same(buckets, [
    { at: 0, min: 1, max: 8, sum: 12, count: 3, last: 3, last_at: 30 },
    { at: 60, min: 5, max: 5, sum: 5, count: 1, last: 5, last_at: 70 },
  ])
})

t.test('findGaps(): a device is missed after two and a half of its own intervals', async (t) => {
  t.same(gaps(heard([0, 5, 10, 15, 20]), [0, 21]), [])
  t.same(gaps(heard([0, 12]), [0, 13]), [], 'two intervals and a half are 12.5 minutes')
  t.same(gaps(heard([0, 13]), [0, 14]), [[0, 13]])
  t.same(gaps(heard([0, 60, 120], 3600), [0, 121]), [])
  t.same(gaps(heard([0, 13], 0), [0, 14]), [], 'one that promises nothing has an hour')
})

t.test('findGaps() at the ends', async (t) => {
  t.same(gaps(heard([20, 25]), [0, 26]), [[0, 20]])
  t.same(gaps(heard([0, 5]), [0, 60]), [[5, 60]])
  t.same(gaps([], [0, 60]), [[0, 60]])
  t.same(gaps(heard([985]), [985, 1000]), [], 'what is on its way to the index is no gap')
  t.same(gaps(heard([984]), [984, 1000]), [[984, 1000]])
})

t.test('findGaps() leaves out what a chart cannot show, and takes two devices as one', async (t) => {
  t.same(gaps(heard([0, 30, 35]), [0, 40], 60 * MINUTE), [])
  const feeder = heard([0, 30])
  const scale = heard([5, 10, 15, 20, 25])
  t.same(
    gaps(
      [...feeder, ...scale].sort((a, b) => a.at - b.at),
      [0, 31],
    ),
    [],
  )
})

t.test('toPoints() breaks the line where a gap begins', async (t) => {
  const buckets = [sample(0, 1), sample(60, 2), sample(300, 3)]
  const points = toPoints(buckets, [[90, 300]])
  t.same(points.at, [0, 60, 90, 300])
  t.same(points.avg, [1, 2, null, 3])
  t.same(points.min, [1, 2, null, 3])
  t.same(toPoints(buckets, [[60, 300]]).at, [0, 60, 61, 300], 'times rise')
  t.same(toPoints(buckets, [[400, 900]]).at, [0, 60, 300])
  t.same(toPoints(buckets, []).avg, [1, 2, 3], 'no gap, no break')
  t.same(toPoints([], [[0, 60]]).at, [])
})

t.test('toPoints() shows no dust of floating point', async (t) => {
  const bucket = { at: 0, min: 0.1, max: 0.2, sum: 0.1 + 0.2, count: 1, last: 0.2, last_at: 0 }
  t.same(toPoints([bucket], []).avg, [0.3])
})
