import { InviteLinkSchema } from '@pesebre/contract/api/stable'
import { UserChangeSchema, UserInviteSchema, UserRowSchema } from '@pesebre/contract/api/user'
import { IdSchema } from '@pesebre/contract/api/values'
import type { Transaction } from 'kysely'
import Type from 'typebox'
import { userOf } from '../access.ts'
import type { App } from '../app.ts'
import { actorOf, audit } from '../audit.ts'
import { makeLink } from '../auth/links.ts'
import { normalEmail } from '../auth/new-user.ts'
import { endSessionsOf } from '../auth/sessions.ts'
import type { Tables } from '../db/schema.ts'
import type { Deps } from '../deps.ts'
import { Problem } from '../problems.ts'

const ParamsSchema = Type.Object({ user: IdSchema })

/** For admins: GET, POST /api/users; PATCH /api/users/{user}. */
export function userRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/users',
    { config: { access: 'users' }, schema: { response: { 200: Type.Array(UserRowSchema) } } },
    async () => readUsers(deps),
  )

  app.post(
    '/api/users',
    { config: { access: 'users' }, schema: { body: UserInviteSchema, response: { 201: InviteLinkSchema } } },
    async (request, reply) => {
      const by = userOf(request)
      const now = deps.now()
      const email = normalEmail(request.body.email)
      const { role } = request.body
      const { id, token, expires } = await deps.db.write(async (tx) => {
        const known = await tx.selectFrom('users').select('id').where('email', '=', email).executeTakeFirst()
        if (known !== undefined)
          throw new Problem('conflict', { detail: 'This address has an account', reason: 'email' })
        const made = await makeLink(tx, { kind: 'account', role, email }, { by: by.id, now })
        const entry = { action: 'user.invite', subject: made.id, detail: { email, role } }
        await audit(tx, actorOf(request, now), entry)
        return made
      })
      const link = `${deps.origin}/invitation#${token}`
      const mailed = await deps.mailInvitation?.({ to: email, by: by.name, link, language: by.language })
      return reply.code(201).send({ id, link, expires, mailed: mailed === true })
    },
  )

  app.patch(
    '/api/users/:user',
    {
      config: { access: 'users' },
      schema: { params: ParamsSchema, body: UserChangeSchema, response: { 200: UserRowSchema } },
    },
    async (request) => {
      const id = request.params.user
      const { role, disabled } = request.body
      const now = deps.now()
      await deps.db.write(async (tx) => {
        const before = await tx.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst()
        if (before === undefined) throw new Problem('not-found')
        if (before.role === 'admin' && before.disabled_at === null && (role === 'user' || disabled === true))
          await refuseLastAdmin(tx)
        const changes = {
          ...(role !== undefined && { role }),
          ...(disabled !== undefined && { disabled_at: disabled ? (before.disabled_at ?? now) : null }),
        }
        if (Object.keys(changes).length === 0) return
        await tx.updateTable('users').set(changes).where('id', '=', id).execute()
        // What they may do has changed: they sign in again.
        await endSessionsOf(tx, id)
        const entry = { action: 'user.change', subject: id, detail: { role, disabled } }
        await audit(tx, actorOf(request, now), entry)
      })
      return (await readUsers(deps, id))[0]!
    },
  )
}

async function readUsers({ db }: Deps, id?: string) {
  const rows = await db.sql
    .selectFrom('users')
    .leftJoin('sessions', 'sessions.user_id', 'users.id')
    .selectAll('users')
    .select((select) => select.fn.max('sessions.seen_at').as('seen_at'))
    .$if(id !== undefined, (query) => query.where('users.id', '=', id!))
    .groupBy('users.id')
    .orderBy('users.name')
    .execute()
  const members = await db.sql
    .selectFrom('members')
    .innerJoin('stables', 'stables.id', 'members.stable_id')
    .select(['members.user_id', 'members.role', 'stables.id', 'stables.name'])
    .$if(id !== undefined, (query) => query.where('members.user_id', '=', id!))
    .orderBy('stables.name')
    .execute()
  const stables = Map.groupBy(members, (member) => member.user_id)
  return rows.map((row) => ({
    id: row.id,
    email: row.email,
    name: row.name,
    role: row.role,
    language: row.language,
    hasPassword: row.password_hash !== null,
    createdAt: row.created_at,
    disabledAt: row.disabled_at,
    seenAt: row.seen_at,
    stables: (stables.get(row.id) ?? []).map(({ id, name, role }) => ({ id, name, role })),
  }))
}

async function refuseLastAdmin(tx: Transaction<Tables>): Promise<void> {
  const admins = await tx
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'admin')
    .where('disabled_at', 'is', null)
    .execute()
  if (admins.length < 2)
    throw new Problem('conflict', {
      detail: 'There must be an admin: make somebody else one first',
      reason: 'last-admin',
    })
}
