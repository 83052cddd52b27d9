import type { Report } from '@pesebre/contract/report'
import t from 'tap'
import { fold, type Held, heldBy, isNews, reportedOf } from '../../bridge-lambda/src/fold.ts'

const none: Held = heldBy({})

function taken(seq: number, state?: Record<string, unknown>, more: Partial<Report> = {}) {
  const report: Report = {
    thing: 'bella',
    type: 'feeder',
    seq,
    at: seq * 10,
    received: seq * 10,
    ...(state && { state }),
    ...more,
  }
  return { report, gateway: 'a' }
}

const shown = (held: Held) => JSON.parse(JSON.stringify(reportedOf(held)))

t.test('fold: a first report', async (t) => {
  const held = fold(none, [taken(1, { a: 1 }, { link: { size: 50, interval_s: 300 } })])
  t.strictSame(shown(held), { a: 1, link: { at: 10, seq: 1, gateway: 'a', interval_s: 300 } })
})

t.test('fold: a partial report names the age of what it does not carry', async (t) => {
  const held = fold(none, [taken(1, { a: 1, b: 1 }), taken(2, { b: 2 })])
  t.strictSame(shown(held), { a: 1, b: 2, link: { at: 20, seq: 2, gateway: 'a', older: { a: 1 } } })
})

t.test("fold: interval_s is the newest report's alone", async (t) => {
  const held = fold(none, [taken(1, {}, { link: { interval_s: 300 } }), taken(2, {})])
  t.strictSame(shown(held), { link: { at: 20, seq: 2, gateway: 'a' } })
})

t.test('fold: a late report fills only what nothing newer has decided', async (t) => {
  const shadow = heldBy({ a: 9, link: { at: 90, seq: 9, gateway: 'b', older: {} } })
  const held = fold(shadow, [taken(5, { a: 5, b: 5 })])
  t.strictSame(shown(held), { a: 9, b: 5, link: { at: 90, seq: 9, gateway: 'b', older: { b: 5 } } })
})

t.test('fold: what was removed stays removed, whatever comes late', async (t) => {
  const removed = fold(none, [taken(2, { a: null })])
  t.strictSame(shown(removed), { link: { at: 20, seq: 2, gateway: 'a', older: { a: 2 } } })
  const held = fold(heldBy(shown(removed)), [taken(1, { a: 1 })])
  t.strictSame(shown(held), shown(removed))
})

t.test('fold: an equal seq is a repeat and adds nothing', async (t) => {
  const once = fold(none, [taken(3, { a: 1 })])
  const held = fold(once, [taken(3, { a: 2 })])
  t.strictSame(shown(held), shown(once))
})

t.test('fold: a value is replaced whole, its nulls left out', async (t) => {
  const held = fold(none, [taken(1, { a: { x: 1, y: 2 } }), taken(2, { a: { y: null, z: [null, 1] } })])
  t.strictSame(shown(held)['a'], { z: [null, 1] })
})

t.test('isNews: newer than all that is held, or than what decided one of its keys', async (t) => {
  const held = heldBy({ a: 1, b: 2, link: { at: 1, seq: 5, gateway: 'a', older: { b: 2, gone: 4 } } })
  const isNewsAt = (seq: number, state?: object) =>
    isNews(held, taken(seq, state as Record<string, unknown>).report)
  t.equal(isNewsAt(6), true)
  t.equal(isNewsAt(5, { a: 0, b: 0 }), true, 'b was decided before')
  t.equal(isNewsAt(5, { a: 0 }), false)
  t.equal(isNewsAt(3, { a: 0, gone: 0 }), false)
  t.equal(isNewsAt(3, { b: 0 }), true)
  t.equal(isNewsAt(0, { unheard: null }), true)
  t.equal(isNewsAt(4), false)
  t.equal(isNews(none, taken(0).report), true)
})

t.test('heldBy: what is not ours gives way to any report', async (t) => {
  for (const link of [
    undefined,
    5,
    null,
    [],
    {},
    { at: 1, seq: '7', gateway: 'a' },
    { at: 1, seq: 1.5, gateway: 'a' },
  ]) {
    const held = heldBy({ a: 'foreign', b: 'foreign', ...(link !== undefined && { link }) })
    t.equal(held.newest, undefined)
    t.strictSame(shown(fold(held, [taken(0, { a: 0 })])), {
      a: 0,
      b: 'foreign',
      link: { at: 0, seq: 0, gateway: 'a', older: { b: -1 } },
    })
  }
})

t.test('heldBy and reportedOf: keys named like parts of Object.prototype are plain data', async (t) => {
  const state = JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"toString":null,"older":2}')
  const first = fold(none, [taken(1, state)])
  const held = fold(heldBy(JSON.parse(JSON.stringify(reportedOf(first)))), [taken(2, { constructor: 3 })])
  t.equal(
    JSON.stringify(reportedOf(held)),
    '{"__proto__":{"polluted":true},"constructor":3,"older":2,' +
      '"link":{"at":20,"seq":2,"gateway":"a","older":{"__proto__":1,"older":1,"toString":1}}}',
  )
  t.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
})
