import fastify from 'fastify'
import t from 'tap'
import { guardRoutes, PERMISSIONS } from '../../../web/server/src/access.ts'
import { answerError } from '../../../web/server/src/problems.ts'
import { ORIGIN, openWebApp, type WebApp, type Who } from '../../fakes/web-app.ts'

/** Who may use a route: anyone, whoever is signed in, admins, or these roles of the stable (and admins). */
type Row = 'anyone' | 'signed-in' | 'admin' | 'owner groom vet' | 'owner groom' | 'owner'

/** EVERY route of the server. A new route needs a row here, written by hand: that is the point. */
const ROUTES: Record<string, Row> = {
  'GET /*': 'anyone',
  'GET /api/openapi.json': 'anyone',
  'GET /api/session': 'anyone',
  'POST /api/session': 'anyone',
  'DELETE /api/session': 'signed-in',
  'POST /api/setup': 'anyone',
  'GET /api/invitations/:token': 'anyone',
  'POST /api/invitations/:token': 'anyone',
  'GET /api/oidc/login': 'anyone',
  'GET /api/oidc/callback': 'anyone',
  'GET /api/me': 'signed-in',
  'PATCH /api/me': 'signed-in',
  'GET /api/stables': 'signed-in',
  'POST /api/stables': 'signed-in',
  'GET /api/stables/:stable': 'owner groom vet',
  'PATCH /api/stables/:stable': 'owner',
  'DELETE /api/stables/:stable': 'owner',
  'GET /api/stables/:stable/members': 'owner groom vet',
  'POST /api/stables/:stable/members': 'owner',
  'PATCH /api/stables/:stable/members/:user': 'owner',
  // Everybody may leave; the route lets only owners put somebody else out (routes/members.test.ts).
  'DELETE /api/stables/:stable/members/:user': 'owner groom vet',
  'DELETE /api/stables/:stable/invitations/:invitation': 'owner',
  'GET /api/stables/:stable/audit': 'owner',
  'GET /api/stables/:stable/horses': 'owner groom vet',
  'POST /api/stables/:stable/horses': 'owner',
  'GET /api/horses/:horse': 'owner groom vet',
  'PATCH /api/horses/:horse': 'owner',
  'DELETE /api/horses/:horse': 'owner',
  'POST /api/horses/:horse/feeds': 'owner groom',
  'GET /api/horses/:horse/feeds': 'owner groom vet',
  'DELETE /api/horses/:horse/feeds/:n': 'owner groom',
  'GET /api/horses/:horse/day': 'owner groom vet',
  'GET /api/horses/:horse/schedule': 'owner groom vet',
  'PUT /api/horses/:horse/schedule': 'owner',
  'GET /api/horses/:horse/limits': 'owner groom vet',
  'PUT /api/horses/:horse/limits': 'owner',
  'GET /api/horses/:horse/calibration': 'owner groom vet',
  'POST /api/horses/:horse/calibration': 'owner groom',
  'GET /api/horses/:horse/history': 'owner groom vet',
  'GET /api/horses/:horse/history/fields': 'owner groom vet',
  'POST /api/horses/:horse/picture': 'owner groom',
  'POST /api/horses/:horse/picture/done': 'owner groom',
  'GET /api/horses/:horse/picture': 'owner groom vet',
  'GET /api/horses/:horse/snapshot': 'owner groom vet',
  'GET /api/devices': 'admin',
  'GET /api/devices/proposal': 'admin',
  'POST /api/devices': 'admin',
  'GET /api/devices/:thing': 'admin',
  'PATCH /api/devices/:thing': 'admin',
  'POST /api/devices/:thing/disable': 'admin',
  'POST /api/devices/:thing/enable': 'admin',
  'POST /api/devices/:thing/revoke': 'admin',
  'POST /api/devices/:thing/replace': 'admin',
  'GET /api/devices/:thing/credentials/:token': 'admin',
  'GET /api/firmware/:kind/:file': 'admin',
  'PUT /api/devices/:thing/assignment': 'admin',
  'GET /api/fleet/numbers': 'admin',
  'GET /api/hops': 'admin',
  'GET /api/stables/:stable/alarms': 'owner groom vet',
  'POST /api/alarms/:alarm/acknowledge': 'owner groom',
  'GET /api/me/notifications': 'signed-in',
  'PUT /api/me/notifications': 'signed-in',
  'GET /api/push/key': 'signed-in',
  'POST /api/push/subscriptions': 'signed-in',
  'DELETE /api/push/subscriptions': 'signed-in',
  'GET /api/users': 'admin',
  'POST /api/users': 'admin',
  'PATCH /api/users/:user': 'admin',
  'GET /api/audit': 'admin',
}

const PEOPLE: readonly Who[] = ['admin', 'owner', 'groom', 'vet', 'stranger', 'nobody']
const ALARM = 'alm_aaaaaaaaaaaaaaaa'
const appDir = new URL('.', import.meta.url).pathname

/** The status that the guard answers with, 200 when it lets the request through. */
function expected(row: Row, who: Who): number {
  if (row === 'anyone') return 200
  if (who === 'nobody') return 401
  if (row === 'signed-in' || who === 'admin') return 200
  if (row === 'admin') return 403
  if (who === 'stranger') return 404
  return row.split(' ').includes(who) ? 200 : 403
}

function fill(url: string, web: WebApp): string {
  const { stable, horse, feeder: thing, users } = web
  const ids: Record<string, string> = {
    stable,
    horse,
    thing,
    alarm: ALARM,
    user: users.groom,
    n: '1',
    '*': '',
  }
  return url.replace(/:(\w+)|\*/g, (all, name: string | undefined) => ids[name ?? all] ?? 'x')
}

async function addAlarm({ db, clock, horse, stable, feeder }: WebApp): Promise<void> {
  const times = { raised_at: clock.now, updated_at: clock.now }
  const of = { thing: feeder, kind: 'jammed', horse_id: horse, stable_id: stable }
  await db.sql
    .insertInto('alarms')
    .values({ id: ALARM, ...of, detail: '{}', ...times })
    .execute()
}

t.test('every route has a row in the table above, and every row a route', async (t) => {
  const web = await openWebApp({ appDir })
  t.after(() => web.close())
  const routes = web.app.accessTable.filter(({ method }) => method !== 'HEAD')
  t.strictSame(routes.map(({ method, url }) => `${method} ${url}`).toSorted(), Object.keys(ROUTES).toSorted())
})

t.test('every route lets in whom the table says, and nobody else', async (t) => {
  const web = await openWebApp({ appDir })
  t.after(() => web.close())
  await addAlarm(web)

  // The same guard, the same addresses and permissions, with handlers that only say that they were reached.
  const reached = fastify()
  t.after(() => reached.close())
  reached.setErrorHandler(answerError)
  guardRoutes(reached, { db: web.db, now: () => web.clock.now, log: reached.log, origin: ORIGIN })
  for (const { method, url, access } of web.app.accessTable)
    if (method !== 'HEAD') reached.route({ method, url, config: { access }, handler: async () => 'reached' })

  for (const [route, row] of Object.entries(ROUTES)) {
    const [method, pattern] = route.split(' ') as [string, string]
    const url = fill(pattern, web)
    const got: Partial<Record<Who, number>> = {}
    for (const who of PEOPLE) {
      const headers = { origin: ORIGIN, ...web.headers(who) }
      const wanted = expected(row, who)
      got[who] = (await reached.inject({ method: method as 'GET', url, headers })).statusCode
      // And the app itself refuses those before their body is read.
      if (wanted !== 200) t.equal((await web.ask(who, `${method} ${url}`)).status, wanted, `${who}: ${route}`)
    }
    t.strictSame(got, Object.fromEntries(PEOPLE.map((who) => [who, expected(row, who)])), route)
  }
})

t.test('guardRoutes() refuses routes that it cannot guard', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  const app = fastify()
  guardRoutes(app, { db: web.db, now: () => web.clock.now, log: app.log, origin: ORIGIN })
  const handler = async () => 'reached'
  t.throws(() => app.get('/open', handler), /without config.access: GET \/open/)
  t.throws(
    () => app.get('/wrong', { config: { access: 'toString' as 'public' } }, handler),
    /without config.access/,
  )
  t.throws(
    () => app.get('/api/horses', { config: { access: 'horse.read' } }, handler),
    /Cannot tell the stable of a route/,
  )
})

t.test(
  'a device without a horse, a horse that was given away, and a stable that was given up are nobody’s',
  async (t) => {
    const web = await openWebApp()
    t.after(() => web.close())
    const app = fastify()
    t.after(() => app.close())
    app.setErrorHandler(answerError)
    guardRoutes(app, { db: web.db, now: () => web.clock.now, log: app.log, origin: ORIGIN })
    for (const name of ['thing', 'horse', 'stable'])
      app.get(`/${name}/:${name}`, { config: { access: 'horse.read' } }, async () => 'reached')
    const ask = async (url: string) => (await app.inject({ url, headers: web.headers('owner') })).statusCode

    t.equal(await ask(`/thing/${web.feeder}`), 200)
    await web.db.sql.updateTable('devices').set({ horse_id: null }).where('thing', '=', web.feeder).execute()
    t.equal(await ask(`/thing/${web.feeder}`), 404)
    t.equal(await ask(`/horse/${web.horse}`), 200)
    await web.db.sql.updateTable('horses').set({ archived_at: 1 }).where('id', '=', web.horse).execute()
    t.equal(await ask(`/horse/${web.horse}`), 404)
    t.equal(await ask(`/stable/${web.stable}`), 200)
    await web.db.sql.updateTable('stables').set({ archived_at: 1 }).where('id', '=', web.stable).execute()
    t.equal(await ask(`/stable/${web.stable}`), 404)
  },
)

t.test('PERMISSIONS gives nothing to a role that a smaller one lacks: vet <= groom <= owner', async (t) => {
  for (const [name, rule] of Object.entries(PERMISSIONS)) {
    if (typeof rule === 'string') continue
    const roles: readonly string[] = rule
    t.ok(!roles.includes('vet') || roles.includes('groom'), name)
    t.ok(roles.includes('owner'), name)
  }
})
