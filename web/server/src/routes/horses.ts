import {
  HorseCardSchema,
  HorseChangeSchema,
  HorseCreateSchema,
  HorseSchema,
} from '@pesebre/contract/api/horse'
import { IdSchema } from '@pesebre/contract/api/values'
import Type, { type Static } from 'typebox'
import { scopeOf } from '../access.ts'
import type { App } from '../app.ts'
import { actorOf, audit } from '../audit.ts'
import type { Deps } from '../deps.ts'
import { readHorse, readHorses } from '../horses.ts'
import { newId } from '../ids.ts'
import { Problem } from '../problems.ts'

const StableParams = Type.Object({ stable: IdSchema })
const HorseParams = Type.Object({ horse: IdSchema })
const HORSES_MAX = 500

/** GET (cards), POST /api/stables/{stable}/horses; GET, PATCH, DELETE /api/horses/{horse}. */
export function horseRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/stables/:stable/horses',
    {
      config: { access: 'horse.read' },
      schema: { params: StableParams, response: { 200: Type.Array(HorseCardSchema) } },
    },
    async (request) => {
      const horses = await readHorses(deps.db.sql, { stable: scopeOf(request).stable })
      const ids = horses.map(({ id }) => id)
      const [feeders, cameras, meals, alarms] = await Promise.all([
        deps.cards?.feeders?.(ids),
        deps.cards?.cameras?.(ids),
        deps.cards?.meals?.(ids),
        deps.cards?.alarms?.(ids),
      ])
      return horses.map((horse) => ({
        horse,
        feeder: feeders?.get(horse.id) ?? null,
        camera: cameras?.get(horse.id) ?? null,
        lastMeal: meals?.get(horse.id)?.last ?? null,
        nextMeal: meals?.get(horse.id)?.next ?? null,
        alarms: alarms?.get(horse.id) ?? [],
      }))
    },
  )

  app.post(
    '/api/stables/:stable/horses',
    {
      config: { access: 'horse.create' },
      schema: { params: StableParams, body: HorseCreateSchema, response: { 201: HorseSchema } },
    },
    async (request, reply) => {
      const { stable } = scopeOf(request)
      const id = newId('hrs')
      const at = deps.now()
      const { name, ...details } = request.body
      if ((await readHorses(deps.db.sql, { stable })).length >= HORSES_MAX)
        throw new Problem('conflict', { detail: `A stable has at most ${HORSES_MAX} horses` })
      await deps.db.write(async (tx) => {
        const horse = { id, stable_id: stable, name: name.trim(), ...columnsOf(details), created_at: at }
        await tx.insertInto('horses').values(horse).execute()
        const entry = { action: 'horse.create', subject: id, stable, detail: { name } }
        await audit(tx, actorOf(request, at), entry)
      })
      deps.onHorseChange?.({ stable, horse: id })
      return reply.code(201).send(await found(id))
    },
  )

  app.get(
    '/api/horses/:horse',
    { config: { access: 'horse.read' }, schema: { params: HorseParams, response: { 200: HorseSchema } } },
    async ({ params }) => found(params.horse),
  )

  app.patch(
    '/api/horses/:horse',
    {
      config: { access: 'horse.change' },
      schema: { params: HorseParams, body: HorseChangeSchema, response: { 200: HorseSchema } },
    },
    async (request) => {
      const { stable } = scopeOf(request)
      const { horse } = request.params
      const changes = columnsOf(request.body)
      if (Object.keys(changes).length > 0)
        await deps.db.write(async (tx) => {
          await tx.updateTable('horses').set(changes).where('id', '=', horse).execute()
          const entry = { action: 'horse.change', subject: horse, stable, detail: request.body }
          await audit(tx, actorOf(request, deps.now()), entry)
        })
      deps.onHorseChange?.({ stable, horse })
      return found(horse)
    },
  )

  app.delete(
    '/api/horses/:horse',
    { config: { access: 'horse.change' }, schema: { params: HorseParams, response: { 204: Type.Null() } } },
    async (request, reply) => {
      const { stable } = scopeOf(request)
      const { horse } = request.params
      await deps.db.write(async (tx) => {
        const device = await tx
          .selectFrom('devices')
          .select('thing')
          .where('horse_id', '=', horse)
          .executeTakeFirst()
        // A feeder would go on feeding by its schedule with nobody to see it.
        if (device !== undefined)
          throw new Problem('conflict', {
            detail: `Take its devices away first: ${device.thing}`,
            reason: 'devices',
          })
        await tx.updateTable('horses').set({ archived_at: deps.now() }).where('id', '=', horse).execute()
        const entry = { action: 'horse.delete', subject: horse, stable }
        await audit(tx, actorOf(request, deps.now()), entry)
      })
      deps.onHorseChange?.({ stable, horse })
      return reply.code(204).send(null)
    },
  )

  async function found(id: string) {
    const horse = await readHorse(deps.db.sql, id)
    if (horse === undefined) throw new Problem('not-found')
    return horse
  }
}

function columnsOf({ name, weightKg, born, notes }: Static<typeof HorseChangeSchema>) {
  if (born != null && Number.isNaN(Date.parse(born)))
    throw new Problem('invalid', { errors: [{ path: '/born', message: 'is no day of the calendar' }] })
  return {
    ...(name !== undefined && { name: name.trim() }),
    ...(weightKg !== undefined && { weight_kg: weightKg }),
    ...(born !== undefined && { born }),
    ...(notes !== undefined && { notes }),
  }
}
