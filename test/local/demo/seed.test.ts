import { mkdirSync } from 'node:fs'
import t from 'tap'
import { DEMO_PASSWORD, demoEmail, seedWeb } from '../../../local/src/demo/seed.ts'
import { webClient } from '../../../local/src/demo/web-client.ts'
import { freePort } from '../../../local/src/supervisor/ports.ts'
import { createApp } from '../../../web/server/src/app.ts'
import { setupLink } from '../../../web/server/src/auth/links.ts'
import { openDatabase } from '../../../web/server/src/db/database.ts'
import { openWebApp } from '../../fakes/web-app.ts'

t.setTimeout(60_000)
const TOKEN = 'chosen-by-the-supervisor-0'

/** The web server on a socket, with nothing in its database. There are no feeders, so a schedule cannot be set. */
async function open(dir: string) {
  const port = await freePort('tcp')
  const url = `http://localhost:${port}`
  const db = await openDatabase(':memory:')
  const { app: silent } = await openWebApp()
  const app = await createApp({ db, now: Date.now, log: silent.log, origin: url })
  await setupLink(db, Date.now(), TOKEN)
  await app.listen({ host: '127.0.0.1', port })
  mkdirSync(`${dir}/demo`, { recursive: true })
  return {
    url,
    db,
    seed: () => seedWeb(url, { home: dir, setupToken: TOKEN, placements: [] }),
    async close() {
      await app.close()
      await silent.close()
      await db.close()
    },
  }
}

t.test('seedWeb() is finished by the next start when it was cut off, and makes nothing twice', async (t) => {
  const web = await open(t.testdir())
  t.after(() => web.close())
  for (let start = 0; start < 2; start++) {
    await t.rejects(web.seed(), { message: /^Cannot set up the demo: PUT .*\/schedule: 409/ })
    const names = async (table: 'users' | 'horses' | 'stables') =>
      (await web.db.sql.selectFrom(table).select('name').orderBy('name').execute()).map(({ name }) => name)
    t.strictSame(await names('users'), ['Ana Admin', 'Dra. Vera Vidal', 'Gus Green', 'Olga Ortega'])
    t.strictSame(await names('stables'), ['Yeguada Pesebre'])
    t.strictSame(await names('horses'), ['Bella', 'Mora', 'Sol'])
    const members = await web.db.sql.selectFrom('members').select('role').execute()
    t.strictSame(members.map(({ role }) => role).toSorted(), ['groom', 'owner', 'vet'])
  }
})

t.test('seedWeb() leaves a server alone that is somebody’s own by now', async (t) => {
  const web = await open(t.testdir())
  t.after(() => web.close())
  const admin = webClient(web.url)
  const me = { token: TOKEN, name: 'Nuria', email: 'nuria@stable.example', password: 'a stable secret' }
  await admin.call('POST', '/api/setup', me)
  t.equal(await web.seed(), false)
  const users = await web.db.sql.selectFrom('users').select('email').execute()
  t.equal(users.length, 1)
  const demo = { email: demoEmail('admin'), password: DEMO_PASSWORD }
  await t.rejects(webClient(web.url).call('POST', '/api/session', demo), { message: /401/ })
})
