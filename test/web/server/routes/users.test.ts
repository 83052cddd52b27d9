import t from 'tap'
import { openWebApp } from '../../../fakes/web-app.ts'

t.test('GET /api/users shows everybody and their stables', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  const { json } = await web.ask('admin', 'GET /api/users')
  t.equal(json.length, 5)
  t.match(
    json.find(({ name }: { name: string }) => name === 'groom'),
    { email: 'groom@stable.example', stables: [{ id: web.stable, role: 'groom' }], seenAt: web.clock.now },
  )
  t.notMatch(JSON.stringify(json), /argon2|password_hash/)
})

t.test('a new role, and being disabled, end all sessions at once', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  t.equal((await web.ask('groom', 'GET /api/me')).status, 200)
  const { json } = await web.ask('admin', `PATCH /api/users/${web.users.groom}`, { body: { role: 'admin' } })
  t.equal(json.role, 'admin')
  t.equal((await web.ask('groom', 'GET /api/me')).status, 401)
  t.equal(
    (await web.ask('admin', `PATCH /api/users/${web.users.vet}`, { body: { disabled: true } })).status,
    200,
  )
  t.equal((await web.ask('vet', 'GET /api/me')).status, 401)
})

t.test('there is always an admin', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  for (const body of [{ role: 'user' }, { disabled: true }])
    t.equal(
      (await web.ask('admin', `PATCH /api/users/${web.users.admin}`, { body })).json.reason,
      'last-admin',
    )
})
