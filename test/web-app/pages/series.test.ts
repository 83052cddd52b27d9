import t from 'tap'
import { extremes, lonely, seen, spanOf } from '../../../web/app/src/pages/horse/series.ts'

t.test('extremes() leaves gaps out, and says nothing where nothing is', async (t) => {
  t.same(extremes({ min: [3, null, 1], max: [4, null, 9], last: [4, null, 2] }), { low: 1, high: 9, last: 2 })
  t.same(extremes({ min: [3, null], max: [4, null], last: [4, null] }), { low: 3, high: 4, last: 4 })
  t.equal(extremes({ min: [null], max: [null], last: [null] }), undefined)
})

t.test('spanOf() asks for the same within a minute, so that what was read is used again', async (t) => {
  t.same(spanOf('week', 1_000_000_020_000), spanOf('week', 1_000_000_000_001))
  const { from, to } = spanOf('day', 1_000_000_000_000)
  t.equal(to - from, 86_400_000)
  t.ok(to >= 1_000_000_000_000)
})

t.test('seen() begins where the device began, and keeps every other gap', async (t) => {
  const whole = { from: 0, to: 1000, gaps: [[300, 400]] as [number, number][] }
  t.same(seen(whole), whole, 'a gap in the middle stays')
  const minute = 60_000
  const hours = seen({
    from: 0,
    to: 1000 * minute,
    gaps: [
      [0, 900 * minute],
      [950 * minute, 960 * minute],
    ],
  })
  t.same(hours.gaps, [[950 * minute, 960 * minute]])
  t.equal(hours.from, 896 * minute, 'a little is left before the first report')
  const young = seen({ from: 0, to: 1000 * minute, gaps: [[0, 999 * minute]] })
  t.equal(young.from, 970 * minute, 'no axis of a single minute')
  const silent = { from: 0, to: 1000, gaps: [[0, 1000]] as [number, number][] }
  t.same(seen(silent), silent, 'nothing at all is a gap')
})

t.test('lonely() finds what a line cannot show', async (t) => {
  t.same(lonely([1, null, 2, 3, null, 4]), [0, 5])
  t.same(lonely([7]), [0])
  t.same(lonely([1, 2, 3]), [])
  t.same(lonely([]), [])
})
