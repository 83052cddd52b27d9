import { ScheduleRequestSchema, ScheduleSchema } from '@pesebre/contract/api/schedule'
import { IdSchema } from '@pesebre/contract/api/values'
import Type from 'typebox'
import type { App } from '../app.ts'
import { actorOf } from '../audit.ts'
import type { Deps } from '../deps.ts'
import { feedingOf, horseOf, withFeeder } from '../feeding/asked.ts'

const HorseParams = Type.Object({ horse: IdSchema })

/** GET, PUT /api/horses/{horse}/schedule. */
export function scheduleRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/horses/:horse/schedule',
    {
      config: { access: 'schedule.read' },
      schema: { params: HorseParams, response: { 200: ScheduleSchema } },
    },
    async ({ params }) =>
      feedingOf(deps).settings.readSchedule(withFeeder(await horseOf(deps, params.horse))),
  )

  app.put(
    '/api/horses/:horse/schedule',
    {
      config: { access: 'schedule.change' },
      schema: { params: HorseParams, body: ScheduleRequestSchema, response: { 200: ScheduleSchema } },
    },
    async (request) => {
      const horse = withFeeder(await horseOf(deps, request.params.horse))
      return feedingOf(deps).settings.putSchedule(horse, request.body, actorOf(request, deps.now()))
    },
  )
}
