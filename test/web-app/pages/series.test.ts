import t from 'tap'
import { extremes, spanOf } from '../../../web/app/src/pages/horse/series.ts'

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
