import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { createRateLimit } from '../../../gateway/src/app/rate.ts'

const KEYS = 1000

t.test('createRateLimit() lets through a whole burst at once, then exactly the rate', async (t) => {
  // Of periods that are not whole milliseconds, and at times with a fraction: where rounding would take one away.
  for (const rate of [0.3, 1, 3, 7, 10, 999, 1000])
    for (const burst of [1, 2, 3, 7, 20, 2000])
      for (const start of [0, 0.1, 1234.567, 86_400_000.123, 1e10 + 0.3]) {
        const allow = createRateLimit({ rate, burst, keysMax: KEYS })
        let taken = 0
        while (taken <= burst && allow('a', start)) taken++
        const period = 1000 / rate
        const isExact =
          taken === burst &&
          !allow('a', start + period * 0.9) &&
          allow('a', start + period * 1.001) &&
          !allow('a', start + period * 1.5)
        if (!isExact) t.fail(`rate ${rate}, burst ${burst}, from ${start}: ${taken} taken`)
      }
  t.pass('every rate and burst')
})

t.test('createRateLimit() never lets more through than burst and rate allow, and nothing less', async (t) => {
  const settings = fc.record({
    rate: fc.integer({ min: 1, max: 50 }),
    burst: fc.integer({ min: 1, max: 10 }),
  })
  const gaps = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 100 })
  const property = fc.property(settings, gaps, ({ rate, burst }, pauses) => {
    const allow = createRateLimit({ rate, burst, keysMax: KEYS })
    // The same as a bucket of tokens, which is easier to see through: filled with `rate`, `burst` deep.
    let tokens = burst
    let now = 1000
    for (const pause of pauses) {
      now += pause
      tokens = Math.min(burst, tokens + (pause * rate) / 1000)
      const near = Math.abs(tokens - 1) < 0.02
      const isAllowed = allow('a', now)
      if (!near && isAllowed !== tokens >= 1) return false
      if (isAllowed) tokens -= 1
    }
    return true
  })
  t.notOk(fc.check(property).failed)
})

t.test('createRateLimit() keeps keys apart', async (t) => {
  const allow = createRateLimit({ rate: 1, burst: 1, keysMax: KEYS })
  t.ok(allow('a', 0))
  t.notOk(allow('a', 10))
  t.ok(allow('b', 10))
  t.ok(allow('__proto__', 10))
  t.notOk(allow('__proto__', 20))
})

t.test('createRateLimit() fills an allowance up to the burst and no further', async (t) => {
  const allow = createRateLimit({ rate: 10, burst: 3, keysMax: KEYS })
  t.ok(allow('a', 0))
  const later = [0, 0, 0, 0].map(() => allow('a', 3_600_000))
  t.strictSame(later, [true, true, true, false])
})

t.test('createRateLimit() does not count what it refused', async (t) => {
  const allow = createRateLimit({ rate: 10, burst: 1, keysMax: KEYS })
  t.ok(allow('a', 0))
  for (let i = 0; i < 10_000; i++) allow('a', 50)
  t.ok(allow('a', 101), 'whoever hammers is served as soon as his time comes')
})

t.test('createRateLimit() holds two generations of keys at most, whatever flood comes', async (t) => {
  const allow = createRateLimit({ rate: 1, burst: 1, keysMax: 10_000 })
  const before = heap()
  for (let i = 0; i < 1_000_000; i++) if (!allow(`key-${i}`, 1)) t.fail('a new key has its burst')
  t.ok(heap() - before < 8_000_000, 'a million keys leave less than 8 MB')
})

t.test(
  'createRateLimit() still knows a key that a flood of as many as it holds has not pushed out',
  async (t) => {
    const allow = createRateLimit({ rate: 1, burst: 1, keysMax: 100 })
    t.ok(allow('a', 1))
    for (let i = 0; i < 100; i++) allow(`key-${i}`, 1)
    t.notOk(allow('a', 2), 'one generation on: remembered')
    for (let i = 100; i < 300; i++) allow(`key-${i}`, 1)
    t.ok(allow('a', 3), 'pushed out: starts anew, and nobody is locked out')
  },
)

function heap(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  return process.memoryUsage().heapUsed
}
