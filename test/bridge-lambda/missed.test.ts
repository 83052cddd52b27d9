import fc from 'fast-check'
import t from 'tap'
import {
  firstSeen,
  lostIn,
  type Missed,
  missedOf,
  see,
  seeAll,
  windowOf,
} from '../../bridge-lambda/src/missed.ts'

const seen = ([first, ...rest]: readonly number[]): Missed => rest.reduce(see, firstSeen(first!))

/** The model: what is missing between the numbers, in their order; 65 or more in a row are a new start. */
function lostAmong(numbers: readonly number[]): number {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b)
  return sorted
    .slice(1)
    .map((number, i) => number - sorted[i]! - 1)
    .filter((gap) => gap < 65)
    .reduce((sum, gap) => sum + gap, 0)
}

t.test('lostIn: gaps count, a late number mends, a repeated one does nothing', async (t) => {
  t.equal(lostIn(seen([10])), 0)
  t.equal(lostIn(seen([10, 11, 12])), 0)
  t.equal(lostIn(seen([10, 14])), 3)
  t.equal(lostIn(seen([10, 14, 12])), 2)
  t.equal(lostIn(seen([14, 10])), 3, 'the first that came need not be the first that was sent')
  t.equal(lostIn(seen([10, 75])), 64)
  t.equal(lostIn(seen([10, 76])), 0, 'a new start')
  t.equal(lostIn(seen([10, 12, 1_000, 1_002])), 2)
  const twelve = seen([10, 12])
  t.equal(see(twelve, 12), twelve)
  t.equal(see(twelve, 10), twelve)
  t.equal(see(seen([10, 100]), 30).lost, 0, 'too late to tell: nothing changes')
})

t.test(
  'lostIn: the same in any order that is not later than the window, from any shadow in between',
  async (t) => {
    const gap = fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: 1, max: 4 }) },
      { weight: 2, arbitrary: fc.integer({ min: 50, max: 80 }) },
      { weight: 1, arbitrary: fc.integer({ min: 80, max: 2 ** 39 }) },
    )
    fc.assert(
      fc.property(
        fc.array(gap, { minLength: 1, maxLength: 120 }),
        fc.infiniteStream(fc.nat({ max: 1_000_000 })),
        (gaps, tape) => {
          const draw = (below: number) => tape.next().value! % below
          let seq = 0
          const numbers = gaps.map((gap) => {
            seq += gap
            return seq
          })
          const pending = [...numbers]
          let missed: Missed | undefined
          while (pending.length > 0) {
            const near = pending.filter((number) => number - pending[0]! < 64).length
            const index = draw(near)
            const [number] = pending.splice(index, 1) as [number]
            missed = missed === undefined ? firstSeen(number) : see(missed, number)
            if (draw(3) === 0) missed = see(missed, number)
            if (draw(3) === 0) missed = missedOf(JSON.parse(JSON.stringify(windowOf(missed))))!
          }
          return lostIn(missed!) === lostAmong(numbers)
        },
      ),
      { numRuns: Number(process.env['PESEBRE_TEST_RUNS'] ?? 500) },
    )
    t.pass('every generated order')
  },
)

t.test('seeAll: what two memories know together', async (t) => {
  t.same(seeAll(seen([1, 3, 5]), seen([1, 2, 4])), seen([1, 2, 3, 4, 5]))
  t.same(seeAll(seen([1, 2]), seen([1, 2, 500])), seen([1, 2, 500]))
})

t.test('missedOf: anything else than a window is none', async (t) => {
  const window = windowOf(seen([1, 3]))
  t.same(missedOf(window), seen([1, 3]))
  for (const spoilt of [
    undefined,
    null,
    'x',
    [],
    {},
    { ...window, seen: 'xyz' },
    { ...window, upto: -1 },
    { ...window, gap: '1' },
  ])
    t.equal(missedOf(spoilt), undefined)
})
