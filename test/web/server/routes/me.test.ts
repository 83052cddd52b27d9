import t from 'tap'
import { hashPassword } from '../../../../web/server/src/auth/passwords.ts'
import { openWebApp } from '../../../fakes/web-app.ts'

const stored = await hashPassword('the old secret', { memory: 64, passes: 1, parallelism: 1 })

async function open() {
  const web = await openWebApp()
  await web.db.sql
    .updateTable('users')
    .set({ password_hash: stored })
    .where('id', '=', web.users.vet)
    .execute()
  return web
}

t.test('PATCH /api/me changes name and language', async (t) => {
  const web = await open()
  t.after(() => web.close())
  const { status, json, headers } = await web.ask('vet', 'PATCH /api/me', {
    body: { name: ' Vera ', language: 'es' },
  })
  t.equal(status, 200)
  t.match(json.user, { name: 'Vera', language: 'es' })
  t.notOk(headers['set-cookie'], 'nothing was gained or lost: the session stays')
})

t.test(
  'PATCH /api/me: a new password needs the old one, ends every session, and begins a new one',
  async (t) => {
    const web = await open()
    t.after(() => web.close())
    for (const oldPassword of [undefined, 'wrong']) {
      const body = { password: 'the new secret', ...(oldPassword && { oldPassword }) }
      const { status, json } = await web.ask('vet', 'PATCH /api/me', { body })
      t.equal(status, 422)
      t.equal(json.reason, 'old-password')
    }
    const known = { body: { email: 'vet@stable.example', password: 'the old secret' } }
    const phone = String((await web.ask('nobody', 'POST /api/session', known)).headers['set-cookie']).split(
      ';',
    )[0]!
    const isIn = async () =>
      (await web.ask('nobody', 'GET /api/me', { headers: { cookie: phone } })).status === 200
    t.equal(await isIn(), true)
    const body = { password: 'the new secret', oldPassword: 'the old secret' }
    const { status, headers, json } = await web.ask('vet', 'PATCH /api/me', { body })
    t.equal(status, 200)
    t.equal((await web.ask('vet', 'GET /api/me')).status, 401, 'the session before has ended')
    t.equal(await isIn(), false, 'and the one on another device')
    const cookie = String(headers['set-cookie']).split(';')[0]!
    const own = { cookie, 'x-csrf': json.csrf }
    t.equal((await web.ask('nobody', 'PATCH /api/me', { body: { name: 'V' }, headers: own })).status, 200)
    const signIn = { body: { email: 'vet@stable.example', password: 'the new secret' } }
    t.equal((await web.ask('nobody', 'POST /api/session', signIn)).status, 200)
  },
)

t.test('PATCH /api/me refuses short passwords and fields that are nobody’s to set', async (t) => {
  const web = await open()
  t.after(() => web.close())
  for (const body of [
    { password: 'short', oldPassword: 'the old secret' },
    { role: 'admin' },
    { email: 'x@y.z' },
  ])
    t.equal((await web.ask('vet', 'PATCH /api/me', { body })).status, 400)
})
