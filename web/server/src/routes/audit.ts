import { AuditPageSchema } from '@pesebre/contract/api/user'
import { IdSchema } from '@pesebre/contract/api/values'
import Type, { type Static } from 'typebox'
import { scopeOf } from '../access.ts'
import type { App } from '../app.ts'
import type { Deps } from '../deps.ts'

const QuerySchema = Type.Object({
  before: Type.Optional(Type.Integer({ minimum: 1 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
})
const PAGE = 50

/** Who did what, newest first: GET /api/audit (admins), GET /api/stables/{stable}/audit (owners). */
export function auditRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/audit',
    { config: { access: 'audit' }, schema: { querystring: QuerySchema, response: { 200: AuditPageSchema } } },
    async ({ query }) => readAudit(deps, query),
  )

  app.get(
    '/api/stables/:stable/audit',
    {
      config: { access: 'stable.audit' },
      schema: {
        params: Type.Object({ stable: IdSchema }),
        querystring: QuerySchema,
        response: { 200: AuditPageSchema },
      },
    },
    async (request) => readAudit(deps, request.query, scopeOf(request).stable),
  )
}

async function readAudit(deps: Deps, { before, limit = PAGE }: Static<typeof QuerySchema>, stable?: string) {
  const rows = await deps.db.sql
    .selectFrom('audit')
    .leftJoin('stables', 'stables.id', 'audit.stable_id')
    .selectAll('audit')
    .select('stables.name as stable_name')
    .$if(stable !== undefined, (query) => query.where('audit.stable_id', '=', stable!))
    .$if(before !== undefined, (query) => query.where('audit.id', '<', before!))
    .orderBy('audit.id', 'desc')
    .limit(limit + 1)
    .execute()
  const page = rows
    .slice(0, limit)
    .map((row) => ({ ...row, detail: JSON.parse(row.detail) as Record<string, unknown> }))
  const names = await namesOf(deps, page.flatMap(idsIn))
  return {
    rows: page.map((row) => ({
      id: Number(row.id),
      at: row.at,
      user: row.user_id === null ? null : { id: row.user_id, name: row.user_name },
      stable: row.stable_id === null ? null : { id: row.stable_id, name: row.stable_name ?? '' },
      action: row.action,
      subject: row.subject,
      about: idsIn(row).flatMap((id) => names.get(id) ?? []),
      detail: row.detail,
    })),
    next: rows.length > limit ? Number(page.at(-1)!.id) : null,
  }
}

/** Of a row: what it was done to, and the horse that a device came to. */
function idsIn({ subject, detail }: { subject: string | null; detail: Record<string, unknown> }): string[] {
  return [subject, detail['horse'], detail['to']].filter((id) => typeof id === 'string')
}

/** What devices, horses and people are called today. */
async function namesOf({ db: { sql } }: Deps, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const found = await Promise.all([
    sql.selectFrom('devices').select(['thing as id', 'name']).where('thing', 'in', ids).execute(),
    sql.selectFrom('horses').select(['id', 'name']).where('id', 'in', ids).execute(),
    sql.selectFrom('users').select(['id', 'name']).where('id', 'in', ids).execute(),
  ])
  return new Map(found.flat().map(({ id, name }) => [id, name]))
}
