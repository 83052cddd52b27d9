import { FeedPageSchema, FeedQuerySchema, FeedRequestSchema, FeedSchema } from '@pesebre/contract/api/feed'
import { IdSchema } from '@pesebre/contract/api/values'
import { COMMAND_NUMBER_MAX } from '@pesebre/contract/check-in'
import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { scopeOf, userOf } from '../access.ts'
import type { App } from '../app.ts'
import { actorOf, audit } from '../audit.ts'
import type { Deps } from '../deps.ts'
import { feedingOf, horseOf, withFeeder } from '../feeding/asked.ts'
import type { FeedingRefusal } from '../feeding/give.ts'
import { feedOf } from '../feeding/timeline.ts'
import { Problem } from '../problems.ts'

const HorseParams = Type.Object({ horse: IdSchema })
const CommandParams = Type.Object({
  horse: IdSchema,
  n: Type.Integer({ minimum: 1, maximum: COMMAND_NUMBER_MAX }),
})
const KEY = /^[A-Za-z0-9_-]{8,128}$/
const TOO_MUCH = ['portion', 'override', 'daily', 'key']

/** POST, GET /api/horses/{horse}/feeds; DELETE /api/horses/{horse}/feeds/{n}. */
export function feedRoutes(app: App, deps: Deps): void {
  app.post(
    '/api/horses/:horse/feeds',
    {
      config: { access: 'feed.give' },
      schema: { params: HorseParams, body: FeedRequestSchema, response: { 202: FeedSchema } },
    },
    async (request, reply) => {
      const feeding = feedingOf(deps)
      const user = userOf(request)
      const horse = await horseOf(deps, request.params.horse)
      const { grams, override = false } = request.body
      const key = keyOf(request)
      const { feeder } = withFeeder(horse)
      const isOwner = scopeOf(request).role === 'owner'
      const wish = { thing: feeder, horse, grams, override, key, user: { ...user, isOwner } }
      const result = await orUnavailable(feeding.give(wish))
      if (!result.ok) throw refused(result.refusal)
      if (!result.isNew) reply.header('idempotent-replay', 'true')
      return reply.code(202).send(feedOf(result.row))
    },
  )

  app.get(
    '/api/horses/:horse/feeds',
    {
      config: { access: 'feed.read' },
      schema: { params: HorseParams, querystring: FeedQuerySchema, response: { 200: FeedPageSchema } },
    },
    ({ params, query }) => feedingOf(deps).page(params.horse, query.before, query.limit ?? 30),
  )

  app.delete(
    '/api/horses/:horse/feeds/:n',
    { config: { access: 'feed.cancel' }, schema: { params: CommandParams, response: { 200: FeedSchema } } },
    async (request) => {
      const { feeder, id, stable_id } = withFeeder(await horseOf(deps, request.params.horse))
      const { n } = request.params
      const result = await orUnavailable(feedingOf(deps).cancel(feeder, n))
      if (!result.ok) throw refused(result.refusal)
      const entry = { action: 'feed.cancel', subject: id, stable: stable_id, detail: { n } }
      await deps.db.write((tx) => audit(tx, actorOf(request, deps.now()), entry))
      return feedOf(result.row)
    },
  )
}

/** Feeding has its own memory of keys: the ledger (feeding/give.ts). */
function keyOf({ headers }: FastifyRequest): string {
  const key = headers['idempotency-key']
  if (typeof key === 'string' && KEY.test(key)) return key
  throw new Problem('invalid', {
    detail: 'The header Idempotency-Key must be 8 to 128 of A-Z a-z 0-9 _ -',
  })
}

/** What AWS says when it cannot be asked: the same wish may be sent again, under the same key. */
async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem('unavailable', { detail: (error as Error).message, retryAfter: 5 })
  }
}

function refused({ reason, wait, ...more }: FeedingRefusal): Problem {
  const extra = { reason, ...(wait !== undefined && { retryAfter: wait }), ...more }
  return new Problem(TOO_MUCH.includes(reason) ? 'refused' : 'conflict', extra)
}
