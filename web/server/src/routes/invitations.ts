import { AcceptSchema, InvitationSchema, SessionSchema } from '@pesebre/contract/api/session'
import Type from 'typebox'
import type { App } from '../app.ts'
import { actorOf, audit } from '../audit.ts'
import { findLink, useLink } from '../auth/links.ts'
import { insertUser, normalEmail } from '../auth/new-user.ts'
import { hashPassword } from '../auth/passwords.ts'
import type { SignedIn } from '../auth/sessions.ts'
import { sessionBody, setSessionCookie, signIn } from '../auth/sign-in.ts'
import type { Deps } from '../deps.ts'
import { Problem } from '../problems.ts'

const ParamsSchema = Type.Object({ token: Type.String({ maxLength: 64 }) })

/** GET, POST /api/invitations/{token}: what a link offers, and taking it. */
export function invitationRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/invitations/:token',
    {
      config: { access: 'public' },
      schema: { params: ParamsSchema, response: { 200: InvitationSchema } },
    },
    async ({ params }) => {
      const link = await open(deps, params.token)
      const stable =
        link.stable_id === null
          ? undefined
          : await deps.db.sql
              .selectFrom('stables')
              .select(['id', 'name'])
              .where('id', '=', link.stable_id)
              .executeTakeFirst()
      const by = await deps.db.sql
        .selectFrom('users')
        .select('name')
        .where('id', '=', link.invited_by ?? '')
        .executeTakeFirst()
      return {
        kind: link.kind === 'stable' ? ('stable' as const) : ('account' as const),
        stable: stable ?? null,
        role: link.role ?? '',
        by: by?.name ?? '',
        email: link.email,
        expires: link.expires_at,
      }
    },
  )

  app.post(
    '/api/invitations/:token',
    {
      config: { access: 'public' },
      schema: { params: ParamsSchema, body: AcceptSchema, response: { 200: SessionSchema } },
    },
    async (request, reply) => {
      const now = deps.now()
      const link = await open(deps, request.params.token)
      const known = request.identity?.user
      if (known !== undefined && link.email !== null && link.email !== known.email)
        throw new Problem('conflict', { detail: 'The link is for another address', reason: 'email' })
      if (known !== undefined && link.kind === 'account')
        throw new Problem('conflict', { detail: 'Sign out first: the link makes a new account' })
      const fresh = known === undefined ? await readNewUser(request.body, link.email) : undefined

      const { user, token } = await deps.db.write(async (tx) => {
        const role = link.kind === 'account' && link.role === 'admin' ? 'admin' : 'user'
        const user: SignedIn = known ?? (await insertUser(tx, { ...fresh!, role, at: now }))
        if (!(await useLink(tx, link.id, { by: user.id, now }))) throw new Problem('link-used')
        const stable = link.stable_id
        if (stable !== null) {
          const role = link.role as 'owner' | 'groom' | 'vet'
          const member = { stable_id: stable, user_id: user.id }
          // Somebody who belongs to the stable already gets the role of the link.
          await tx
            .deleteFrom('members')
            .where('stable_id', '=', stable)
            .where('user_id', '=', user.id)
            .execute()
          await tx
            .insertInto('members')
            .values({ ...member, role, created_at: now })
            .execute()
        }
        await audit(
          tx,
          { ...actorOf(request, now), user },
          {
            action: 'invitation.accept',
            subject: link.id,
            detail: { role: link.role },
            ...(stable !== null && { stable }),
          },
        )
        // A new session either way: what somebody may do has changed.
        return { user, token: await signIn(deps, request, { tx, user: user.id, method: 'invitation' }) }
      })
      setSessionCookie(reply, deps.origin, token)
      return sessionBody(deps, user, token)
    },
  )
}

async function open(deps: Deps, token: string) {
  const link = await findLink(deps.db.sql, token, deps.now())
  if (link === undefined || link.kind === 'setup') throw new Problem('link-used')
  return link
}

async function readNewUser(body: Type.Static<typeof AcceptSchema>, only: string | null) {
  const { name, password, language = 'es' } = body
  const email = body.email ?? only ?? undefined
  const missing = Object.entries({ name, email, password }).filter(([, value]) => value === undefined)
  if (name === undefined || email === undefined || password === undefined) {
    const errors = missing.map(([path]) => ({ path: `/${path}`, message: 'is needed for a new account' }))
    throw new Problem('invalid', { errors })
  }
  if (only !== null && normalEmail(email) !== only)
    throw new Problem('conflict', { detail: 'The link is for another address', reason: 'email' })
  return { name, email, language, passwordHash: await hashPassword(password) }
}
