import type { Report } from '@pesebre/contract/report'
import t from 'tap'
import { CallError } from '../../bridge-lambda/src/errors.ts'
import { createRecent } from '../../bridge-lambda/src/recent.ts'
import {
  CONFLICTS_MAX,
  createSettle,
  type Shadow,
  TRUST_MS,
  UNCHANGED_WRITE_MS,
} from '../../bridge-lambda/src/settle.ts'
import type { Item } from '../../bridge-lambda/src/translate.ts'
import { createFakeClock } from '../fakes/clock.ts'
import { createShadows } from '../fakes/iot-shadows.ts'

function setUp() {
  const shadows = createShadows()
  const clock = createFakeClock()
  const made: string[] = []
  const bridge = () =>
    createSettle(
      { ...shadows, clock, ensureThing: async (thing, type) => void made.push(`${thing} ${type}`) },
      createRecent<Shadow>(10),
    )
  const settle = bridge()
  return {
    shadows,
    clock,
    made,
    bridge,
    settle,
    limits: { deadline: 60_000, signal: new AbortController().signal },
  }
}

function item(seq: number, state?: Record<string, unknown>, more: Partial<Report> = {}): Item {
  const report: Report = {
    thing: 'bella',
    type: 'feeder',
    seq,
    at: seq,
    received: seq,
    ...(state && { state }),
    ...more,
  }
  return { report, gateway: 'a', message: { id: `m${seq}`, body: '' }, index: 0 }
}

const unchanged = { changed: false }

t.test('settle: a first report makes the thing, then the shadow; later ones cost one write', async (t) => {
  const { settle, shadows, made, limits } = setUp()
  t.strictSame(await settle('bella', [item(1, { a: 1 })], limits), [])
  t.strictSame(made, ['bella feeder'])
  t.strictSame(
    { ...shadows.counts, bytes: 0, longest: 0 },
    { gets: 2, updates: 2, conflicts: 0, refusals: 0, bytes: 0, longest: 0 },
  )
  await settle('bella', [item(2, { a: 2 }), item(3, { b: 3 })], limits)
  t.equal(shadows.counts.updates, 3)
  t.equal(shadows.counts.gets, 2)
  t.strictSame(shadows.reported('bella'), {
    a: 2,
    b: 3,
    link: { at: 3, seq: 3, gateway: 'a', older: { a: 2 } },
  })
})

t.test('settle: a shadow that others made has no link yet: the thing is seen to', async (t) => {
  const { settle, bridge, shadows, made, limits } = setUp()
  shadows.write('bella', { a: 'foreign' })
  await settle('bella', [item(1, { a: 1 })], limits)
  t.equal(made.length, 1)
  await bridge()('bella', [item(2, { a: 2 })], limits)
  t.equal(made.length, 1, 'where there is a link, a cold start makes nothing')
  t.strictSame(shadows.reported('bella'), { a: 2, link: { at: 2, seq: 2, gateway: 'a' } })
})

t.test('settle: a repeat costs nothing', async (t) => {
  const { settle, shadows, limits } = setUp()
  await settle('bella', [item(2, { a: 1 })], limits)
  const before = { ...shadows.counts }
  await settle('bella', [item(2, { a: 1 }), item(1, { a: 0 })], limits)
  t.strictSame(shadows.counts, before)
})

t.test('settle: only what differs is sent, and well under 1 kB', async (t) => {
  const { settle, shadows, limits } = setUp()
  const state = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`measure_${n}`, n]))
  await settle('bella', [item(1, state)], limits)
  const sent: unknown[] = []
  shadows.hooks.onUpdate = (_thing, update) => void sent.push(update)
  await settle('bella', [item(2, { ...state, measure_7: 'new' })], limits)
  t.strictSame(sent, [{ reported: { measure_7: 'new', link: { at: 2, seq: 2 } }, version: 2 }])
})

t.test('settle: losing every race for a while, it reads and folds again', async (t) => {
  const { settle, shadows, limits } = setUp()
  await settle('bella', [item(1, { a: 1, b: 1 })], limits)
  let others = 5
  shadows.hooks.onUpdate = () => {
    if (others-- > 0) shadows.write('bella', { b: 9, link: { at: 9, seq: 9, gateway: 'b', older: { a: 1 } } })
  }
  await settle('bella', [item(5, { a: 5, b: 5 })], limits)
  t.strictSame(shadows.reported('bella'), {
    a: 5,
    b: 9,
    link: { at: 9, seq: 9, gateway: 'b', older: { a: 5 } },
  })
  t.equal(shadows.counts.conflicts, 5)
})

t.test('settle: losing for ever, it gives up and the message comes again', async (t) => {
  const { settle, shadows, limits } = setUp()
  await settle('bella', [item(1, { a: 1 })], limits)
  shadows.hooks.onUpdate = () => shadows.write('bella', {})
  await t.rejects(settle('bella', [item(2, { a: 2 })], limits), { code: 'conflict' })
  t.equal(shadows.counts.conflicts, CONFLICTS_MAX + 1)
})

t.test('settle: a shadow deleted behind our back is made again, with what was reported since', async (t) => {
  const { settle, shadows, made, limits } = setUp()
  await settle('bella', [item(7, { a: 7 })], limits)
  shadows.remove('bella')
  await settle('bella', [item(8, { b: 8 })], limits)
  t.strictSame(shadows.reported('bella'), { b: 8, link: { at: 8, seq: 8, gateway: 'a' } })
  t.equal(shadows.documents.get('bella')?.version, 4, 'the version goes on, as AWS remembers it')
  t.strictSame(made, ['bella feeder', 'bella feeder'], 'the thing may be gone with it')
})

t.test(
  'settle: a shadow deleted so that the device can start over: noticed, though all is old by our memory',
  async (t) => {
    const { settle, shadows, clock, limits } = setUp()
    await settle('bella', [item(700, { a: 7 })], limits)
    shadows.remove('bella')
    await settle('bella', [item(1, { a: 1 })], limits)
    t.equal(shadows.reported('bella'), undefined, 'what was confirmed a moment ago is believed')
    clock.advance(TRUST_MS + 1)
    await settle('bella', [item(2, { a: 2 })], { ...limits, deadline: 1e9 })
    t.strictSame(shadows.reported('bella'), { a: 2, link: { at: 2, seq: 2, gateway: 'a' } })
  },
)

t.test('settle: an unchanged report is not written before an hour has passed since link.at', async (t) => {
  const { settle, bridge, shadows, limits } = setUp()
  await settle('bella', [item(1, { a: 1 }, { at: 1_000 })], limits)
  const updates = shadows.counts.updates
  await settle('bella', [item(2, { a: 1 }, { ...unchanged, at: 1_000 + UNCHANGED_WRITE_MS - 1 })], limits)
  await settle('bella', [item(3, undefined, { ...unchanged, at: 1_000 + UNCHANGED_WRITE_MS - 1 })], limits)
  await bridge()('bella', [item(3, { a: 1 }, { ...unchanged, at: 2_000 })], limits)
  t.equal(shadows.counts.updates, updates)
  await settle('bella', [item(4, { a: 1 }, { ...unchanged, at: 1_000 + UNCHANGED_WRITE_MS })], limits)
  t.equal(shadows.counts.updates, updates + 1)
  t.match(shadows.reported('bella'), { a: 1, link: { seq: 4, at: 1_000 + UNCHANGED_WRITE_MS } })
})

t.test('settle: an unchanged report is written at once where the shadow shows something else', async (t) => {
  const { settle, shadows, limits } = setUp()
  await settle('bella', [item(1, { a: 1 })], limits)
  await settle('bella', [item(3, { a: 3 }, unchanged)], limits)
  t.match(
    shadows.reported('bella'),
    { a: 3, link: { seq: 3 } },
    'report 2, which it is unchanged from, is still on its way',
  )
  await settle('bella', [item(2, { a: 3 })], limits)
  t.match(shadows.reported('bella'), { a: 3, link: { seq: 3 } })
})

t.test('settle: an unchanged report that was not written still outranks a late one', async (t) => {
  const { settle, shadows, limits } = setUp()
  await settle('bella', [item(1, { a: 1 })], limits)
  await settle('bella', [item(3, { a: 1 }, unchanged)], limits)
  t.match(shadows.reported('bella'), { link: { seq: 1 } })
  await settle('bella', [item(2, { a: 2, b: 2 })], limits)
  t.strictSame(shadows.reported('bella'), {
    a: 1,
    b: 2,
    link: { at: 3, seq: 3, gateway: 'a', older: { b: 2 } },
  })
})

t.test('settle: a report that counts as changed is written, though every value is the same', async (t) => {
  const { settle, shadows, limits } = setUp()
  await settle('bella', [item(1, { a: 1 })], limits)
  await settle('bella', [item(2, { a: 1 })], limits)
  t.match(shadows.reported('bella'), { a: 1, link: { seq: 2 } })
})

t.test(
  'settle: leaving out an unchanged report costs no call, however long ago the shadow was confirmed',
  async (t) => {
    const { settle, shadows, clock, limits } = setUp()
    await settle('bella', [item(1, { a: 1 })], limits)
    clock.advance(10 * TRUST_MS)
    const before = { ...shadows.counts }
    await settle('bella', [item(2, { a: 1 }, unchanged)], { ...limits, deadline: 1e9 })
    t.strictSame(shadows.counts, before)
  },
)

t.test(
  'settle: a changed report that only our memory has outranked is written: other bridges must know it',
  async (t) => {
    const { settle, bridge, shadows, limits } = setUp()
    await settle('bella', [item(1, { a: 1 })], limits)
    await settle('bella', [item(4, { b: 4 })], limits)
    await settle('bella', [item(8, { a: 1 }, unchanged)], limits)
    await settle('bella', [item(3, { a: 1 })], limits)
    await bridge()('bella', [item(2, { a: 9 })], limits)
    t.match(shadows.reported('bella'), { a: 1, b: 4, link: { seq: 8 } })
  },
)

t.test('settle: a first report is written even if unchanged', async (t) => {
  const { settle, shadows, limits } = setUp()
  await settle('bella', [item(1, undefined, unchanged)], limits)
  t.strictSame(shadows.reported('bella'), { link: { at: 1, seq: 1, gateway: 'a' } })
})

t.test(
  'settle: of many reports in one write, the one that the shadow refuses is found, and it alone',
  async (t) => {
    const { settle, shadows, limits } = setUp()
    const items = Array.from({ length: 33 }, (_, n) => item(n + 1, { [`k${n % 5}`]: n }))
    items[20] = item(21, { bad: [null], good: 1 })
    items[31] = item(32, { huge: 'x'.repeat(8_200) })
    const refusals = await settle('bella', items, limits)
    t.strictSame(
      refusals.map(({ item }) => item.report.seq),
      [21, 32],
    )
    t.match(refusals[0]?.reason, /State contains an invalid node/)
    t.match(refusals[1]?.reason, /payload exceeds/)
    t.match(shadows.reported('bella'), { k0: 30, k1: 26, k2: 32, k3: 28, k4: 29, link: { seq: 33 } })
    t.notOk('good' in shadows.reported('bella')!)
  },
)

t.test('settle: a thing that the registry refuses takes all its reports with it', async (t) => {
  const { shadows, clock, limits } = setUp()
  const settle = createSettle(
    {
      ...shadows,
      clock,
      ensureThing: async () => Promise.reject(new CallError('refused', 'Thing type is deprecated')),
    },
    createRecent<Shadow>(10),
  )
  const refusals = await settle('bella', [item(1, { a: 1 }), item(2, { a: 2 })], limits)
  t.equal(refusals.length, 2)
  t.match(refusals[0]?.reason, /deprecated/)
})

t.test('settle: throttled, it waits and tries again; past the deadline it does not', async (t) => {
  const { settle, shadows, clock, limits } = setUp()
  let fails = 3
  shadows.hooks.onUpdate = () => {
    if (fails-- > 0) throw new CallError('unavailable', 'Rate exceeded')
  }
  await settle('bella', [item(1, { a: 1 })], limits)
  t.match(shadows.reported('bella'), { a: 1 })
  fails = 1_000
  await t.rejects(settle('bella', [item(2, { a: 2 })], { ...limits, deadline: clock.now() + 300 }), {
    code: 'unavailable',
  })
  t.ok(1_000 - fails <= 4)
})

t.test(
  'settle: an answer that was lost after the write: the repetition conflicts, reads, and finds it done',
  async (t) => {
    const { shadows, clock, limits } = setUp()
    let lose = true
    const settle = createSettle(
      {
        ...shadows,
        clock,
        ensureThing: async () => {},
        updateShadow: async (...args) => {
          const version = await shadows.updateShadow(...args)
          if (args[1].version === undefined || !lose) return version
          lose = false
          throw new CallError('unavailable', 'Socket hang up')
        },
      },
      createRecent<Shadow>(10),
    )
    await settle('bella', [item(1, { a: 1 })], limits)
    t.strictSame(shadows.reported('bella'), { a: 1, link: { at: 1, seq: 1, gateway: 'a' } })
    t.equal(shadows.counts.conflicts, 1)
  },
)

t.test(
  'createSettle: of a secure device it counts what never came; a late report mends the count',
  async (t) => {
    const { shadows, settle, limits } = setUp()
    const from = (seq: number) => item(seq, { a: seq }, { thing: 'feeder-1a2b3c4d' })
    const lost = () => (shadows.reported('feeder-1a2b3c4d')!['link'] as { lost?: number }).lost
    await settle('feeder-1a2b3c4d', [from(5)], limits)
    await settle('feeder-1a2b3c4d', [from(9)], limits)
    t.equal(lost(), 3)
    await settle('feeder-1a2b3c4d', [from(7)], limits)
    t.equal(lost(), 2)
    const writes = shadows.counts.updates
    await settle('feeder-1a2b3c4d', [from(7), from(5)], limits)
    t.equal(shadows.counts.updates, writes, 'a repeated one is not written')
    await settle('bella', [item(1, { a: 1 }), item(4, { a: 4 })], limits)
    t.equal((shadows.reported('bella')!['link'] as { lost?: number }).lost, undefined)
  },
)

t.test(
  'createSettle: what came unchanged and was not written is no loss, also over a conflict',
  async (t) => {
    const { shadows, settle, limits } = setUp()
    const thing = 'feeder-1a2b3c4d'
    const from = (seq: number, more: Partial<Report> = {}) => item(seq, { a: 1 }, { thing, ...more })
    await settle(thing, [from(1)], limits)
    const writes = shadows.counts.updates
    await settle(thing, [from(2, unchanged), from(3, unchanged)], limits)
    t.equal(shadows.counts.updates, writes)
    shadows.write(thing, { theirs: 1 })
    await settle(thing, [from(4)], limits)
    t.match(shadows.reported(thing), { theirs: 1, link: { seq: 4, lost: 0 } })
  },
)
