import {
  InviteLinkSchema,
  MemberChangeSchema,
  MemberInviteSchema,
  MemberSchema,
  MembersSchema,
} from '@pesebre/contract/api/stable'
import { IdSchema } from '@pesebre/contract/api/values'
import type { Transaction } from 'kysely'
import Type from 'typebox'
import { scopeOf, userOf } from '../access.ts'
import type { App } from '../app.ts'
import { actorOf, audit } from '../audit.ts'
import { makeLink } from '../auth/links.ts'
import { normalEmail } from '../auth/new-user.ts'
import type { Database } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Deps } from '../deps.ts'
import { Problem } from '../problems.ts'

const StableParams = Type.Object({ stable: IdSchema })
const MemberParams = Type.Object({ stable: IdSchema, user: IdSchema })
const InvitationParams = Type.Object({ stable: IdSchema, invitation: IdSchema })
/** Invitations of one stable that wait at the same time. */
const INVITATIONS_MAX = 50

/** Who belongs to a stable: GET, POST /api/stables/{stable}/members; PATCH, DELETE .../members/{user}; DELETE .../invitations/{invitation}. */
export function memberRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/stables/:stable/members',
    {
      config: { access: 'members.read' },
      schema: { params: StableParams, response: { 200: MembersSchema } },
    },
    async (request) => {
      const { stable, role } = scopeOf(request)
      const members = await readMembers(deps.db.sql, stable)
      const invitations = role === 'owner' ? await readInvitations(deps, stable) : []
      return { members, invitations }
    },
  )

  app.post(
    '/api/stables/:stable/members',
    {
      config: { access: 'members.change' },
      schema: { params: StableParams, body: MemberInviteSchema, response: { 201: InviteLinkSchema } },
    },
    async (request, reply) => {
      const { stable } = scopeOf(request)
      const { role, language } = request.body
      const email = request.body.email === undefined ? null : normalEmail(request.body.email)
      const by = userOf(request)
      const now = deps.now()
      if ((await readInvitations(deps, stable)).length >= INVITATIONS_MAX)
        throw new Problem('conflict', { detail: 'Too many invitations wait: take some back first' })
      const { id, token, expires } = await deps.db.write(async (tx) => {
        const made = await makeLink(tx, { kind: 'stable', stable, role, email }, { by: by.id, now })
        const entry = { action: 'member.invite', subject: made.id, stable, detail: { role, email } }
        await audit(tx, actorOf(request, now), entry)
        return made
      })
      const link = `${deps.origin}/invitation#${token}`
      const mailed =
        email !== null &&
        (await deps.mailInvitation?.({ to: email, by: by.name, link, language: language ?? by.language })) ===
          true
      return reply.code(201).send({ id, link, expires, mailed })
    },
  )

  app.delete(
    '/api/stables/:stable/invitations/:invitation',
    {
      config: { access: 'members.change' },
      schema: { params: InvitationParams, response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      const { stable } = scopeOf(request)
      const { invitation } = request.params
      await deps.db.write(async (tx) => {
        const { numDeletedRows } = await tx
          .deleteFrom('invitations')
          .where('id', '=', invitation)
          .where('stable_id', '=', stable)
          .where('used_at', 'is', null)
          .executeTakeFirst()
        if (numDeletedRows === 0n) throw new Problem('not-found')
        const entry = { action: 'member.uninvite', subject: invitation, stable }
        await audit(tx, actorOf(request, deps.now()), entry)
      })
      return reply.code(204).send(null)
    },
  )

  app.patch(
    '/api/stables/:stable/members/:user',
    {
      config: { access: 'members.change' },
      schema: { params: MemberParams, body: MemberChangeSchema, response: { 200: MemberSchema } },
    },
    async (request) => {
      const { stable } = scopeOf(request)
      const { user } = request.params
      const { role } = request.body
      await deps.db.write(async (tx) => {
        const before = await roleOf(tx, stable, user)
        if (before === 'owner' && role !== 'owner') await refuseLastOwner(tx, stable)
        await tx
          .updateTable('members')
          .set({ role })
          .where('stable_id', '=', stable)
          .where('user_id', '=', user)
          .execute()
        const entry = { action: 'member.change', subject: user, stable, detail: { before, role } }
        await audit(tx, actorOf(request, deps.now()), entry)
      })
      return (await readMembers(deps.db.sql, stable)).find((member) => member.user === user)!
    },
  )

  app.delete(
    '/api/stables/:stable/members/:user',
    {
      config: { access: 'members.leave' },
      schema: { params: MemberParams, response: { 204: Type.Null() } },
    },
    async (request, reply) => {
      const { stable, role } = scopeOf(request)
      const { user } = request.params
      if (role !== 'owner' && user !== userOf(request).id) throw new Problem('forbidden')
      await deps.db.write(async (tx) => {
        const before = await roleOf(tx, stable, user)
        if (before === 'owner') await refuseLastOwner(tx, stable)
        await tx.deleteFrom('members').where('stable_id', '=', stable).where('user_id', '=', user).execute()
        const entry = { action: 'member.delete', subject: user, stable, detail: { role: before } }
        await audit(tx, actorOf(request, deps.now()), entry)
      })
      return reply.code(204).send(null)
    },
  )
}

async function readMembers(sql: Database['sql'], stable: string) {
  const rows = await sql
    .selectFrom('members')
    .innerJoin('users', 'users.id', 'members.user_id')
    .select(['users.id', 'users.name', 'users.email', 'members.role', 'members.created_at'])
    .where('members.stable_id', '=', stable)
    .orderBy('users.name')
    .execute()
  return rows.map(({ id, name, email, role, created_at }) => ({
    user: id,
    name,
    email,
    role,
    since: created_at,
  }))
}

async function readInvitations({ db, now }: Deps, stable: string) {
  const rows = await db.sql
    .selectFrom('invitations')
    .select(['id', 'role', 'email', 'created_at', 'expires_at'])
    .where('stable_id', '=', stable)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now())
    .orderBy('created_at')
    .execute()
  return rows.map(({ id, role, email, created_at, expires_at }) => ({
    id,
    role: role as 'owner' | 'groom' | 'vet',
    email,
    createdAt: created_at,
    expires: expires_at,
  }))
}

async function roleOf(tx: Transaction<Tables>, stable: string, user: string) {
  const member = await tx
    .selectFrom('members')
    .select('role')
    .where('stable_id', '=', stable)
    .where('user_id', '=', user)
    .executeTakeFirst()
  if (member === undefined) throw new Problem('not-found')
  return member.role
}

/** A stable without an owner could be changed by nobody but an admin. The rows are locked, so two owners cannot leave at once. */
async function refuseLastOwner(tx: Transaction<Tables>, stable: string): Promise<void> {
  const owners = await tx
    .selectFrom('members')
    .select('user_id')
    .where('stable_id', '=', stable)
    .where('role', '=', 'owner')
    .execute()
  if (owners.length < 2)
    throw new Problem('conflict', {
      detail: 'The stable needs an owner: make somebody else one first',
      reason: 'last-owner',
    })
}
