import t from 'tap'
import { createBearer } from '../../../../web/server/src/auth/bearer.ts'
import { createOidc, logoutUrlOf, type OidcSettings, personOf } from '../../../../web/server/src/auth/oidc.ts'
import { CLIENT_ID, startOidcProvider } from '../../../fakes/oidc-provider.ts'
import { openTestDatabase } from '../../../fakes/test-database.ts'
import { ORIGIN, openWebApp } from '../../../fakes/web-app.ts'

type Given = Partial<OidcSettings> & { audience?: string }

/** The app with a provider, and somebody whose browser goes there and back. */
async function open(given: Given = {}) {
  const provider = await startOidcProvider()
  const settings = {
    issuer: provider.issuer,
    clientId: CLIENT_ID,
    clientSecret: undefined,
    name: 'Stable SSO',
    createsUsers: false,
    audience: undefined,
    ...given,
  }
  const oidc = createOidc(settings, ORIGIN)
  const db = await openTestDatabase()
  const bearer = createBearer(db, settings, { jwksUri: oidc.jwksUri, now: Date.now })
  const web = await openWebApp({ db, oidc, bearer })

  async function begin(): Promise<{ back: URL; cookie: string }> {
    const { status, headers } = await web.ask('nobody', 'GET /api/oidc/login')
    t.equal(status, 302)
    const back = await provider.authorize(String(headers.location))
    return { back, cookie: String(headers['set-cookie']).split(';')[0]! }
  }
  async function finish(back: URL, cookie: string) {
    const answer = await web.ask('nobody', `GET ${back.pathname}${back.search}`, { headers: { cookie } })
    const set = [answer.headers['set-cookie'] ?? []].flat()
    const session = set.map((one) => one.split(';')[0]!).find((one) => /^session=./.test(one))
    return { status: answer.status, location: answer.headers.location, session }
  }
  return {
    web,
    provider,
    begin,
    finish,
    async signIn() {
      const { back, cookie } = await begin()
      return finish(back, cookie)
    },
    async close() {
      await web.close()
      await provider.close()
    },
  }
}

t.test(
  'somebody whose verified address has an account signs in at the provider, and is known by subject from then on',
  async (t) => {
    const one = await open()
    t.after(() => one.close())
    one.provider.claims['email'] = 'Vet@stable.example'
    const first = await one.signIn()
    t.match(first, { status: 302, location: '/' })
    const me = await one.web.ask('nobody', 'GET /api/session', { headers: { cookie: first.session! } })
    t.equal(me.json.user.id, one.web.users.vet)
    t.strictSame(me.json.oidc, { name: 'Stable SSO' })
    one.provider.claims['email'] = 'moved@elsewhere.example'
    const second = await one.signIn()
    const again = await one.web.ask('nobody', 'GET /api/me', { headers: { cookie: second.session! } })
    t.equal(again.json.id, one.web.users.vet)

    const headers = { cookie: second.session!, 'x-csrf': '' }
    const { json } = await one.web.ask('nobody', 'GET /api/session', { headers })
    const out = await one.web.ask('nobody', 'DELETE /api/session', {
      headers: { ...headers, 'x-csrf': json.csrf },
    })
    const next = new URL(out.json.next)
    t.equal(next.pathname, '/logout')
    t.equal(next.searchParams.get('post_logout_redirect_uri'), `${ORIGIN}/`)
  },
)

t.test(
  'somebody who is not known gets in only where accounts are made by the provider, and only with a verified address',
  async (t) => {
    const closed = await open()
    t.after(() => closed.close())
    t.match(await closed.signIn(), { location: '/sign-in?problem=unknown', session: undefined })
    const free = await open({ createsUsers: true })
    t.after(() => free.close())
    free.provider.claims['email_verified'] = false
    t.match(await free.signIn(), { location: '/sign-in?problem=unknown', session: undefined })
    free.provider.claims['email_verified'] = true
    const { session } = await free.signIn()
    const me = await free.web.ask('nobody', 'GET /api/me', { headers: { cookie: session! } })
    t.match(me.json, { name: 'Nuria', role: 'user', hasPassword: false })
  },
)

t.test(
  'an address that is not verified takes over nobody’s account, and a disabled one stays shut',
  async (t) => {
    const one = await open({ createsUsers: true })
    t.after(() => one.close())
    Object.assign(one.provider.claims, { email: 'owner@stable.example', email_verified: false })
    t.match(await one.signIn(), { location: '/sign-in?problem=unknown', session: undefined })
    one.provider.claims['email_verified'] = true
    await one.web.db.sql
      .updateTable('users')
      .set({ disabled_at: 1 })
      .where('id', '=', one.web.users.owner)
      .execute()
    t.match(await one.signIn(), { location: '/sign-in?problem=unknown', session: undefined })
  },
)

t.test('an answer that was not asked for by this browser signs nobody in', async (t) => {
  const one = await open()
  t.after(() => one.close())
  one.provider.claims['email'] = 'vet@stable.example'
  const refused = { status: 302, session: undefined }
  const { back, cookie } = await one.begin()
  t.match(
    await one.finish(back, 'oidc='),
    { ...refused, location: '/sign-in?problem=expired' },
    'no cookie: login CSRF',
  )
  const other = await one.begin()
  t.match(
    await one.finish(back, other.cookie),
    { ...refused, location: '/sign-in?problem=elsewhere' },
    'another state',
  )
  const forged = new URL(back)
  forged.searchParams.set('code', 'stolen')
  t.match(await one.finish(forged, cookie), refused, 'another code')
  const failed = new URL(`${ORIGIN}/api/oidc/callback?error=access_denied`)
  t.match(await one.finish(failed, cookie), refused)
  t.match(await one.finish(other.back, other.cookie), { location: '/' }, 'and the right one still works')
  t.match(await one.finish(other.back, other.cookie), refused, 'once')
  for (const wrong of [{ nonce: 'replayed' }, { aud: 'somebody-else' }, { iss: 'https://evil.example' }]) {
    one.provider.forged = wrong
    t.match(
      await one.signIn(),
      { ...refused, location: '/sign-in?problem=elsewhere' },
      Object.keys(wrong)[0]!,
    )
  }
})

t.test('a provider that is away is said so, and asked again later', async (t) => {
  const one = await open()
  await one.provider.close()
  t.after(() => one.web.close())
  const { status, headers } = await one.web.ask('nobody', 'GET /api/oidc/login')
  t.equal(status, 302)
  t.equal(headers.location, '/sign-in?problem=elsewhere')
})

t.test('a bearer token of the provider stands for its person, without CSRF header', async (t) => {
  const one = await open({ audience: 'pesebre-api' })
  t.after(() => one.close())
  const soon = Math.floor(Date.now() / 1000) + 300
  const good = {
    sub: 'person-1',
    aud: 'pesebre-api',
    exp: soon,
    email: 'groom@stable.example',
    email_verified: true,
  }
  const ask = async (token: string, route = 'GET /api/me', body?: object) =>
    one.web.ask('nobody', route, { headers: { authorization: `Bearer ${token}` }, ...(body && { body }) })
  t.equal((await ask(await one.provider.token(good))).json.id, one.web.users.groom)
  const changed = await ask(await one.provider.token({ ...good, email: undefined }), 'PATCH /api/me', {
    name: 'Gus',
  })
  t.match(changed.json, { user: { name: 'Gus' }, csrf: null }, 'known by subject now')
  t.equal((await ask(await one.provider.token(good), `GET /api/stables/${one.web.otherStable}`)).status, 404)

  const wrong = {
    'for somebody else': { ...good, aud: 'other' },
    'of another issuer': { ...good, iss: 'https://evil.example' },
    'too old': { ...good, exp: soon - 1000 },
    'without an end': { ...good, exp: undefined },
    'of nobody that we know': { ...good, sub: 'person-2', email: undefined },
  }
  for (const [what, claims] of Object.entries(wrong)) {
    const { status, json } = await ask(await one.provider.token(claims))
    t.equal(status, 401, what)
    t.equal(json.type, '/problems/not-signed-in')
  }
  const [, payload] = (await one.provider.token(good)).split('.')
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  for (const token of [
    '',
    'nonsense',
    `${none}.${payload}.`,
    `${(await one.provider.token(good)).slice(0, -4)}AAAA`,
  ])
    t.equal((await ask(token)).status, 401)
})

t.test(
  'Cognito’s access tokens name the client in client_id, and its sign-out takes logout_uri',
  async (t) => {
    const one = await open()
    t.after(() => one.close())
    const exp = Math.floor(Date.now() / 1000) + 300
    const statusOf = async (claims: object) => {
      const authorization = `Bearer ${await one.provider.token({ sub: 'person-1', exp, ...claims })}`
      return (await one.web.ask('nobody', 'GET /api/me', { headers: { authorization } })).status
    }
    await one.web.db.sql
      .updateTable('users')
      .set({ oidc_issuer: one.provider.issuer, oidc_subject: 'person-1' })
      .where('id', '=', one.web.users.vet)
      .execute()
    t.equal(await statusOf({ token_use: 'access', client_id: CLIENT_ID }), 200)
    t.equal(await statusOf({ token_use: 'access', client_id: 'other' }), 401)
    t.equal(await statusOf({ client_id: CLIENT_ID }), 401, 'no use is named')

    const metadata = {
      issuer: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc',
      end_session_endpoint: 'https://pesebre.auth.eu-west-1.amazoncognito.com/logout',
    }
    t.equal(
      logoutUrlOf(metadata, 'abc', 'https://stable.example/'),
      `${metadata.end_session_endpoint}?client_id=abc&logout_uri=https%3A%2F%2Fstable.example%2F`,
    )
    t.equal(logoutUrlOf({ issuer: 'https://x.example' }, 'abc', '/'), undefined)
    t.equal(personOf({ sub: 'x', email: 'a@b.example', email_verified: 'true' }).email, 'a@b.example')
  },
)

t.test('without a provider there is nothing to sign in at, and a bearer token is nobody', async (t) => {
  const web = await openWebApp()
  t.after(() => web.close())
  t.equal((await web.ask('nobody', 'GET /api/oidc/login')).status, 404)
  t.equal((await web.ask('nobody', 'GET /api/me', { headers: { authorization: 'Bearer x' } })).status, 401)
})
