import t from 'tap'
import { createOverload } from '../../gateway/src/overload.ts'

/** Told every quarter of a second for `seconds`: what waits at the end of each, and how much drains in it. */
function run(
  overload: ReturnType<typeof createOverload>,
  at: { now: number; sent: number },
  seconds: number,
  o: { backlog: number; perSecond: number },
): void {
  for (let i = 0; i < seconds * 4; i++) {
    at.now += 250
    at.sent += o.perSecond / 4
    overload.sample(o.backlog, at.sent, at.now)
  }
}

/** The wait without the spread, by which devices differ. */
function middle(overload: ReturnType<typeof createOverload>): number {
  const waits = Array.from({ length: 400 }, (_, i) => overload.retryAfter(`device-${i}`))
  return (Math.min(...waits) + Math.max(...waits)) / 2
}

t.test('retryAfter() is the shortest wait while nothing is known or nothing waits', async (t) => {
  const overload = createOverload()
  t.equal(middle(overload), 2)
  const at = { now: 0, sent: 0 }
  run(overload, at, 1, { backlog: 0, perSecond: 0 })
  t.equal(middle(overload), 2)
})

t.test('retryAfter() does not take a quiet hour for a slow queue', async (t) => {
  const overload = createOverload()
  const at = { now: 0, sent: 0 }
  run(overload, at, 20, { backlog: 0, perSecond: 0 })
  at.now += 250
  overload.sample(5000, at.sent, at.now)
  t.equal(middle(overload), 2, 'a first burst after it')
})

t.test('retryAfter() is the time in which what waits drains, as it has been draining', async (t) => {
  for (const seconds of [5, 20, 100, 290]) {
    const overload = createOverload()
    run(overload, { now: 1000, sent: 777 }, 30, { backlog: seconds * 40_000, perSecond: 40_000 })
    const wait = middle(overload)
    t.ok(Math.abs(wait - seconds) <= 1 + seconds * 0.02, `${wait} for ${seconds}`)
  }
})

t.test('retryAfter() keeps within its limits', async (t) => {
  const stuck = createOverload()
  run(stuck, { now: 0, sent: 0 }, 10, { backlog: 1e9, perSecond: 0 })
  t.ok(Math.abs(middle(stuck) - 300) <= 3, 'a queue that does not drain')
  const slow = createOverload()
  run(slow, { now: 0, sent: 0 }, 30, { backlog: 1e9, perSecond: 10 })
  t.ok(Math.abs(middle(slow) - 300) <= 3, 'one that would take months')
  const fast = createOverload()
  run(fast, { now: 0, sent: 0 }, 30, { backlog: 100, perSecond: 1e6 })
  t.equal(middle(fast), 2, 'one that is done at once')
})

t.test('retryAfter() follows when the queue comes back', async (t) => {
  const overload = createOverload()
  const at = { now: 0, sent: 0 }
  run(overload, at, 60, { backlog: 1_000_000, perSecond: 0 })
  t.ok(middle(overload) > 250)
  run(overload, at, 10, { backlog: 1_000_000, perSecond: 100_000 })
  t.ok(middle(overload) < 20, `${middle(overload)} s for what drains in 10`)
})

t.test('retryAfter() spreads devices over a quarter up and down, each always the same', async (t) => {
  const overload = createOverload()
  run(overload, { now: 0, sent: 0 }, 30, { backlog: 4_000_000, perSecond: 40_000 })
  const waits = Array.from({ length: 10_000 }, (_, i) => overload.retryAfter(`feeder-${i}`))
  t.ok(Math.min(...waits) >= 74 && Math.max(...waits) <= 127)
  const quarters = [0, 0, 0, 0]
  for (const wait of waits) quarters[Math.min(3, Math.floor(((wait - 75) / 50) * 4))]!++
  t.ok(
    quarters.every((count) => count > 2000 && count < 3000),
    `even: ${quarters}`,
  )
  t.equal(overload.retryAfter('feeder-1'), waits[1])
  t.ok(Number.isInteger(overload.retryAfter('')))
})
