import t from 'tap'
import { describe, ratios, reached, spread } from '../../bench/figures.ts'

t.test('spread: smallest, middle and largest, whatever the order', async (t) => {
  t.same(spread([30, 10, 20]), { min: 10, median: 20, max: 30 })
  t.same(
    spread([4, 1, 3, 2]),
    { min: 1, median: 2, max: 4 },
    'of an even count the lower of the two in the middle',
  )
  t.ok(Number.isNaN(spread([]).median), 'nothing measured is not a number')
})

t.test('ratios: pairs of the same round', async (t) => {
  t.same(ratios([10, 20, 30], [5, 40]), [2, 0.5], 'a round without its partner is left out')
})

t.test('reached: compares the median', async (t) => {
  const goal = { what: 'rate', values: [1, 2, 9], target: 2 }
  t.ok(reached({ ...goal, at: 'least' }))
  t.ok(reached({ ...goal, at: 'most' }))
  t.notOk(reached({ ...goal, at: 'least', target: 2.1 }))
  t.notOk(reached({ ...goal, at: 'least', values: [] }), 'what was not measured was not reached')
})

t.test('describe: says of each goal whether it was reached', async (t) => {
  const text = describe({
    name: 'x',
    title: 'A title',
    how: 'So.',
    rows: [{ what: 'rate', unit: '/s', values: [1500, 1000, 2000] }],
    goals: [{ what: 'a / b', values: [0.5], at: 'least', target: 0.8 }],
    notes: [],
  })
  t.match(text, /\| rate \| 1,000 \|\s+1,500 \| 2,000 \|/)
  t.match(text, 'at least 0.80 | **not reached** |')
})
