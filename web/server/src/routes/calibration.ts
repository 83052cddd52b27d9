import { CalibrationRequestSchema, CalibrationSchema } from '@pesebre/contract/api/feed'
import { IdSchema } from '@pesebre/contract/api/values'
import Type from 'typebox'
import type { App } from '../app.ts'
import { actorOf } from '../audit.ts'
import type { Deps } from '../deps.ts'
import { feedingOf, horseOf, withFeeder } from '../feeding/asked.ts'

const HorseParams = Type.Object({ horse: IdSchema })

/** GET, POST /api/horses/{horse}/calibration. */
export function calibrationRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/horses/:horse/calibration',
    {
      config: { access: 'feed.read' },
      schema: { params: HorseParams, response: { 200: CalibrationSchema } },
    },
    async ({ params }) =>
      feedingOf(deps).settings.readCalibration(withFeeder(await horseOf(deps, params.horse))),
  )

  app.post(
    '/api/horses/:horse/calibration',
    {
      config: { access: 'calibrate' },
      schema: { params: HorseParams, body: CalibrationRequestSchema, response: { 200: CalibrationSchema } },
    },
    async (request) => {
      const horse = withFeeder(await horseOf(deps, request.params.horse))
      return feedingOf(deps).settings.calibrate(horse, request.body, actorOf(request, deps.now()))
    },
  )
}
