import { SessionSchema, SignedOutSchema, SignInSchema } from '@pesebre/contract/api/session'
import { userOf } from '../access.ts'
import type { App } from '../app.ts'
import { actorOf, audit } from '../audit.ts'
import { cookieJar } from '../auth/cookies.ts'
import { normalEmail } from '../auth/new-user.ts'
import { verifyPassword } from '../auth/passwords.ts'
import { endSession, signedIn } from '../auth/sessions.ts'
import { sessionBody, setSessionCookie, signIn } from '../auth/sign-in.ts'
import { Throttle } from '../auth/throttle.ts'
import type { Deps } from '../deps.ts'
import { Problem } from '../problems.ts'

/** Signing in and out: GET, POST, DELETE /api/session. */
export function sessionRoutes(app: App, deps: Deps): void {
  const throttle = new Throttle()

  app.get(
    '/api/session',
    { config: { access: 'public' }, schema: { response: { 200: SessionSchema } } },
    async ({ identity }) => sessionBody(deps, identity?.user ?? null, identity?.token),
  )

  app.post(
    '/api/session',
    { config: { access: 'sign-in' }, schema: { body: SignInSchema, response: { 200: SessionSchema } } },
    async (request, reply) => {
      const email = normalEmail(request.body.email)
      const now = deps.now()
      const waitMs = throttle.wait(email, request.ip, now)
      if (waitMs > 0) throw new Problem('too-many-requests', { retryAfter: Math.ceil(waitMs / 1000) })
      const row = await deps.db.sql
        .selectFrom('users')
        .selectAll()
        .where('email', '=', email)
        .executeTakeFirst()
      const isRight = await verifyPassword(request.body.password, row?.password_hash ?? null)
      if (row === undefined || !isRight || row.disabled_at !== null) {
        throttle.failed(email, request.ip, now)
        throw new Problem('wrong-credentials')
      }
      throttle.succeeded(email, request.ip)
      const user = signedIn(row)
      const token = await deps.db.write(async (tx) => {
        await audit(tx, { ...actorOf(request, now), user }, { action: 'session.create', subject: user.id })
        return signIn(deps, request, { tx, user: user.id, method: 'password' })
      })
      setSessionCookie(reply, deps.origin, token)
      return sessionBody(deps, user, token)
    },
  )

  app.delete(
    '/api/session',
    { config: { access: 'self' }, schema: { response: { 200: SignedOutSchema } } },
    async (request, reply) => {
      const token = request.identity?.token
      if (token === undefined)
        throw new Problem('invalid', { detail: 'A bearer token ends by its own time, not here' })
      const user = userOf(request)
      const method = await deps.db.write(async (tx) => {
        const found = await endSession(tx, token)
        await audit(tx, actorOf(request, deps.now()), { action: 'session.delete', subject: user.id })
        return found
      })
      reply.header('set-cookie', cookieJar(deps.origin).write('session', '', 0))
      return { next: method === 'oidc' ? (deps.oidc?.logoutUrl() ?? null) : null }
    },
  )
}
