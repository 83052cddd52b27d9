import { LimitsRequestSchema, LimitsSchema } from '@pesebre/contract/api/feed'
import { IdSchema } from '@pesebre/contract/api/values'
import Type from 'typebox'
import type { App } from '../app.ts'
import { actorOf } from '../audit.ts'
import type { Deps } from '../deps.ts'
import { feedingOf, horseOf, withFeeder } from '../feeding/asked.ts'

const HorseParams = Type.Object({ horse: IdSchema })

/** GET, PUT /api/horses/{horse}/limits. */
export function limitsRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/horses/:horse/limits',
    { config: { access: 'feed.read' }, schema: { params: HorseParams, response: { 200: LimitsSchema } } },
    async ({ params }) => feedingOf(deps).settings.readLimits(withFeeder(await horseOf(deps, params.horse))),
  )

  app.put(
    '/api/horses/:horse/limits',
    {
      config: { access: 'limits.change' },
      schema: { params: HorseParams, body: LimitsRequestSchema, response: { 200: LimitsSchema } },
    },
    async (request) => {
      const horse = withFeeder(await horseOf(deps, request.params.horse))
      return feedingOf(deps).settings.putLimits(horse, request.body, actorOf(request, deps.now()))
    },
  )
}
