import { SessionSchema } from '@pesebre/contract/api/session'
import { MeChangeSchema, UserSchema } from '@pesebre/contract/api/user'
import { userOf } from '../access.ts'
import type { App } from '../app.ts'
import { actorOf, audit } from '../audit.ts'
import { hashPassword, verifyPassword } from '../auth/passwords.ts'
import { endSessionsOf, signedIn } from '../auth/sessions.ts'
import { sessionBody, setSessionCookie, signIn } from '../auth/sign-in.ts'
import { Throttle } from '../auth/throttle.ts'
import type { Deps } from '../deps.ts'
import { Problem } from '../problems.ts'

/** GET, PATCH /api/me: one's own account. */
export function meRoutes(app: App, deps: Deps): void {
  const throttle = new Throttle()

  app.get(
    '/api/me',
    { config: { access: 'self' }, schema: { response: { 200: UserSchema } } },
    async (request) => userOf(request),
  )

  app.patch(
    '/api/me',
    { config: { access: 'self' }, schema: { body: MeChangeSchema, response: { 200: SessionSchema } } },
    async (request, reply) => {
      const { name, language, password, oldPassword } = request.body
      const me = userOf(request)
      const now = deps.now()
      if (password !== undefined) await checkOldPassword(me.id, oldPassword)
      const passwordHash = password === undefined ? undefined : await hashPassword(password)
      const changes = {
        ...(name !== undefined && { name: name.trim() }),
        ...(language !== undefined && { language }),
        ...(passwordHash !== undefined && { password_hash: passwordHash }),
      }
      if (Object.keys(changes).length === 0) return sessionBody(deps, me, request.identity?.token)
      const token = await deps.db.write(async (tx) => {
        await tx.updateTable('users').set(changes).where('id', '=', me.id).execute()
        await audit(tx, actorOf(request, now), {
          action: 'user.change',
          subject: me.id,
          detail: { name, language, ...(passwordHash !== undefined && { password: 'changed' }) },
        })
        if (passwordHash === undefined || request.identity?.token === undefined)
          return request.identity?.token
        // Whoever knew the old password, or holds a session made with it, is out.
        await endSessionsOf(tx, me.id)
        return signIn(deps, request, { tx, user: me.id, method: 'password' })
      })
      if (token !== undefined && token !== request.identity?.token)
        setSessionCookie(reply, deps.origin, token)
      const row = await deps.db.sql
        .selectFrom('users')
        .selectAll()
        .where('id', '=', me.id)
        .executeTakeFirstOrThrow()
      return sessionBody(deps, signedIn(row), token)
    },
  )

  /** A session left open on a shared computer is not enough to take the account over. */
  async function checkOldPassword(user: string, given: string | undefined): Promise<void> {
    const now = deps.now()
    const waitMs = throttle.wait(user, 'own', now)
    if (waitMs > 0) throw new Problem('too-many-requests', { retryAfter: Math.ceil(waitMs / 1000) })
    const row = await deps.db.sql
      .selectFrom('users')
      .select('password_hash')
      .where('id', '=', user)
      .executeTakeFirst()
    if (row?.password_hash == null)
      throw new Problem('refused', { detail: 'This account signs in elsewhere and has no password here' })
    if (await verifyPassword(given ?? '', row.password_hash)) return
    throttle.failed(user, 'own', now)
    throw new Problem('refused', { detail: 'The old password is wrong', reason: 'old-password' })
  }
}
