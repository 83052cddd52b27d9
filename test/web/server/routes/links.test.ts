import t from 'tap'
import { LINK_MS, setupLink } from '../../../../web/server/src/auth/links.ts'
import { openDatabase } from '../../../../web/server/src/db/database.ts'
import { openWebApp, type WebApp } from '../../../fakes/web-app.ts'

const PERSON = { name: 'Nuria', email: 'nuria@stable.example', password: 'a stable secret' }

async function withoutAdmin(): Promise<WebApp> {
  const web = await openWebApp()
  await web.db.sql.deleteFrom('users').where('role', '=', 'admin').execute()
  return web
}

async function invite(web: WebApp, body: object): Promise<string> {
  const { status, json } = await web.ask('owner', `POST /api/stables/${web.stable}/members`, { body })
  if (status !== 201) throw new Error(JSON.stringify(json))
  return String(json.link).split('#')[1]!
}

t.test('POST /api/setup makes the first admin, once', async (t) => {
  const web = await withoutAdmin()
  t.after(() => web.close())
  t.equal((await web.ask('nobody', 'GET /api/session')).json.needsSetup, true)
  const first = await setupLink(web.db, web.clock.now)
  const token = await setupLink(web.db, web.clock.now)
  const setup = (token: string | undefined, body = PERSON) =>
    web.ask('nobody', 'POST /api/setup', { body: { ...body, token } })

  t.equal((await setup(first)).status, 410, 'the link of an earlier start has ended')
  t.equal((await setup('guess')).status, 410)
  const { status, json, headers } = await setup(token)
  t.equal(status, 201)
  t.match(json.user, { role: 'admin', email: 'nuria@stable.example' })
  t.ok(headers['set-cookie'])
  t.equal((await setup(token, { ...PERSON, email: 'eve@stable.example' })).status, 410, 'token reuse')
  t.equal(await setupLink(web.db, web.clock.now), undefined, 'there is an admin now')
  t.equal((await web.ask('nobody', 'GET /api/session')).json.needsSetup, false)
})

t.test('setupLink() takes a token that the operator has chosen; it ends after a day', async (t) => {
  const web = await withoutAdmin()
  t.after(() => web.close())
  const token = 'chosen-by-the-operator-000'
  t.equal(await setupLink(web.db, web.clock.now, token), token)
  web.clock.now += LINK_MS.setup
  t.equal((await web.ask('nobody', 'POST /api/setup', { body: { ...PERSON, token } })).status, 410)
})

t.test('two people who open the setup link at once make one admin', async (t) => {
  const web = await withoutAdmin()
  t.after(() => web.close())
  const token = await setupLink(web.db, web.clock.now)
  const answers = await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      web.ask('nobody', 'POST /api/setup', { body: { ...PERSON, email: `${name}@stable.example`, token } }),
    ),
  )
  t.strictSame(answers.map(({ status }) => status).toSorted(), [201, 410, 410])
  const admins = await web.db.sql.selectFrom('users').select('id').where('role', '=', 'admin').execute()
  t.equal(admins.length, 1)
})

t.test('an invitation makes a member of somebody new, once', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  const token = await invite(web, { role: 'groom' })
  const seen = await web.ask('nobody', `GET /api/invitations/${token}`)
  t.match(seen.json, { kind: 'stable', stable: { id: web.stable }, role: 'groom', by: 'owner', email: null })
  const missing = await web.ask('nobody', `POST /api/invitations/${token}`, { body: { name: 'Nuria' } })
  t.equal(missing.status, 400)
  t.strictSame(
    missing.json.errors.map(({ path }: { path: string }) => path),
    ['/email', '/password'],
  )
  const { status, json } = await web.ask('nobody', `POST /api/invitations/${token}`, { body: PERSON })
  t.equal(status, 200)
  t.match(json, { user: { role: 'user' }, stables: [{ id: web.stable, role: 'groom' }] })
  t.equal((await web.ask('nobody', `GET /api/invitations/${token}`)).status, 410)
  const again = await web.ask('stranger', `POST /api/invitations/${token}`, { body: {} })
  t.equal(again.status, 410, 'token reuse')
})

t.test('an invitation makes a member of who is signed in, with a new session', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  const token = await invite(web, { role: 'vet' })
  const { status, json, headers } = await web.ask('stranger', `POST /api/invitations/${token}`, { body: {} })
  t.equal(status, 200)
  t.match(json.stables, [
    { name: 'El Soto', role: 'owner' },
    { id: web.stable, role: 'vet' },
  ])
  t.ok(headers['set-cookie'])
  t.equal(
    (await web.ask('stranger', 'GET /api/me')).status,
    401,
    'the session before has ended: rights have changed',
  )
})

t.test(
  'an invitation for one address is for nobody else, and ends when it is taken back or too old',
  async (t) => {
    const web = await openWebApp()
    t.after(() => web.close())
    const token = await invite(web, { role: 'vet', email: 'Nuria@stable.example' })
    t.equal((await web.ask('stranger', `POST /api/invitations/${token}`, { body: {} })).json.reason, 'email')
    const other = { ...PERSON, email: 'eve@stable.example' }
    t.equal((await web.ask('nobody', `POST /api/invitations/${token}`, { body: other })).json.reason, 'email')
    const members = await web.ask('owner', `GET /api/stables/${web.stable}/members`)
    const [waiting] = members.json.invitations
    t.match(waiting, { role: 'vet', email: 'nuria@stable.example' })
    t.notMatch(members.text, token, 'the link is shown once only')
    t.strictSame((await web.ask('groom', `GET /api/stables/${web.stable}/members`)).json.invitations, [])
    t.equal(
      (await web.ask('stranger', `DELETE /api/stables/${web.otherStable}/invitations/${waiting.id}`)).status,
      404,
    )
    t.equal(
      (await web.ask('owner', `DELETE /api/stables/${web.stable}/invitations/${waiting.id}`)).status,
      204,
    )
    t.equal((await web.ask('nobody', `POST /api/invitations/${token}`, { body: PERSON })).status, 410)

    const late = await invite(web, { role: 'vet' })
    web.clock.now += LINK_MS.stable
    t.equal((await web.ask('nobody', `GET /api/invitations/${late}`)).status, 410)
  },
)

t.test('an admin’s invitation makes an account with its role; a setup link is no invitation', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  const body = { email: PERSON.email, role: 'admin' }
  const { json } = await web.ask('admin', 'POST /api/users', { body })
  const token = String(json.link).split('#')[1]!
  const made = await web.ask('nobody', `POST /api/invitations/${token}`, { body: PERSON })
  t.match(made.json.user, { role: 'admin', email: PERSON.email })
  t.equal((await web.ask('admin', 'POST /api/users', { body })).json.reason, 'email')

  const db = await openDatabase(':memory:')
  t.after(() => db.close())
  const setup = await setupLink(db, 0)
  const fresh = await openWebApp({ db })
  t.equal((await fresh.ask('nobody', `GET /api/invitations/${setup}`)).status, 410)
  await fresh.app.close()
})
