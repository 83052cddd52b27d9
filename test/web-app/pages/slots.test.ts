import fc from 'fast-check'
import t from 'tap'
import {
  areSame,
  draft,
  EVERY_DAY,
  faultsOf,
  mostInADay,
  slotsOf,
  spread,
  WEEKEND,
  WORKDAYS,
} from '../../../web/app/src/pages/horse/slots.ts'

t.test('spread() gives exactly the grams that were asked for, in order, within its times', async (t) => {
  const plan = fc.record({
    count: fc.integer({ min: 1, max: 48 }),
    first: fc.integer({ min: 0, max: 700 }),
    more: fc.integer({ min: 48, max: 739 }),
    total: fc.integer({ min: 48, max: 20_000 }),
  })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(plan, ({ count, first, more, total }) => {
        const slots = spread({ count, first, last: first + more, total })
        const minutes = slots.map(({ minute }) => minute)
        return (
          slots.length === count &&
          slots.reduce((sum, { grams }) => sum + grams, 0) === total &&
          new Set(minutes).size === count &&
          minutes.every((minute) => minute >= first && minute <= first + more) &&
          faultsOf(slots.map(draft), 48).length === 0
        )
      }),
      { seed: 7 },
    ),
  )
})

t.test('faultsOf() finds what the feeder could not tell apart', async (t) => {
  const meal = { minute: 420, grams: 500, days: EVERY_DAY }
  t.same(faultsOf([draft(meal), draft({ ...meal, minute: 421 })], 48), [])
  t.match(faultsOf([draft(meal), draft({ ...meal, days: WEEKEND })], 48), [{ kind: 'twice', minute: 420 }])
  t.same(
    faultsOf([draft({ ...meal, days: WORKDAYS }), draft({ ...meal, days: WEEKEND })], 48),
    [],
    'other days',
  )
  t.match(faultsOf([draft({ ...meal, grams: 0 })], 48), [{ kind: 'grams' }])
  t.match(faultsOf([draft({ ...meal, days: 0 })], 48), [{ kind: 'days' }])
  const many = Array.from({ length: 49 }, (_, minute) => draft({ ...meal, minute }))
  t.match(faultsOf(many, 48), [{ kind: 'many' }])
})

t.test('mostInADay() is of the fullest day', async (t) => {
  t.equal(mostInADay([]), 0)
  t.equal(
    mostInADay([
      { minute: 1, grams: 100, days: WORKDAYS },
      { minute: 2, grams: 30, days: WEEKEND },
      { minute: 3, grams: 5, days: EVERY_DAY },
    ]),
    105,
  )
})

t.test('areSame() does not mind the order, nor the keys of the editor', async (t) => {
  const slots = [
    { minute: 720, grams: 1, days: 1 },
    { minute: 60, grams: 2, days: 2 },
  ]
  t.ok(areSame(slotsOf(slots.map(draft)), slots))
  t.notOk(areSame(slots, [{ ...slots[0]!, grams: 2 }, slots[1]!]))
})
