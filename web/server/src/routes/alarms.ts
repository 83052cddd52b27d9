import { AlarmSchema, AlarmsQuerySchema, AlarmsSchema } from '@pesebre/contract/api/alarm'
import { IdSchema } from '@pesebre/contract/api/values'
import Type from 'typebox'
import { scopeOf } from '../access.ts'
import type { Alarms } from '../alarms/alarms.ts'
import type { App } from '../app.ts'
import { actorOf } from '../audit.ts'
import type { Deps } from '../deps.ts'
import { Problem } from '../problems.ts'

const StableParams = Type.Object({ stable: IdSchema })
const AlarmParams = Type.Object({ alarm: IdSchema })

/** GET /api/stables/{stable}/alarms; POST /api/alarms/{alarm}/acknowledge. */
export function alarmRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/stables/:stable/alarms',
    {
      config: { access: 'alarm.read' },
      schema: { params: StableParams, querystring: AlarmsQuerySchema, response: { 200: AlarmsSchema } },
    },
    async (request) => ({
      alarms: await alarmsOf(deps).list(scopeOf(request).stable, request.query.all === true),
    }),
  )

  app.post(
    '/api/alarms/:alarm/acknowledge',
    {
      config: { access: 'alarm.acknowledge' },
      schema: { params: AlarmParams, response: { 200: AlarmSchema } },
    },
    async (request) => {
      const alarm = await alarmsOf(deps).acknowledge(request.params.alarm, actorOf(request, deps.now()))
      if (alarm === undefined) throw new Problem('not-found')
      return alarm
    },
  )
}

function alarmsOf({ alarms }: Deps): Alarms {
  if (alarms === undefined) throw new Problem('unavailable', { detail: 'AWS IoT is not set up' })
  return alarms
}
