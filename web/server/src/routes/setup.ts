import { SessionSchema, SetupSchema } from '@pesebre/contract/api/session'
import type { App } from '../app.ts'
import { actorOf, audit } from '../audit.ts'
import { findLink, useLink } from '../auth/links.ts'
import { insertUser } from '../auth/new-user.ts'
import { hashPassword } from '../auth/passwords.ts'
import { sessionBody, setSessionCookie, signIn } from '../auth/sign-in.ts'
import type { Deps } from '../deps.ts'
import { Problem } from '../problems.ts'

/** POST /api/setup: whoever has the link out of the server's log becomes the first admin. */
export function setupRoutes(app: App, deps: Deps): void {
  app.post(
    '/api/setup',
    { config: { access: 'sign-in' }, schema: { body: SetupSchema, response: { 201: SessionSchema } } },
    async (request, reply) => {
      const { token, name, email, password, language = 'es' } = request.body
      const now = deps.now()
      const link = await findLink(deps.db.sql, token, now)
      if (link?.kind !== 'setup') throw new Problem('link-used')
      const passwordHash = await hashPassword(password)
      const made = await deps.db.write(async (tx) => {
        const admin = await tx.selectFrom('users').select('id').where('role', '=', 'admin').executeTakeFirst()
        if (admin !== undefined) throw new Problem('link-used')
        const user = await insertUser(tx, { email, name, role: 'admin', language, passwordHash, at: now })
        if (!(await useLink(tx, link.id, { by: user.id, now }))) throw new Problem('link-used')
        await audit(tx, { ...actorOf(request, now), user }, { action: 'user.setup', subject: user.id })
        return { user, token: await signIn(deps, request, { tx, user: user.id, method: 'password' }) }
      })
      setSessionCookie(reply, deps.origin, made.token)
      return reply.code(201).send(await sessionBody(deps, made.user, made.token))
    },
  )
}
