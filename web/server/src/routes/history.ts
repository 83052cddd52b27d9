import {
  HISTORY_SPAN_MAX_MS,
  HistoryFieldsSchema,
  HistoryQuerySchema,
  HistorySchema,
} from '@pesebre/contract/api/history'
import { IdSchema } from '@pesebre/contract/api/values'
import Type from 'typebox'
import { scopeOf } from '../access.ts'
import type { App } from '../app.ts'
import type { Deps } from '../deps.ts'
import { readFields, readHistory } from '../history/read.ts'
import { Problem } from '../problems.ts'
import { checkZone } from '../zones.ts'

const HorseParams = Type.Object({ horse: IdSchema })

/** GET /api/horses/{horse}/history and /history/fields. */
export function historyRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/horses/:horse/history',
    {
      config: { access: 'history.read' },
      schema: { params: HorseParams, querystring: HistoryQuerySchema, response: { 200: HistorySchema } },
    },
    async (request) => {
      const { field, from, to, thing } = request.query
      const now = deps.now()
      checkTimes(from, Math.min(to, now))
      const zone = request.query.zone ?? (await zoneOf(scopeOf(request).stable))
      checkZone(zone)
      return readHistory(deps.db, { horse: request.params.horse, field, from, to, zone, thing }, now)
    },
  )

  app.get(
    '/api/horses/:horse/history/fields',
    {
      config: { access: 'history.read' },
      schema: { params: HorseParams, response: { 200: HistoryFieldsSchema } },
    },
    async ({ params }) => readFields(deps.db, params.horse),
  )

  async function zoneOf(stable: string): Promise<string> {
    const row = await deps.db.sql
      .selectFrom('stables')
      .select('zone')
      .where('id', '=', stable)
      .executeTakeFirst()
    return row?.zone ?? 'UTC'
  }
}

function checkTimes(from: number, to: number): void {
  if (from >= to) throw wrong('/from', 'is not before `to`, or not before now')
  if (to - from > HISTORY_SPAN_MAX_MS) throw wrong('/to', 'is more than five years after `from`')
}

function wrong(path: string, message: string): Problem {
  return new Problem('invalid', { errors: [{ path, message }] })
}
