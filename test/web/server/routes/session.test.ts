import t from 'tap'
import { hashPassword } from '../../../../web/server/src/auth/passwords.ts'
import { ABSOLUTE_MS, IDLE_MS } from '../../../../web/server/src/auth/sessions.ts'
import { hashOf } from '../../../../web/server/src/auth/tokens.ts'
import { type Answer, ORIGIN, openWebApp } from '../../../fakes/web-app.ts'

const PASSWORD = 'a stable secret'
const DAY_MS = 86_400_000
const stored = await hashPassword(PASSWORD, { memory: 64, passes: 1, parallelism: 1 })

/** The app, with a password for the owner. */
async function open(more: Parameters<typeof openWebApp>[0] = {}) {
  const web = await openWebApp(more)
  await web.db.sql
    .updateTable('users')
    .set({ password_hash: stored })
    .where('id', '=', web.users.owner)
    .execute()
  return web
}

/** `session=<token>` of an answer. */
function cookieOf({ headers }: Answer): string {
  return String(headers['set-cookie']).split(';')[0]!
}

const SIGN_IN = { body: { email: 'Owner@Stable.example ', password: PASSWORD } }

t.test('POST /api/session signs in and says who and where', async (t) => {
  const web = await open()
  t.after(() => web.close())
  const answer = await web.ask('nobody', 'POST /api/session', SIGN_IN)
  t.equal(answer.status, 200)
  t.match(answer.json, {
    user: { email: 'owner@stable.example', role: 'user', hasPassword: true },
    stables: [{ id: web.stable, role: 'owner' }],
    csrf: /^[\w-]{43}$/,
  })
  t.match(answer.headers['set-cookie'], /^session=[\w-]{32}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/)
  const again = await web.ask('nobody', 'GET /api/session', { headers: { cookie: cookieOf(answer) } })
  t.equal(again.json.user.id, web.users.owner)
  t.equal(again.json.csrf, answer.json.csrf)
})

t.test('the cookie of an https origin is __Host- and Secure', async (t) => {
  const origin = 'https://stable.example'
  const web = await open({ origin })
  t.after(() => web.close())
  const answer = await web.ask('nobody', 'POST /api/session', { ...SIGN_IN, headers: { origin } })
  t.match(answer.headers['set-cookie'], /^__Host-session=[\w-]{32}; Path=\/; .*; Secure$/)
  t.match(answer.headers, { 'strict-transport-security': /max-age=31536000/ })
})

t.test('only hashes of tokens are kept', async (t) => {
  const web = await open()
  t.after(() => web.close())
  const token = cookieOf(await web.ask('nobody', 'POST /api/session', SIGN_IN)).slice('session='.length)
  const rows = await web.db.sql.selectFrom('sessions').selectAll().execute()
  t.notOk(JSON.stringify(rows).includes(token))
  t.ok(rows.some((row) => row.token_hash === hashOf(token)))
})

t.test('session fixation: signing in never keeps the session that the browser came with', async (t) => {
  const web = await open()
  t.after(() => web.close())
  for (const planted of ['session=attackers-choice', web.headers('stranger')['cookie']!]) {
    const answer = await web.ask('nobody', 'POST /api/session', { ...SIGN_IN, headers: { cookie: planted } })
    t.equal(answer.status, 200)
    t.not(cookieOf(answer), planted)
    const before = await web.ask('nobody', 'GET /api/session', { headers: { cookie: planted } })
    t.equal(before.json.user, null, 'what was planted opens nothing')
  }
})

t.test('a session ends when it is not used, and after its time however much it is used', async (t) => {
  const web = await open()
  t.after(() => web.close())
  const headers = { cookie: cookieOf(await web.ask('nobody', 'POST /api/session', SIGN_IN)) }
  const isIn = async () => (await web.ask('nobody', 'GET /api/me', { headers })).status === 200
  const began = web.clock.now
  web.clock.now += IDLE_MS - 1
  t.equal(await isIn(), true)
  while (web.clock.now + 10 * DAY_MS < began + ABSOLUTE_MS) {
    web.clock.now += 10 * DAY_MS
    t.equal(await isIn(), true, 'used all the time')
  }
  web.clock.now = began + ABSOLUTE_MS
  t.equal(await isIn(), false)

  const other = { cookie: cookieOf(await web.ask('nobody', 'POST /api/session', SIGN_IN)) }
  web.clock.now += IDLE_MS + 1
  t.equal((await web.ask('nobody', 'GET /api/me', { headers: other })).status, 401, 'not used')
})

t.test('DELETE /api/session ends it, and the token opens nothing any more', async (t) => {
  const web = await open()
  t.after(() => web.close())
  const answer = await web.ask('owner', 'DELETE /api/session')
  t.equal(answer.status, 200)
  t.match(answer.headers['set-cookie'], /^session=; Path=\/; Max-Age=0/)
  t.equal((await web.ask('owner', 'GET /api/me')).status, 401)
})

t.test('a wrong password, an unknown address and a disabled account get the same answer', async (t) => {
  const web = await open()
  t.after(() => web.close())
  await web.db.sql
    .updateTable('users')
    .set({ password_hash: stored, disabled_at: 1 })
    .where('id', '=', web.users.groom)
    .execute()
  const bodies = [
    { email: 'owner@stable.example', password: 'wrong' },
    { email: 'nobody@stable.example', password: PASSWORD },
    { email: 'groom@stable.example', password: PASSWORD },
  ]
  const answers = await Promise.all(bodies.map((body) => web.ask('nobody', 'POST /api/session', { body })))
  for (const { status, json, headers } of answers) {
    t.equal(status, 401)
    t.strictSame(json, answers[0]!.json)
    t.notOk(headers['set-cookie'])
  }
})

t.test(
  'guessing is slowed down per account and address, and the right password does not help meanwhile',
  async (t) => {
    const web = await open()
    t.after(() => web.close())
    const guess = { body: { email: 'owner@stable.example', password: 'guess' } }
    for (let n = 0; n < 5; n++) t.equal((await web.ask('nobody', 'POST /api/session', guess)).status, 401)
    const slowed = await web.ask('nobody', 'POST /api/session', SIGN_IN)
    t.equal(slowed.status, 429)
    t.match(slowed.json, { type: '/problems/too-many-requests', retryAfter: 1 })
    t.equal(slowed.headers['retry-after'], '1')
    web.clock.now += 1000
    t.equal((await web.ask('nobody', 'POST /api/session', SIGN_IN)).status, 200)
  },
)

t.test('CSRF: a write by cookie needs the header that only our page knows', async (t) => {
  const web = await open()
  t.after(() => web.close())
  const body = { name: 'Other', zone: 'Europe/Madrid' }
  const { cookie } = web.headers('owner')
  const foreign = web.headers('groom')['x-csrf']!
  for (const headers of [
    { cookie: cookie!, 'x-csrf': '' },
    { cookie: cookie!, 'x-csrf': foreign },
  ]) {
    const { status, json } = await web.ask('nobody', 'POST /api/stables', { body, headers })
    t.equal(status, 403)
    t.equal(json.type, '/problems/csrf-missing')
  }
  t.equal((await web.ask('owner', 'POST /api/stables', { body })).status, 201)
})

t.test(
  'a foreign Origin is refused for every write, signed in or not, also to sign somebody in',
  async (t) => {
    const web = await open()
    t.after(() => web.close())
    const foreign = [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: `${ORIGIN}.evil.example` },
      { origin: ORIGIN.replace('http:', 'https:') },
    ]
    for (const headers of foreign) {
      t.equal((await web.ask('nobody', 'POST /api/session', { ...SIGN_IN, headers })).status, 403)
      const { status, json } = await web.ask('owner', 'PATCH /api/me', { body: { name: 'Eve' }, headers })
      t.equal(status, 403)
      t.equal(json.type, '/problems/foreign-origin')
    }
  },
)

t.test(
  'a browser that sends no Origin is told by Sec-Fetch-Site; a program sends neither and is let in',
  async (t) => {
    const web = await open()
    t.after(() => web.close())
    const statusOf = async (headers: Record<string, string>) =>
      (await web.app.inject({ method: 'POST', url: '/api/session', headers, payload: SIGN_IN.body }))
        .statusCode
    t.equal(await statusOf({ 'sec-fetch-site': 'cross-site' }), 403)
    t.equal(await statusOf({ 'sec-fetch-site': 'same-site' }), 403)
    t.equal(await statusOf({ 'sec-fetch-site': 'same-origin' }), 200)
    t.equal(await statusOf({}), 200)
  },
)

t.test('a form of another site cannot sign in: only JSON is read', async (t) => {
  const web = await open()
  t.after(() => web.close())
  for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x']) {
    const payload = 'email=owner%40stable.example&password=x'
    const headers = { 'content-type': type }
    t.equal((await web.app.inject({ method: 'POST', url: '/api/session', headers, payload })).statusCode, 415)
  }
})
