import t from 'tap'
import { delayOf, merge } from '../../../web/app/src/data/watch.ts'

t.test('merge() makes one wish of those of all pages', async (t) => {
  t.same(merge([]), {})
  t.same(merge([{ stables: ['b', 'a'], things: ['x'] }, { stables: ['a'], fleet: true }, { hops: true }]), {
    stables: ['a', 'b'],
    things: ['x'],
    fleet: true,
    hops: true,
  })
  t.same(merge([{ stables: [], fleet: false }]), {}, 'nothing that is not wanted is named')
})

t.test('delayOf() doubles, is spread, and ends at half a minute', async (t) => {
  t.equal(delayOf(0, 1), 500)
  t.equal(delayOf(0, 0), 250)
  t.equal(delayOf(3, 1), 4000)
  for (const attempt of [6, 20, 1000]) t.equal(delayOf(attempt, 1), 30_000)
})
