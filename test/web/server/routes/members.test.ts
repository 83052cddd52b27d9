import t from 'tap'
import { openWebApp } from '../../../fakes/web-app.ts'

t.test('owners change roles and put people out; others may only leave', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  const path = `/api/stables/${web.stable}/members`
  const changed = await web.ask('owner', `PATCH ${path}/${web.users.vet}`, { body: { role: 'groom' } })
  t.match(changed.json, { user: web.users.vet, role: 'groom' })
  t.equal((await web.ask('groom', `DELETE ${path}/${web.users.vet}`)).status, 403)
  t.equal((await web.ask('groom', `DELETE ${path}/${web.users.groom}`)).status, 204)
  t.equal((await web.ask('groom', `GET ${path}`)).status, 404, 'rights end at once')
  t.equal((await web.ask('owner', `DELETE ${path}/${web.users.vet}`)).status, 204)
  t.equal((await web.ask('owner', `DELETE ${path}/${web.users.stranger}`)).status, 404)
})

t.test('a stable always has an owner', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  const path = `/api/stables/${web.stable}/members`
  t.equal((await web.ask('owner', `DELETE ${path}/${web.users.owner}`)).json.reason, 'last-owner')
  const step = { body: { role: 'vet' } }
  t.equal((await web.ask('owner', `PATCH ${path}/${web.users.owner}`, step)).json.reason, 'last-owner')
  await web.ask('owner', `PATCH ${path}/${web.users.groom}`, { body: { role: 'owner' } })
  const both = await Promise.all([
    web.ask('owner', `DELETE ${path}/${web.users.owner}`),
    web.ask('groom', `DELETE ${path}/${web.users.groom}`),
  ])
  t.strictSame(both.map(({ status }) => status).toSorted(), [204, 409], 'two who leave at once: one stays')
})

t.test(
  'who did what in a stable is written down and shown to its owners, newest first, page by page',
  async (t) => {
    const web = await openWebApp()
    t.after(() => web.close())
    for (const name of ['Sol', 'Mora', 'Luna'])
      await web.ask('owner', `POST /api/stables/${web.stable}/horses`, { body: { name } })
    await web.ask('stranger', `POST /api/stables/${web.otherStable}/horses`, { body: { name: 'Rayo' } })
    const page = await web.ask('owner', `GET /api/stables/${web.stable}/audit?limit=2`)
    t.match(page.json.rows, [
      {
        action: 'horse.create',
        about: ['Luna'],
        detail: { name: 'Luna' },
        user: { id: web.users.owner, name: 'owner' },
      },
      { action: 'horse.create', detail: { name: 'Mora' } },
    ])
    const rest = await web.ask(
      'owner',
      `GET /api/stables/${web.stable}/audit?limit=2&before=${page.json.next}`,
    )
    t.match(rest.json, { rows: [{ detail: { name: 'Sol' } }], next: null })
    const all = await web.ask('admin', 'GET /api/audit')
    t.equal(all.json.rows.length, 4)
  },
)

t.test('the audit and what it tells of are written together or not at all', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  await web.db.sql.schema.alterTable('audit').renameTo('audit_away').execute()
  const { status, json } = await web.ask('owner', `POST /api/stables/${web.stable}/horses`, {
    body: { name: 'Sol' },
  })
  t.equal(status, 500)
  t.match(json, { type: '/problems/internal' })
  t.notMatch(JSON.stringify(json), /audit/, 'nothing of the fault leaks')
  const cards = await web.ask('owner', `GET /api/stables/${web.stable}/horses`)
  t.equal(cards.json.length, 1)
})
