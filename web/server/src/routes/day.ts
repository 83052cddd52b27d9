import { DayQuerySchema, DaySchema } from '@pesebre/contract/api/feed'
import { IdSchema } from '@pesebre/contract/api/values'
import Type from 'typebox'
import type { App } from '../app.ts'
import type { Deps } from '../deps.ts'
import { feedingOf, horseOf } from '../feeding/asked.ts'

const HorseParams = Type.Object({ horse: IdSchema })

/** GET /api/horses/{horse}/day?date: what was planned against what was eaten. */
export function dayRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/horses/:horse/day',
    {
      config: { access: 'feed.read' },
      schema: { params: HorseParams, querystring: DayQuerySchema, response: { 200: DaySchema } },
    },
    async ({ params, query }) => feedingOf(deps).day(await horseOf(deps, params.horse), query.date),
  )
}
