import t from 'tap'
import { isDuplicate, openDatabase } from '../../../../web/server/src/db/database.ts'
import { newId } from '../../../../web/server/src/ids.ts'
import { openTestDatabase } from '../../../fakes/test-database.ts'
import { openWebApp } from '../../../fakes/web-app.ts'

t.test('texts and times come back as they went in', async (t) => {
  const db = await openTestDatabase()
  t.after(() => db.close())
  const user = {
    id: newId('usr'),
    email: 'ñandú@stable.example',
    name: 'Iñigo 🐴 "’; drop table users',
    role: 'user' as const,
    language: 'es' as const,
    created_at: 8_640_000_000_000_000,
  }
  await db.sql.insertInto('users').values(user).execute()
  const row = await db.sql.selectFrom('users').selectAll().where('id', '=', user.id).executeTakeFirst()
  t.match(row, { ...user, disabled_at: null, password_hash: null })
  for (const factor of [-0.1, 1 / 3, 1e300, Number.EPSILON]) {
    const id = newId('cal')
    const weighed = { thing: 'feeder-1', asked_g: 500, weighed_g: 480, at: 0 }
    await db.sql
      .insertInto('calibrations')
      .values({ id, ...weighed, factor })
      .execute()
    const back = await db.sql
      .selectFrom('calibrations')
      .select('factor')
      .where('id', '=', id)
      .executeTakeFirst()
    t.equal(back?.factor, factor)
  }
})

t.test('names of things that differ in case, or by a space, are different things', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  const device = { kind: 'feeder', state: 'active', name: 'x', registered_at: 0 } as const
  for (const thing of ['Feeder', 'feeder', 'FEEDER'])
    await web.db.sql
      .insertInto('devices')
      .values({ ...device, thing })
      .execute()
  const rows = await web.db.sql.selectFrom('devices').select('thing').where('thing', '=', 'feeder').execute()
  t.equal(rows.length, 1)
})

t.test(
  'the database itself keeps what must be unique: devices of a horse, active alarms, meals',
  async (t) => {
    const web = await openWebApp()
    t.after(() => web.close())
    const { sql } = web.db
    const refused = async (insert: { execute(): Promise<unknown> }) => {
      const error = await insert.execute().then(
        () => undefined,
        (cause: unknown) => cause,
      )
      return error !== undefined && isDuplicate(error)
    }
    const device = { state: 'active', name: 'x', registered_at: 0 } as const
    const feeder = (thing: string, horse_id: string | null) =>
      sql.insertInto('devices').values({ ...device, thing, kind: 'feeder', horse_id })
    t.equal(await refused(feeder('second', web.horse)), true, 'one feeder for a horse')
    t.equal(await refused(feeder('second', null)), false)
    t.equal(await refused(feeder('third', null)), false, 'devices without a horse do not clash')

    const alarm = (active_key: string | null) =>
      sql.insertInto('alarms').values({
        id: newId('alm'),
        thing: web.feeder,
        kind: 'jammed',
        active_key,
        detail: '{}',
        raised_at: 0,
        updated_at: 0,
      })
    t.equal(await refused(alarm('x/jammed')), false)
    t.equal(await refused(alarm('x/jammed')), true, 'one active alarm of a kind')
    t.equal(await refused(alarm(null)), false)
    t.equal(await refused(alarm(null)), false, 'cleared ones do not clash')

    const meal = (slot: number | null, n: number | null) =>
      sql.insertInto('feeds').values({
        id: newId('fee'),
        thing: web.feeder,
        source: n === null ? 'schedule' : 'command',
        n,
        slot,
        local_date: slot === null ? null : '2026-11-20',
        state: 'done',
        states: '[]',
        at: 0,
        updated_at: 0,
      })
    t.equal(await refused(meal(420, null)), false)
    t.equal(await refused(meal(420, null)), true, 'a meal is written down once')
    t.equal(await refused(meal(null, 7)), false)
    t.equal(await refused(meal(null, 7)), true, 'a command, too')
  },
)

t.test('write() is all or nothing', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  const failing = web.db.write(async (tx) => {
    await tx.deleteFrom('members').execute()
    throw new Error('no')
  })
  await t.rejects(failing, { message: 'no' })
  t.equal((await web.db.sql.selectFrom('members').selectAll().execute()).length, 4)
})

t.test('many writes at once that read before they write count right', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  const add = () =>
    web.db.write(async (tx) => {
      const row = await tx
        .selectFrom('horses')
        .select('weight_kg')
        .where('id', '=', web.horse)
        .executeTakeFirstOrThrow()
      await tx
        .updateTable('horses')
        .set({ weight_kg: row.weight_kg! + 1 })
        .where('id', '=', web.horse)
        .execute()
    })
  await Promise.all([add(), add(), add(), add()])
  t.equal((await web.ask('owner', `GET /api/horses/${web.horse}`)).json.weightKg, 504)
})

t.test(
  'openDatabase() brings an older file up to date, keeps its data, and does nothing to one that is',
  async (t) => {
    const path = `${t.testdir()}/deep/er/pesebre.sqlite`
    const first = await openDatabase(path)
    await first.sql.insertInto('settings').values({ name: 'kept', value: 'yes' }).execute()
    await first.close()
    const second = await openDatabase(path)
    const rows = await second.sql.selectFrom('settings').selectAll().execute()
    t.strictSame(
      rows.map(({ name, value }) => [name, value]),
      [['kept', 'yes']],
    )
    await second.close()
  },
)

t.test('openDatabase() says what it cannot open, and shows no password', async (t) => {
  const error = await openDatabase('mysql://pesebre:hunter2@127.0.0.1:1/pesebre').catch(
    (cause: Error) => cause,
  )
  t.ok(error instanceof Error)
  t.match((error as Error).message, /^Cannot open the database: mysql:\/\/127\.0\.0\.1:1\/pesebre: /)
  t.notMatch((error as Error).message, 'hunter2')
})
