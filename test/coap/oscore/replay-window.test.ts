import { ReplayWindow } from '@pesebre/coap/oscore/replay-window'
import fc from 'fast-check'
import t from 'tap'
import { bytes, hex } from './harness.ts'

/** Commits numbers one after the other, and tells which were fresh. */
function fresh(window: ReplayWindow, ...numbers: readonly number[]): boolean[] {
  return numbers.map((number) => window.commit(number) === 'fresh')
}

t.test('ReplayWindow takes each number once, whatever the order', (t) => {
  const window = new ReplayWindow()
  t.same(fresh(window, 5, 3, 5, 4, 3, 4), [true, true, false, true, false, false])
  t.same(fresh(window, 0, 0), [true, false])
  t.equal(window.highest, 5)
  t.end()
})

t.test('ReplayWindow loses nothing that is late and takes nothing twice: every fourth is late', (t) => {
  const window = new ReplayWindow()
  const order = Array.from({ length: 40 }, (_, n) => n).flatMap((n) =>
    n % 4 === 1 ? [] : n % 4 === 3 ? [n, n - 2] : [n],
  )
  t.ok(fresh(window, ...order).every(Boolean), 'each is fresh')
  t.notOk(fresh(window, ...order).some(Boolean), 'and then a replay')
  t.end()
})

t.test('ReplayWindow is exactly as wide as it says', (t) => {
  for (const width of [64, 96, 128, 4096]) {
    const window = new ReplayWindow(width)
    t.same(fresh(window, 10_000, 10_000 - width + 1, 10_000 - width), [true, true, false], `${width}`)
    t.same(fresh(window, 10_000 + width - 1), [true])
    t.same(fresh(window, 10_000, 10_001), [false, true], `${width}: the edges are still right after sliding`)
  }
  t.end()
})

t.test('ReplayWindow slides by whole words, by bits and by both', (t) => {
  for (const by of [1, 31, 32, 33, 63, 64, 65, 95]) {
    const window = new ReplayWindow(160)
    const seen = [1_000, 999, 969, 968, 967, 937, 936, 935, 905]
    fresh(window, ...seen, 1_000 + by)
    const numbers = Array.from({ length: 160 }, (_, distance) => 1_000 + by - distance)
    const expected = numbers.filter((number) => !seen.includes(number) && number !== 1_000 + by)
    t.same(
      numbers.filter((number) => window.check(number)),
      expected,
      `by ${by}`,
    )
  }
  t.end()
})

t.test('check() moves nothing', (t) => {
  const window = new ReplayWindow()
  window.commit(7)
  const before = hex(window.toBytes())
  for (const number of [0, 7, 8, 1_000_000, 2 ** 40 - 1]) window.check(number)
  t.equal(hex(window.toBytes()), before)
  t.same(
    [6, 7, 8].map((number) => window.check(number)),
    [true, false, true],
  )
  t.end()
})

t.test('commit() checks once more: of two requests verified at the same time, one is fresh', (t) => {
  const window = new ReplayWindow()
  t.ok(window.check(9) && window.check(9))
  t.same(fresh(window, 9, 9), [true, false])
  t.end()
})

t.test('ReplayWindow comes to the end of the numbers', (t) => {
  const window = new ReplayWindow()
  t.same(fresh(window, 2 ** 32 + 5, 2 ** 32 - 1, 2 ** 32 + 5), [true, true, false])
  t.same(fresh(window, 2 ** 40 - 1, 2 ** 40 - 1, 2 ** 40 - 64, 2 ** 40 - 65), [true, false, true, false])
  t.notOk(window.check(2 ** 40))
  t.equal(ReplayWindow.fromBytes(window.toBytes())?.highest, 2 ** 40 - 1)
  t.end()
})

t.test('ReplayWindow.after() counts everything below as seen', (t) => {
  const window = ReplayWindow.after(1_000)
  t.same(fresh(window, 1_000, 999, 0, 1_001, 1_001), [false, false, false, true, false])
  t.end()
})

t.test('toBytes() and fromBytes() keep what was seen', (t) => {
  const window = new ReplayWindow()
  fresh(window, 100, 98, 70)
  t.equal(hex(window.toBytes()), '000000000065' + '0500004000000000')
  const again = ReplayWindow.fromBytes(window.toBytes())
  t.same(again && fresh(again, 100, 99, 98, 97, 70, 36), [false, true, false, true, false, false])
  t.end()
})

t.test('fromBytes() refuses what toBytes() cannot have written', (t) => {
  const damaged: readonly [name: string, data: string][] = [
    ['nothing', ''],
    ['an edge without bits', '000000000001'],
    ['bits for 32 numbers', '00000000000101000000'],
    ['half a word of bits', '0000000000010100000000000000ffff'],
    ['an edge above 2^40', '0100000000010100000000000000'],
    ['a highest number that was not received', '0000000000050200000000000000'],
    ['numbers received below an edge of none', '0000000000000100000000000000'],
  ]
  for (const [name, data] of damaged) t.equal(ReplayWindow.fromBytes(bytes(data)), undefined, name)
  t.ok(ReplayWindow.fromBytes(bytes('0000000000010100000000000000')), 'the least window with a number in it')
  t.ok(ReplayWindow.fromBytes(new Uint8Array(14)), 'an empty window')
  t.end()
})

t.test('ReplayWindow refuses widths that it cannot have', (t) => {
  for (const width of [0, 32, 63, 65, 100, 4128, 64.5, Number.NaN])
    t.throws(() => new ReplayWindow(width), RangeError, `${width}`)
  t.end()
})

t.test('ReplayWindow does what a set of numbers and an edge would do, also when stored in between', (t) => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: -80, max: 40 }).map((by) => ({ by })) },
    { weight: 1, arbitrary: fc.integer({ min: 40, max: 5_000 }).map((by) => ({ by })) },
    { weight: 1, arbitrary: fc.constant('store' as const) },
  )
  fc.assert(
    fc.property(fc.constantFrom(64, 96, 160), fc.array(step, { maxLength: 200 }), (width, steps) => {
      let window = new ReplayWindow(width)
      const seen = new Set<number>()
      let highest = -1
      for (const next of steps) {
        if (next === 'store') {
          window = ReplayWindow.fromBytes(window.toBytes())!
          continue
        }
        const number = Math.max(0, highest + next.by)
        const expected = !seen.has(number) && number > highest - width
        if (window.check(number) !== expected) return false
        if ((window.commit(number) === 'fresh') !== expected) return false
        if (expected) seen.add(number)
        highest = Math.max(highest, number)
      }
      return window.highest === highest
    }),
    { numRuns: 500, seed: 8613 },
  )
  t.pass('for all that was generated')
  t.end()
})
