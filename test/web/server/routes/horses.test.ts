import t from 'tap'
import { openWebApp } from '../../../fakes/web-app.ts'

t.test('a horse is made, changed and given away', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  const body = { name: ' Sol ', weightKg: 520, born: '2016-04-12' }
  const made = await web.ask('owner', `POST /api/stables/${web.stable}/horses`, { body })
  t.equal(made.status, 201)
  t.match(made.json, { name: 'Sol', weightKg: 520, born: '2016-04-12', feeder: null, pictureAt: null })
  const { id } = made.json
  const changed = await web.ask('owner', `PATCH /api/horses/${id}`, {
    body: { weightKg: null, notes: 'quiet' },
  })
  t.match(changed.json, { name: 'Sol', weightKg: null, notes: 'quiet' })
  t.equal((await web.ask('owner', `DELETE /api/horses/${id}`)).status, 204)
  t.equal((await web.ask('owner', `GET /api/horses/${id}`)).status, 404)
  const row = await web.db.sql
    .selectFrom('horses')
    .select('archived_at')
    .where('id', '=', id)
    .executeTakeFirst()
  t.equal(row?.archived_at, web.clock.now, 'the row stays for the ledger')
})

t.test('a horse with a device, and a stable with a horse, are not removed', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  t.equal((await web.ask('owner', `DELETE /api/horses/${web.horse}`)).json.reason, 'devices')
  t.equal((await web.ask('owner', `DELETE /api/stables/${web.stable}`)).status, 409)
  t.equal((await web.ask('stranger', `DELETE /api/horses/${web.otherHorse}`)).status, 204)
  t.equal((await web.ask('stranger', `DELETE /api/stables/${web.otherStable}`)).status, 204)
  t.strictSame((await web.ask('stranger', 'GET /api/stables')).json, [])
  t.strictSame(
    (await web.ask('admin', 'GET /api/stables')).json.map(({ name }: { name: string }) => name),
    ['Las Encinas'],
  )
})

t.test('another stable’s ids say no more than ids that never were', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  for (const id of [web.otherHorse, 'hrs_aaaaaaaaaaaaaaaa']) {
    for (const route of [`GET /api/horses/${id}`, `PATCH /api/horses/${id}`, `DELETE /api/horses/${id}`]) {
      const { status, json } = await web.ask('owner', route, route.startsWith('PATCH') ? { body: {} } : {})
      t.equal(status, 404)
      t.equal(json.type, '/problems/not-found')
    }
  }
  t.equal(
    (await web.ask('owner', `POST /api/stables/${web.otherStable}/horses`, { body: { name: 'X' } })).status,
    404,
  )
})

t.test('what is no horse is refused: weights, days, names', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  for (const wrong of [
    { name: '' },
    { name: '   ' },
    { name: 'x'.repeat(81) },
    { name: 'Sol', weightKg: 5 },
    { name: 'Sol', weightKg: 520.5 },
    { name: 'Sol', born: '2016-4-12' },
    { name: 'Sol', born: '2016-13-01' },
    { name: 'Sol', stable: 'stb_aaaaaaaaaaaaaaaa' },
  ])
    t.equal((await web.ask('owner', `POST /api/stables/${web.stable}/horses`, { body: wrong })).status, 400)
})

t.test('cards hold what the other parts of the server know of each horse', async (t) => {
  const meal = { at: 1, grams: 900, planned: 1000, state: 'partial', source: 'command' } as const
  let asked: readonly string[] = []
  const web = await openWebApp({
    cards: {
      meals: async (horses) => {
        asked = horses
        return new Map([[horses[0]!, { last: meal, next: null }]])
      },
    },
  })
  t.after(() => web.close())
  const { json } = await web.ask('groom', `GET /api/stables/${web.stable}/horses`)
  t.strictSame(asked, [web.horse])
  t.match(json, [{ lastMeal: meal, nextMeal: null, camera: null, alarms: [] }])
})
