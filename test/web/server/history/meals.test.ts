import { OUTCOMES_MAX } from '@pesebre/contract/check-in'
import { MEALS_KEPT } from '@pesebre/contract/control'
import type { Report, ReportedMeal } from '@pesebre/contract/report'
import { dateOf, localMinute } from '@pesebre/contract/wall-clock'
import t, { type Test } from 'tap'
import { createIndexer } from '../../../../web/server/src/history/indexer.ts'
import type { MealOf } from '../../../../web/server/src/history/meals.ts'
import { memoryArchive } from '../../../fakes/archive.ts'
import { openStable } from '../feeding/stable.ts'

const ZONE = 'Europe/Madrid'
const MINUTE = 60_000
const DAY = 1440 * MINUTE
const SLOTS = [360, 540, 720, 900, 1080, 1260]

/** A stable, and the index of its archive on the same database. */
async function setUp(t: Test) {
  const stable = await openStable()
  t.teardown(stable.close)
  const archive = memoryArchive()
  const brought: MealOf[] = []
  const indexer = createIndexer({
    db: stable.db,
    store: archive.store,
    rules: [],
    now: () => stable.clock.now,
    onIndexed: ({ meals }) => void brought.push(...meals),
    onUnreadable: (_, error) => {
      throw error
    },
  })
  const ledger = () =>
    stable.db.sql
      .selectFrom('feeds')
      .selectAll()
      .where('source', '=', 'schedule')
      .orderBy('occurrence')
      .execute()
  return { ...stable, archive, indexer, brought, ledger }
}

/** The meals of so many days until `now`, each with its end. */
function mealsOf(now: number, days: number): ReportedMeal[] {
  const today = Math.floor(localMinute(ZONE, now) / 1440)
  return Array.from({ length: days }, (_, day) =>
    SLOTS.map((minute): ReportedMeal => {
      const occurrence = (today - days + day) * 1440 + minute
      return {
        occurrence,
        state: 'done',
        grams: 500,
        at: now - (localMinute(ZONE, now) - occurrence) * MINUTE,
      }
    }),
  ).flat()
}

/** As the feeder tells of them once it is back: as many as a report takes. */
function reportsOf(thing: string, now: number, meals: readonly ReportedMeal[]): Report[] {
  const reports: Report[] = []
  for (let from = 0; from < meals.length; from += OUTCOMES_MAX) {
    const seq = 1_000 + from
    const outcomes = meals.slice(from, from + OUTCOMES_MAX)
    reports.push({ thing, type: 'feeder', seq, at: now, received: now, state: {}, outcomes })
  }
  return reports
}

t.test('a week without a network: every meal is in the ledger, once', async (t) => {
  const {
    feeder,
    web,
    clock,
    archive,
    indexer,
    brought,
    ledger,
    report,
    ask,
    feeding,
    rows: heard,
  } = await setUp(t)
  const slots = SLOTS.map((minute) => ({ minute, grams: 500, days: 127 }))
  clock.now -= 8 * DAY
  t.equal((await ask('owner', 'PUT @/schedule', { zone: ZONE, slots })).status, 200)
  clock.now += 8 * DAY
  const meals = mealsOf(clock.now, 7)
  t.equal(meals.length, 42)
  const reports = reportsOf(feeder, clock.now, meals)
  await report({ outcomes: meals })
  t.equal((await ledger()).length, MEALS_KEPT, 'as many as a control shadow holds')

  archive.put(reports)
  await indexer.sweep()
  const rows = await ledger()
  t.same(
    rows.map(({ occurrence }) => occurrence),
    meals.map(({ occurrence }) => occurrence),
  )
  t.equal(brought.length, 42 - MEALS_KEPT)
  t.match(rows[0], {
    thing: feeder,
    horse_id: web.horse,
    stable_id: web.stable,
    slot: 360,
    local_date: dateOf(meals[0]!.occurrence),
    planned_g: 500,
    actual_g: 500,
    state: 'done',
    at: meals[0]!.at,
  })
  heard.length = 0
  await feeding().told(brought)
  t.equal(heard.length, brought.length, 'alarms and browsers hear of them')

  archive.put(reports.toReversed())
  await indexer.sweep()
  t.equal((await ledger()).length, 42, 'the same reports again')
  t.equal(brought.length, 42 - MEALS_KEPT)
})

t.test('the archive first, then the shadow: one row; and browsers see the meal end', async (t) => {
  const { feeder, clock, archive, indexer, brought, ledger, say, feeding, rows } = await setUp(t)
  const occurrence = localMinute(ZONE, clock.now)
  await say({ occurrence }, 'dispensing')
  t.match(feeding().going(feeder), [{ state: 'dispensing' }])
  const ends = [
    { occurrence, state: 'refused', reason: 'busy', at: clock.now },
    { occurrence, state: 'partial', grams: 300, at: clock.now },
  ] as const
  archive.put(
    ends.map((outcome, seq) => ({
      ...{ thing: feeder, type: 'feeder', seq, at: clock.now, received: clock.now },
      outcomes: [outcome],
    })),
  )
  await indexer.sweep()
  t.match(await ledger(), [{ state: 'partial', actual_g: 300 }], 'what moved the motor outranks what did not')
  await feeding().told(brought)
  t.same(feeding().going(feeder), [])
  t.equal(rows.at(-1)?.state, 'partial')
  await say({ occurrence }, 'partial', { grams: 300 })
  t.equal((await ledger()).length, 1)
})

t.test('nobody else has a ledger, and what has not ended is not in it', async (t) => {
  const { feeder, clock, archive, indexer, brought, ledger } = await setUp(t)
  const base = { type: 'feeder', at: clock.now, received: clock.now }
  const occurrence = localMinute(ZONE, clock.now)
  archive.put([
    { ...base, thing: 'feeder-77777777', seq: 1, outcomes: [{ occurrence, state: 'done', at: 1 }] },
    { ...base, thing: feeder, seq: 1, outcomes: [{ occurrence, state: 'accepted', at: 1 }] },
    { ...base, thing: feeder, seq: 2, outcomes: [{ n: 5, state: 'done', at: 1 }] },
  ])
  await indexer.sweep()
  t.same(await ledger(), [])
  t.same(brought, [])
})
