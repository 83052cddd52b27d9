import { type Control, mealsOf, type QueuedCommand, readControl } from '@pesebre/contract/control'
import type { Report, ReportedOutcome } from '@pesebre/contract/report'
import t from 'tap'
import { concernsControl, foldControl, isNewToControl } from '../../bridge-lambda/src/control-fold.ts'

const command: QueuedCommand = { n: 3, kind: 'feed', grams: 500, notAfter: 1_000, by: 'ana', at: 400 }
const none: Control = { desired: { enabled: true, queue: [command] }, reported: {} }

function report(seq: number, more: Partial<Report> = {}): Report {
  return { thing: 'feeder-00000001', type: 'feeder', seq, at: seq, received: seq, ...more }
}

const said = (seq: number, ...outcomes: ReportedOutcome[]): Report => report(seq, { outcomes })
const fold = (...reports: Report[]) => foldControl(none, reports)

t.test('foldControl: states rise, and an end stays', async (t) => {
  const accepted = said(1, { n: 3, state: 'accepted', at: 10 })
  const dispensing = said(2, { n: 3, state: 'dispensing', at: 20 })
  const done = said(3, { n: 3, state: 'done', grams: 480, at: 30 })
  const end = { outcomes: { last: 3, items: [{ n: 3, state: 'done', grams: 480, at: 30, seq: 3 }] } }
  t.same(fold(accepted, dispensing, done), end)
  t.same(fold(done, dispensing, accepted), end)
  t.same(
    fold(done, said(4, { n: 3, state: 'done', grams: 480, at: 31 })),
    end,
    'repeated until it is acknowledged',
  )
  t.same(fold(done, said(4, { n: 3, state: 'jammed', at: 40 })), end)
  t.same(fold(done, said(4, { n: 3, state: 'refused', reason: 'stale', at: 40 })), end)
})

t.test('foldControl: who was busy and refused may still have been handed it again, and run it', async (t) => {
  const busy = said(1, { n: 3, state: 'refused', reason: 'busy', at: 10 })
  const done = said(2, { n: 3, state: 'done', at: 20 })
  t.match(fold(busy, done), { outcomes: { items: [{ state: 'done', seq: 2 }] } })
  t.match(fold(done, busy), { outcomes: { items: [{ state: 'done', seq: 2 }] } })
})

t.test('foldControl: the last eight by number, and the highest ever', async (t) => {
  const all = Array.from({ length: 12 }, (_, i) => said(i + 1, { n: i + 1, state: 'done', at: 1 }))
  const { outcomes } = fold(...all.toReversed())
  t.equal(outcomes?.last, 12)
  t.same(
    outcomes?.items.map(({ n }) => n),
    [5, 6, 7, 8, 9, 10, 11, 12],
  )
})

t.test('foldControl: meals of the schedule stand beside commands, the last 24 by occurrence', async (t) => {
  const accepted = said(1, { occurrence: 700, state: 'accepted', at: 10 })
  const done = said(
    3,
    { occurrence: 700, state: 'done', grams: 480, at: 30 },
    { n: 3, state: 'done', at: 31 },
  )
  const end = {
    outcomes: { last: 3, items: [{ n: 3, state: 'done', at: 31, seq: 3 }] },
    meals: { last: 700, items: { 700: { state: 'done', grams: 480, at: 30, seq: 3 } } },
  }
  t.same(fold(accepted, done), end)
  t.same(fold(done, accepted, done), end)
  t.same(fold(done, said(4, { occurrence: 700, state: 'interrupted', at: 40 })), end, 'an end stays')
  const all = Array.from({ length: 30 }, (_, i) => said(i + 1, { occurrence: i + 1, state: 'done', at: 1 }))
  const meals = mealsOf(fold(...all.toReversed()))
  t.same(
    meals.map(({ occurrence }) => occurrence),
    Array.from({ length: 24 }, (_, i) => i + 7),
  )
  t.equal(readControl({ reported: JSON.parse(JSON.stringify(fold(...all))) }).reported.meals?.last, 30)
})

t.test('foldControl: late is what came about after its time', async (t) => {
  const lateOf = (state: ReportedOutcome['state'], at: number) =>
    fold(said(1, { n: 3, state, at })).outcomes?.items[0]?.late
  t.equal(lateOf('done', 1_000_000), undefined)
  t.equal(lateOf('done', 1_000_001), true)
  t.equal(lateOf('interrupted', 1_000_001), true)
  t.equal(lateOf('expired', 1_000_001), undefined)
  t.equal(lateOf('refused', 1_000_001), undefined)
  const cancelled = {
    ...none,
    desired: { enabled: true, queue: [], cancelled: [{ ...command, cancelled: 500 }] },
  }
  t.match(foldControl(cancelled, [said(1, { n: 3, state: 'done', at: 1_000_001 })]), {
    outcomes: { items: [{ late: true }] },
  })
})

t.test(
  'foldControl: sent is the highest, the configuration the newest; one that stays is no change',
  async (t) => {
    const reports = [
      report(5, { sent: 2, config_version: 3 }),
      report(6, { config_version: 7 }),
      report(4, { sent: 9 }),
    ]
    const end = { sent: 9, config: { version: 7, seq: 6 } }
    t.same(fold(...reports), end)
    t.same(fold(...reports.toReversed()), end)
    t.same(foldControl({ ...none, reported: end }, [report(8, { config_version: 7 })]), end)
    t.match(foldControl({ ...none, reported: end }, [report(9, { config_version: 0 })]), {
      config: { version: 0 },
    })
    t.match(
      foldControl({ ...none, reported: { config: { version: 7 } } }, [report(0, { config_version: 8 })]),
      {
        config: { version: 8 },
      },
    )
  },
)

t.test('concernsControl: only what says something about it', async (t) => {
  t.notOk(concernsControl(report(1)))
  t.notOk(concernsControl(report(1, { outcomes: [] })))
  t.ok(concernsControl(report(1, { config_version: 0 })))
  t.ok(concernsControl(report(1, { sent: 1 })))
})

t.test(
  'isNewToControl: what it passes over would have changed nothing, and a mere repetition is passed over',
  async (t) => {
    const reported = { sent: 3, config: { version: 7, seq: 5 }, firmware: { version: 2, tried: 4, seq: 5 } }
    const words: Partial<Report>[] = [
      {},
      { sent: 2 },
      { sent: 4 },
      { config_version: 6 },
      { config_version: 7 },
      { firmware: { version: 2 } },
      { firmware: { version: 2, tried: 4 } },
      { outcomes: [] },
      { outcomes: [{ n: 3, state: 'done', at: 1 }] },
    ]
    let passedOver = 0
    for (const seq of [1, 9]) {
      for (const one of words) {
        for (const other of words) {
          const said = report(seq, { ...one, ...other })
          if (isNewToControl(reported, said)) continue
          passedOver++
          t.same(foldControl({ ...none, reported }, [said]), reported, JSON.stringify(said))
        }
      }
    }
    t.ok(passedOver > 20)
    t.notOk(isNewToControl(reported, report(9, { config_version: 7, firmware: { version: 2, tried: 4 } })))
  },
)

t.test(
  'foldControl: the firmware is what the newest report says, and a late one does not bring the old one back',
  async (t) => {
    const old = report(1, { firmware: { version: 7, tried: 8, problem: 'digest' } })
    const now = report(5, { firmware: { version: 8 } })
    t.same(fold(old, now), { firmware: { version: 8, seq: 5 } })
    t.same(fold(now, old), { firmware: { version: 8, seq: 5 } })
    t.same(
      fold(now, report(6, { firmware: { version: 8 } })),
      { firmware: { version: 8, seq: 5 } },
      'a repeat is no write',
    )
    t.ok(concernsControl(now))
    t.notOk(isNewToControl({ firmware: { version: 8, seq: 5 } }, report(9, { firmware: { version: 8 } })))
    t.ok(isNewToControl({ firmware: { version: 7, seq: 5 } }, now))
  },
)
