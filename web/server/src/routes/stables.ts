import { StableChangeSchema, StableCreateSchema, StableSchema } from '@pesebre/contract/api/stable'
import { IdSchema } from '@pesebre/contract/api/values'
import Type from 'typebox'
import { scopeOf, userOf } from '../access.ts'
import type { App } from '../app.ts'
import { actorOf, audit } from '../audit.ts'
import type { SignedIn } from '../auth/sessions.ts'
import type { Deps } from '../deps.ts'
import { newId } from '../ids.ts'
import { Problem } from '../problems.ts'
import { checkZone } from '../zones.ts'

const ParamsSchema = Type.Object({ stable: IdSchema })

/** GET, POST /api/stables; GET, PATCH, DELETE /api/stables/{stable}. */
export function stableRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/stables',
    { config: { access: 'self' }, schema: { response: { 200: Type.Array(StableSchema) } } },
    async (request) => readStables(deps, userOf(request)),
  )

  app.post(
    '/api/stables',
    {
      config: { access: 'stable.create' },
      schema: { body: StableCreateSchema, response: { 201: StableSchema } },
    },
    async (request, reply) => {
      const { zone } = request.body
      checkZone(zone)
      const name = request.body.name.trim()
      const user = userOf(request)
      const id = newId('stb')
      const at = deps.now()
      await deps.db.write(async (tx) => {
        await tx.insertInto('stables').values({ id, name, zone, created_at: at }).execute()
        await tx
          .insertInto('members')
          .values({ stable_id: id, user_id: user.id, role: 'owner', created_at: at })
          .execute()
        const entry = { action: 'stable.create', subject: id, stable: id, detail: { name, zone } }
        await audit(tx, actorOf(request, at), entry)
      })
      return reply.code(201).send({ id, name, zone, role: 'owner' as const, horses: 0, createdAt: at })
    },
  )

  app.get(
    '/api/stables/:stable',
    {
      config: { access: 'stable.read' },
      schema: { params: ParamsSchema, response: { 200: StableSchema } },
    },
    async (request) => readStable(deps, userOf(request), scopeOf(request).stable),
  )

  app.patch(
    '/api/stables/:stable',
    {
      config: { access: 'stable.change' },
      schema: { params: ParamsSchema, body: StableChangeSchema, response: { 200: StableSchema } },
    },
    async (request) => {
      const { stable } = scopeOf(request)
      const { name, zone } = request.body
      if (zone !== undefined) checkZone(zone)
      const changes = {
        ...(name !== undefined && { name: name.trim() }),
        ...(zone !== undefined && { zone }),
      }
      if (Object.keys(changes).length > 0)
        await deps.db.write(async (tx) => {
          await tx.updateTable('stables').set(changes).where('id', '=', stable).execute()
          const entry = { action: 'stable.change', subject: stable, stable, detail: changes }
          await audit(tx, actorOf(request, deps.now()), entry)
        })
      return readStable(deps, userOf(request), stable)
    },
  )

  app.delete(
    '/api/stables/:stable',
    { config: { access: 'stable.change' }, schema: { params: ParamsSchema, response: { 204: Type.Null() } } },
    async (request, reply) => {
      const { stable } = scopeOf(request)
      await deps.db.write(async (tx) => {
        const horse = await tx
          .selectFrom('horses')
          .select('id')
          .where('stable_id', '=', stable)
          .where('archived_at', 'is', null)
          .executeTakeFirst()
        if (horse !== undefined) throw new Problem('conflict', { detail: 'The stable still has horses' })
        const { name } = await tx
          .selectFrom('stables')
          .select('name')
          .where('id', '=', stable)
          .executeTakeFirstOrThrow()
        // Horses that were given away stay for the ledger, and with them the row that they point to.
        await tx.deleteFrom('members').where('stable_id', '=', stable).execute()
        await tx.deleteFrom('invitations').where('stable_id', '=', stable).execute()
        await audit(tx, actorOf(request, deps.now()), {
          action: 'stable.delete',
          subject: stable,
          stable,
          detail: { name },
        })
        await tx.updateTable('stables').set({ archived_at: deps.now() }).where('id', '=', stable).execute()
      })
      return reply.code(204).send(null)
    },
  )
}

/** The stables of a user; all of them for an admin. By name. */
async function readStables({ db }: Deps, user: SignedIn) {
  const rows = await db.sql
    .selectFrom('stables')
    .leftJoin('members', (join) =>
      join.onRef('members.stable_id', '=', 'stables.id').on('members.user_id', '=', user.id),
    )
    .select((select) => [
      'stables.id',
      'stables.name',
      'stables.zone',
      'stables.created_at',
      'members.role',
      select
        .selectFrom('horses')
        .select((inner) => inner.fn.countAll<number>().as('horses'))
        .whereRef('horses.stable_id', '=', 'stables.id')
        .where('horses.archived_at', 'is', null)
        .as('horses'),
    ])
    .where('stables.archived_at', 'is', null)
    .$if(user.role !== 'admin', (query) => query.where('members.role', 'is not', null))
    .orderBy('stables.name')
    .execute()
  return rows.map(({ id, name, zone, created_at, role, horses }) => ({
    id,
    name,
    zone,
    role: user.role === 'admin' ? ('owner' as const) : role!,
    horses: Number(horses),
    createdAt: created_at,
  }))
}

async function readStable(deps: Deps, user: SignedIn, id: string) {
  const stable = (await readStables(deps, user)).find((one) => one.id === id)
  if (stable === undefined) throw new Problem('not-found')
  return stable
}
