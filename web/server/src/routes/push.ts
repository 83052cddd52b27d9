import {
  PushKeySchema,
  PushSubscriptionSchema,
  PushUnsubscribeSchema,
} from '@pesebre/contract/api/notification'
import Type from 'typebox'
import { userOf } from '../access.ts'
import type { App } from '../app.ts'
import type { Deps } from '../deps.ts'
import { isPushService } from '../notify/push-service.ts'
import { openNotificationSettings } from '../notify/settings.ts'
import { Problem } from '../problems.ts'

/** GET /api/push/key; POST, DELETE /api/push/subscriptions. */
export function pushRoutes(app: App, deps: Deps): void {
  const settings = openNotificationSettings(deps.db)

  app.get(
    '/api/push/key',
    { config: { access: 'self' }, schema: { response: { 200: PushKeySchema } } },
    async () => {
      if (deps.pushKey === undefined) throw new Problem('unavailable', { detail: 'Web Push is not set up' })
      return { key: deps.pushKey }
    },
  )

  app.post(
    '/api/push/subscriptions',
    { config: { access: 'self' }, schema: { body: PushSubscriptionSchema, response: { 204: Type.Null() } } },
    async (request, reply) => {
      if (!isPushService(request.body.endpoint))
        throw new Problem('invalid', { errors: [{ path: '/endpoint', message: 'is no push service' }] })
      const of = { userAgent: request.headers['user-agent'] ?? null, at: deps.now() }
      await settings.subscribe(userOf(request).id, request.body, of)
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/api/push/subscriptions',
    { config: { access: 'self' }, schema: { body: PushUnsubscribeSchema, response: { 204: Type.Null() } } },
    async (request, reply) => {
      await settings.unsubscribe(userOf(request).id, request.body.endpoint)
      return reply.code(204).send(null)
    },
  )
}
