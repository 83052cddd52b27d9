import { NotificationsAnswerSchema, NotificationsSchema } from '@pesebre/contract/api/notification'
import { userOf } from '../access.ts'
import type { App } from '../app.ts'
import type { Deps } from '../deps.ts'
import { openNotificationSettings } from '../notify/settings.ts'

/** GET, PUT /api/me/notifications. */
export function notificationRoutes(app: App, deps: Deps): void {
  const settings = openNotificationSettings(deps.db)

  app.get(
    '/api/me/notifications',
    { config: { access: 'self' }, schema: { response: { 200: NotificationsAnswerSchema } } },
    (request) => answer(userOf(request).id),
  )

  app.put(
    '/api/me/notifications',
    {
      config: { access: 'self' },
      schema: { body: NotificationsSchema, response: { 200: NotificationsAnswerSchema } },
    },
    async (request) => {
      const user = userOf(request).id
      await settings.put(user, request.body)
      return answer(user)
    },
  )

  async function answer(user: string) {
    return {
      kinds: (await settings.of([user])).get(user)!,
      available: { push: deps.pushKey !== undefined, email: deps.hasMail === true },
      subscriptions: (await settings.subscriptionsOf(user)).length,
    }
  }
}
