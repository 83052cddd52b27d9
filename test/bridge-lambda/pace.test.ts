import t from 'tap'
import { createPace } from '../../bridge-lambda/src/pace.ts'
import { createRecent } from '../../bridge-lambda/src/recent.ts'
import { backoff, RETRY_BASE_MS, RETRY_CAP_MS } from '../../bridge-lambda/src/retry.ts'

t.test('createPace: evenly spaced, never more in a second than allowed', async (t) => {
  const pace = createPace(100)
  const moments = Array.from({ length: 250 }, () => 5_000 + pace.reserve(5_000, Number.POSITIVE_INFINITY)!)
  t.equal(moments[0], 5_000)
  for (let i = 0; i + 100 < moments.length; i++) {
    if (moments[i + 100]! - moments[i]! < 999.999) t.fail(`call ${i + 100} within a second of call ${i}`)
  }
  t.ok(moments.at(-1)! <= 7_491)
})

t.test('createPace: a pause saves nothing up', async (t) => {
  const pace = createPace(10)
  pace.reserve(0, 1_000)
  t.equal(pace.reserve(60_000, 61_000), 0)
  t.equal(pace.reserve(60_000, 61_000), 100)
})

t.test('createPace: no moment before the deadline: none is taken', async (t) => {
  const pace = createPace(1)
  t.equal(pace.reserve(0, 10), 0)
  t.equal(pace.reserve(0, 1_000), undefined)
  t.equal(pace.reserve(0, 1_000), undefined)
  t.equal(pace.reserve(0, 1_001), 1_000)
})

t.test('createRecent: holds so many, and forgets what was untouched for longest', async (t) => {
  const recent = createRecent<number>(2)
  recent.set('a', 1)
  recent.set('b', 2)
  t.equal(recent.get('a'), 1)
  recent.set('c', 3)
  t.equal(recent.get('b'), undefined)
  t.equal(recent.get('a'), 1)
  t.equal(recent.get('c'), 3)
  recent.set('c', 4)
  t.equal(recent.size, 2)
  recent.delete('c')
  t.equal(recent.size, 1)
})

t.test('backoff: doubles up to its cap, drawn from zero', async (t) => {
  t.strictSame(
    [1, 2, 3].map((n) => backoff(n, 1)),
    [1, 2, 4].map((n) => n * RETRY_BASE_MS),
  )
  t.equal(backoff(50, 1), RETRY_CAP_MS)
  t.equal(backoff(50, 0), 0)
})
