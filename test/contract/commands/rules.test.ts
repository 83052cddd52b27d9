import { cancel, give, QUEUE_MAX, supersede, sweep, type Wish } from '@pesebre/contract/commands/rules'
import { standings } from '@pesebre/contract/commands/standing'
import type { Control, KeptOutcome } from '@pesebre/contract/control'
import t from 'tap'

const NOW = 1_795_000_000_000
const S = NOW / 1000
const wish = (more: Partial<Wish> = {}): Wish => ({
  kind: 'feed',
  grams: 500,
  by: 'ana',
  notAfter: S + 600,
  ...more,
})
const empty: Control = { desired: { enabled: true, queue: [] }, reported: {} }

/** Gives a command that must be granted, and returns the shadow after it. */
function given(control: Control, more: Partial<Wish> = {}, now = NOW): Control {
  const change = give(control, wish(more), { now })
  if (!change.ok || change.desired === undefined) throw new Error(JSON.stringify(change))
  return { ...control, desired: change.desired }
}

function heard(control: Control, ...items: KeptOutcome[]): Control {
  const last = Math.max(...items.map(({ n }) => n))
  return { ...control, reported: { ...control.reported, sent: last, outcomes: { last, items } } }
}

t.test('give: numbers rise, whatever became of the last', async (t) => {
  const one = given(empty)
  t.same(one.desired.queue, [{ n: 1, kind: 'feed', grams: 500, by: 'ana', notAfter: S + 600, at: S }])
  const done = heard(one, { n: 1, state: 'done', grams: 500, at: NOW })
  const two = given(done, { notAfter: S + 999 }, NOW + 61_000)
  t.same(
    two.desired.queue.map(({ n }) => n),
    [2],
    'the ended one is swept',
  )
  const { next: _, ...spoilt } = two.desired
  t.equal(
    given(heard({ ...two, desired: { ...spoilt, queue: [] } }, { n: 9, state: 'expired', at: NOW })).desired
      .next,
    11,
  )
})

t.test('give: refuses with the reason and what helps', async (t) => {
  const refusal = (control: Control, more: Partial<Wish> = {}, limits = {}) => {
    const change = give(control, wish(more), { now: NOW, limits })
    return change.ok ? undefined : change.refusal
  }
  t.same(refusal({ ...empty, desired: { enabled: false, queue: [] } }), { reason: 'disabled' })
  t.same(refusal(empty, { grams: 2_001 }), { reason: 'portion', max: 2_000 })
  t.equal(refusal(empty, { grams: 2_001 }, { portion: 3_000 }), undefined, 'the owner may')
  const limited: Control = {
    ...empty,
    desired: { enabled: true, queue: [], config: { version: 1, limits: { portion: 800, gap_s: 90 } } },
  }
  t.same(refusal(limited, { grams: 801 }, { portion: 3_000 }), { reason: 'portion', max: 800 })
  for (const grams of [0, -1, 1.5, Number.NaN]) t.match(refusal(empty, { grams }), { reason: 'portion' })
  t.same(refusal(empty, { notAfter: S }), { reason: 'expired' })
  t.same(refusal(given(empty)), { reason: 'open', n: 1 })
  const fed = { n: 1, state: 'done', grams: 500, at: NOW - 30_000 } as const
  t.same(refusal(heard(empty, fed)), { reason: 'gap', wait_s: 30 })
  t.same(refusal(heard(limited, fed)), { reason: 'gap', wait_s: 60 })
  const ate = (state: 'done' | 'refused'): Control => ({
    ...empty,
    reported: { meals: { last: 700, items: { 700: { state, at: NOW - 20_000 } } } },
  })
  t.same(refusal(ate('done')), { reason: 'gap', wait_s: 40 }, 'a meal of the schedule is a portion, too')
  t.equal(refusal(ate('refused')), undefined)
  t.equal(refusal(heard(empty, { n: 1, state: 'refused', reason: 'busy', at: NOW })), undefined)
  t.same(refusal({ ...empty, desired: { ...empty.desired, next: 2 ** 32 } }), { reason: 'exhausted' })
})

t.test('give: the same wish again gives nothing new, even when it was taken back', async (t) => {
  const one = given(empty, { key: 'k' })
  t.match(give(one, wish({ key: 'k' }), { now: NOW }), { ok: true, desired: undefined, command: { n: 1 } })
  const taken = cancel(one, 1, NOW)
  if (!taken.ok || !taken.desired) throw new Error('not taken back')
  t.match(give({ ...one, desired: taken.desired }, wish({ key: 'k' }), { now: NOW }), {
    ok: true,
    desired: undefined,
  })
  t.match(supersede(one, wish({ key: 'k' }), { now: NOW }), {
    ok: true,
    desired: undefined,
    command: { n: 1 },
  })
})

t.test('give: the queue stays short, though nobody hears of the device', async (t) => {
  let control = empty
  for (let i = 0; i < 20; i++) {
    const now = NOW + i * 1_000_000
    control = given(control, { notAfter: now / 1000 + 600 }, now)
    t.ok(control.desired.queue.length <= QUEUE_MAX)
  }
  t.equal(control.desired.queue.at(-1)?.n, 20)
})

t.test(
  'cancel: takes it out of the queue; one that was handed out stays open until its time is past',
  async (t) => {
    const one = given(empty)
    const taken = cancel(one, 1, NOW)
    if (!taken.ok || !taken.desired) throw new Error('not taken back')
    t.same(taken.desired.queue, [])
    const after: Control = { ...one, desired: taken.desired }
    t.match(standings(after, NOW), [{ n: 1, state: 'cancelled', isCancelled: true }])
    t.ok(give(after, wish(), { now: NOW }).ok)
    const sent: Control = { ...after, reported: { sent: 1 } }
    t.match(standings(sent, NOW), [{ n: 1, state: 'sent', isCancelled: true }])
    t.match(give(sent, wish(), { now: NOW }), { ok: false, refusal: { reason: 'open', n: 1 } })
    t.ok(give(sent, wish({ notAfter: S + 9_999 }), { now: NOW + 721_000 }).ok)
    t.match(standings(heard(sent, { n: 1, state: 'done', at: NOW }), NOW), [
      { state: 'done', isCancelled: true },
    ])
  },
)

t.test('cancel: refuses what is not there or has ended', async (t) => {
  t.match(cancel(empty, 1, NOW), { refusal: { reason: 'missing' } })
  const one = given(empty)
  t.match(cancel(heard(one, { n: 1, state: 'jammed', at: NOW }), 1, NOW), {
    refusal: { reason: 'ended', state: 'jammed' },
  })
  t.match(cancel(one, 1, NOW + 721_000), { refusal: { reason: 'ended', state: 'expired' } })
})

t.test('supersede: replaces the one that waits, not one that was handed out', async (t) => {
  const one = given(empty)
  const change = supersede(one, wish({ grams: 300 }), { now: NOW })
  t.match(change, {
    ok: true,
    command: { n: 2, grams: 300 },
    desired: { cancelled: [{ n: 1 }], queue: [{ n: 2 }] },
  })
  t.match(supersede({ ...one, reported: { sent: 1 } }, wish(), { now: NOW }), {
    refusal: { reason: 'sent', n: 1 },
  })
  t.match(supersede(empty, wish(), { now: NOW }), { ok: true, command: { n: 1 } })
})

t.test('sweep: keeps what people may still want to see', async (t) => {
  const one = given(empty)
  t.same(sweep(one, NOW + 86_000_000).queue.length, 1)
  t.same(sweep(one, NOW + 87_100_000).queue.length, 0)
  t.same(sweep(heard(one, { n: 1, state: 'accepted', at: NOW }), NOW).queue.length, 1)
  t.same(sweep(heard(one, { n: 1, state: 'done', at: NOW }), NOW).queue.length, 0)
})
