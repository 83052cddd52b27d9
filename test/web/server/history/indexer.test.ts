import type { Report } from '@pesebre/contract/report'
import t, { type Test } from 'tap'
import type { Database } from '../../../../web/server/src/db/database.ts'
import { fleetTotal, numbersOf } from '../../../../web/server/src/history/history.ts'
import { createIndexer, rawSince } from '../../../../web/server/src/history/indexer.ts'
import { rebuild } from '../../../../web/server/src/history/rebuild.ts'
import { type Rule, STANDARD_RULES } from '../../../../web/server/src/history/rules.ts'
import { type MemoryArchive, memoryArchive } from '../../../fakes/archive.ts'
import { openTestDatabase } from '../../../fakes/test-database.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const NOW = Date.UTC(2026, 10, 20, 17, 30)
const STABLE = 'stb_aaaaaaaaaaaaaaaa'

type World = {
  db: Database
  archive: MemoryArchive
  clock: { now: number }
  indexer: ReturnType<typeof createIndexer>
  indexed: { rows: number; things: readonly string[] }[]
  unreadable: string[]
}

async function setUp(t: Test, rules: readonly Rule[] = STANDARD_RULES): Promise<World> {
  const db = await openTestDatabase()
  t.teardown(() => db.close())
  const archive = memoryArchive()
  const clock = { now: NOW }
  const indexed: World['indexed'] = []
  const unreadable: string[] = []
  const indexer = createIndexer({
    db,
    store: archive.store,
    rules,
    now: () => clock.now,
    onIndexed: (object) => indexed.push(object),
    onUnreadable: (key) => unreadable.push(key),
  })
  return { db, archive, clock, indexer, indexed, unreadable }
}

function report(seq: number, over: Partial<Report> = {}): Report {
  const received = over.received ?? NOW - 10 * 60_000 + seq
  return {
    thing: 'feeder-00000001',
    type: 'feeder',
    seq,
    at: received,
    received,
    state: { hopper_pct: seq, name: 'x', on: true },
    link: { interval_s: 300 },
    ...over,
  }
}

/** What the tables hold, without what differs from run to run. */
async function contents({ sql }: Database) {
  const rollUps = await sql
    .selectFrom('roll_ups')
    .innerJoin('series', 'series.id', 'series_id')
    .select(['thing', 'horse_id', 'field', 'hour', 'min', 'max', 'sum', 'count', 'last', 'last_at'])
    .orderBy(['thing', 'horse_id', 'field', 'hour'])
    .execute()
  return {
    rollUps,
    raw: await sql.selectFrom('raw_rows').selectAll().orderBy(['thing', 'seq']).execute(),
    numbers: await sql.selectFrom('thing_numbers').selectAll().orderBy('thing').execute(),
    objects: await sql
      .selectFrom('archive_index')
      .select(['object', 'rows_taken'])
      .orderBy('object')
      .execute(),
  }
}

async function addHorses({ sql }: Database, ...ids: string[]): Promise<void> {
  const stable = { id: STABLE, name: 'Yeguada', zone: 'Europe/Madrid', created_at: 0 }
  await sql.insertInto('stables').values(stable).execute()
  for (const id of ids)
    await sql.insertInto('horses').values({ id, stable_id: STABLE, name: id, created_at: 0 }).execute()
  const device = { thing: 'feeder-00000001', kind: 'feeder', name: 'x', state: 'active' } as const
  await sql
    .insertInto('devices')
    .values({ ...device, registered_at: 0 })
    .execute()
}

async function assign({ sql }: Database, horse_id: string | null): Promise<void> {
  await sql.updateTable('devices').set({ horse_id }).where('thing', '=', 'feeder-00000001').execute()
}

t.test('an object becomes raw rows, hourly roll-ups and numbers', async (t) => {
  const { db, archive, indexer, indexed } = await setUp(t)
  const key = archive.put([report(1), report(2), report(3, { received: NOW - HOUR, at: NOW - HOUR })])
  t.equal(await indexer.sweep(), 1)
  const { rollUps, raw, objects } = await contents(db)
  t.equal(raw.length, 3)
  t.same(objects, [{ object: key, rows_taken: 3 }])
  const at = NOW - 10 * 60_000
  const hour = Math.floor(at / HOUR) * HOUR
  const series = { thing: 'feeder-00000001', horse_id: '', hour }
  t.same(
    rollUps.filter((row) => row.hour === hour),
    [
      { ...series, field: '', min: 300, max: 300, sum: 600, count: 2, last: 300, last_at: at + 2 },
      { ...series, field: 'hopper_pct', min: 1, max: 2, sum: 3, count: 2, last: 2, last_at: at + 2 },
      { ...series, field: 'on', min: 1, max: 1, sum: 2, count: 2, last: 1, last_at: at + 2 },
    ],
    'texts are no numbers',
  )
  t.match((await numbersOf(db, ['feeder-00000001', 'nobody'])).get('feeder-00000001'), {
    reports: 3,
    seq: 3,
    at: NOW - HOUR,
    gateway: 'a',
    state: { hopper_pct: 3, name: 'x' },
  })
  t.same(await fleetTotal(db), { reports: 3, things: 1, to: NOW - HOUR })
  t.same(indexed, [{ key, rows: 3, things: ['feeder-00000001'], meals: [] }])
})

t.test('an object is taken once, and new ones are found where they are expected', async (t) => {
  const { db, archive, indexer, clock } = await setUp(t)
  archive.put([report(1)])
  t.equal(await indexer.catchUp(), 1, 'also without a sweep before')
  t.equal(await indexer.catchUp(), 0)
  archive.put([report(2)])
  archive.put([report(3, { thing: 'other' })], { gateway: 'b' })
  t.equal(await indexer.catchUp(), 2, 'of a gateway that is new, too')
  clock.now += 3 * HOUR
  for (let seq = 4; seq < 40; seq++) archive.put([report(seq, { received: NOW + 2 * HOUR + seq })])
  t.equal(await indexer.catchUp(), 36, 'over pages and hours')
  t.equal((await contents(db)).raw.length, 39)
  const reads = archive.reads()
  t.equal(await indexer.sweep(), 0)
  t.equal(archive.reads(), reads, 'nothing is read twice')
})

t.test('a second journal of a gateway that is behind is still looked for', async (t) => {
  const { archive, indexer } = await setUp(t)
  archive.put([report(1, { received: NOW - 5 * HOUR })], { journal: 1 })
  archive.put([report(2)])
  t.equal(await indexer.sweep(), 2)
  archive.put([report(3, { received: NOW - 4 * HOUR })], { journal: 1 })
  t.equal(await indexer.catchUp(), 1)
})

t.test('a report counts once, however often the archive has it', async (t) => {
  const { db, archive, indexer } = await setUp(t)
  archive.put([report(1), report(2), report(2)])
  await indexer.sweep()
  archive.put([report(2), report(3)])
  archive.put([report(1), report(2), report(3)], { gateway: 'b' })
  await indexer.catchUp()
  t.match((await numbersOf(db, ['feeder-00000001'])).get('feeder-00000001'), { reports: 3, gateway: 'a' })
  const { rollUps } = await contents(db)
  t.same(
    rollUps.map((row) => row.count),
    [3, 3, 3],
  )
})

t.test('also where there are no raw rows any more', async (t) => {
  const { db, archive, indexer, clock } = await setUp(t)
  const received = NOW - 40 * DAY
  archive.put([report(1, { received }), report(2, { received })])
  archive.put([report(2, { received }), report(3, { received })], { gateway: 'b' })
  await indexer.sweep()
  archive.put([report(3, { received }), report(4, { received })])
  await indexer.sweep()
  t.equal((await numbersOf(db, ['feeder-00000001'])).get('feeder-00000001')?.reports, 4)
  t.same((await contents(db)).raw, [])

  archive.put([report(10)])
  await indexer.sweep()
  clock.now += 31 * DAY
  await indexer.cleanUp()
  t.same((await contents(db)).raw, [])
  archive.put([report(10), report(11)])
  await indexer.sweep()
  t.equal((await numbersOf(db, ['feeder-00000001'])).get('feeder-00000001')?.reports, 6)
})

t.test('cleanUp() deletes what is older than 30 days, by whole hours', async (t) => {
  const { db, archive, indexer, clock } = await setUp(t)
  for (let i = 0; i < 50; i++) archive.put([report(i, { received: NOW - 2 * DAY + i * HOUR })])
  await indexer.sweep()
  clock.now = NOW + 29 * DAY
  await indexer.cleanUp()
  const { raw } = await contents(db)
  const oldest = Math.min(...raw.map((row) => row.received))
  t.ok(oldest >= rawSince(clock.now))
  t.equal(raw.length, 26)
})

t.test('a report belongs to the horse that the device was at when it was measured', async (t) => {
  const { db, archive, indexer, clock } = await setUp(t)
  await addHorses(db, 'hrs_bella', 'hrs_luna')
  await assign(db, 'hrs_bella')
  archive.put([report(1)])
  await indexer.sweep()
  await assign(db, 'hrs_luna')
  clock.now = NOW + 60_000
  archive.put([report(2, { received: NOW + 30_000 }), report(3, { received: NOW + 90_000 })])
  await indexer.catchUp()
  await assign(db, null)
  clock.now = NOW + 180_000
  archive.put([report(4, { received: NOW + 200_000 })])
  await indexer.catchUp()
  const horses = ({ raw }: Awaited<ReturnType<typeof contents>>): unknown[] => raw.map((row) => row.horse_id)
  const before = await contents(db)
  t.same(horses(before), ['hrs_bella', 'hrs_bella', 'hrs_luna', ''])
  await rebuild(db, archive.store, indexer)
  t.same(horses(await contents(db)), horses(before), 'also after a rebuild')
})

t.test('rules work on the way in, and what they drop counts nowhere', async (t) => {
  const { db, archive, indexer } = await setUp(t, [
    { name: 'no demo', rule: 'drop', things: 'demo-*' },
    { name: 'half', rule: 'scale', field: 'hopper_pct', factor: 0.5 },
    { name: 'name', rule: 'drop', field: 'name' },
  ])
  archive.put([report(4), report(5, { thing: 'demo-bella' })])
  await indexer.sweep()
  const { raw, rollUps } = await contents(db)
  t.same(
    raw.map((row) => JSON.parse(row.state)),
    [{ hopper_pct: 2, on: true }],
  )
  t.ok(rollUps.every((row) => row.thing !== 'demo-bella'))
  t.equal((await fleetTotal(db)).reports, 1)
})

t.test('an object that cannot be read is left out, said, and not tried for ever', async (t) => {
  const { archive, indexer, unreadable, indexed } = await setUp(t)
  const bad = archive.put([report(1)])
  archive.objects.set(bad, Buffer.from('PAR1 but no more'))
  archive.put([report(2)])
  archive.objects.set('raw/gateway=a/dt=2026-11-20/hour=17/notes.txt', Buffer.from('x'))
  t.equal(await indexer.sweep(), 1)
  t.same(unreadable, [bad])
  t.equal(indexed.length, 1)
  t.equal(await indexer.sweep(), 0)
  t.equal(unreadable.length, 1)
})

t.test('S3 away: nothing is lost', async (t) => {
  const { db, archive, indexer } = await setUp(t)
  archive.put([report(1)])
  archive.setAway(true)
  await t.rejects(indexer.sweep(), /away/)
  archive.setAway(false)
  t.equal(await indexer.sweep(), 1)
  t.equal((await fleetTotal(db)).reports, 1)
})

t.test('S3 away in the middle of a look: what lies before its newest object is not forgotten', async (t) => {
  const { archive, indexer } = await setUp(t)
  archive.put([report(1)])
  await indexer.sweep()
  for (let hour = 1; hour < 8; hour++) archive.put([report(1 + hour, { received: NOW + hour * HOUR })])
  archive.setAway(2)
  await t.rejects(indexer.catchUp(), /away/)
  archive.setAway(false)
  t.equal(await indexer.catchUp(), 5)
})

t.test('rebuild() makes the same again, from objects that came in any order', async (t) => {
  const { db, archive, indexer } = await setUp(t)
  const hours = [5, 1, 3, 900, 800, 2, 4, 901]
  let seq = 0
  for (const hour of hours)
    for (const gateway of ['a', 'b'])
      archive.put(
        Array.from({ length: 20 }, () =>
          report(++seq, { thing: `t-${seq % 3}`, received: NOW - hour * HOUR + seq }),
        ),
        { gateway },
      )
  await indexer.sweep()
  archive.put([report(++seq, { thing: 't-1', received: NOW - 900 * HOUR + seq })])
  await indexer.sweep()
  const before = await contents(db)
  t.equal(await rebuild(db, archive.store, indexer), 17)
  t.same(await contents(db), before)
  t.equal((await fleetTotal(db)).reports, 321)
})

t.test('a device that makes up names has 256 series, and no more', async (t) => {
  const { db, archive, indexer } = await setUp(t)
  const state = (i: number) => Object.fromEntries(Array.from({ length: 60 }, (_, j) => [`f${i}_${j}`, j]))
  for (let i = 0; i < 6; i++) archive.put([report(i + 1, { state: state(i) })])
  await indexer.sweep()
  const { count } = await db.sql
    .selectFrom('series')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  t.equal(count, 256)
})
