import { createHash } from 'node:crypto'
import {
  type Channels,
  NOTIFICATION_KINDS,
  type NotificationKind,
  type Notifications,
  type PushSubscriptionBody,
} from '@pesebre/contract/api/notification'
import type { Database } from '../db/database.ts'
import { newId } from '../ids.ts'

/** Kinds for which somebody should get up at night. */
const URGENT: readonly NotificationKind[] = ['jammed', 'interrupted', 'missed', 'unknown']
/** Minutes between two messages of a kind about one device, unless the person says otherwise. */
const COOLDOWN_MIN = 60
/** What changes slowly is told of less often. */
const SLOW: readonly NotificationKind[] = ['empty', 'battery', 'camera_gone']
const SLOW_COOLDOWN_MIN = 12 * 60
/** Browsers of one person: more are a fault, or mischief. */
const SUBSCRIPTIONS_MAX = 20

export function isUrgent(kind: NotificationKind): boolean {
  return URGENT.includes(kind)
}

/** What a person gets who has set nothing. */
export function defaultChannels(kind: NotificationKind): Channels {
  if (kind === 'fed') return { push: false, email: false, cooldown: 0 }
  return {
    push: true,
    email: isUrgent(kind) || kind === 'gateway',
    cooldown: SLOW.includes(kind) ? SLOW_COOLDOWN_MIN : COOLDOWN_MIN,
  }
}

/** Who wants to be told of what, and the browsers that take messages. */
export function openNotificationSettings({ sql, write }: Pick<Database, 'sql' | 'write'>) {
  async function of(users: readonly string[]): Promise<Map<string, Record<NotificationKind, Channels>>> {
    const rows =
      users.length === 0
        ? []
        : await sql
            .selectFrom('notification_settings')
            .selectAll()
            .where('user_id', 'in', [...users])
            .execute()
    const found = new Map(
      users.map((user) => [
        user,
        Object.fromEntries(NOTIFICATION_KINDS.map((kind) => [kind, defaultChannels(kind)])) as Record<
          NotificationKind,
          Channels
        >,
      ]),
    )
    for (const { user_id, kind, push, email, cooldown_min } of rows) {
      const kinds = found.get(user_id)
      if (kinds !== undefined && Object.hasOwn(kinds, kind))
        kinds[kind as NotificationKind] = { push: push === 1, email: email === 1, cooldown: cooldown_min }
    }
    return found
  }

  /** Kinds that are left out stay as they are. */
  async function put(user: string, { kinds }: Notifications): Promise<void> {
    const changed = Object.entries(kinds) as [NotificationKind, Channels][]
    if (changed.length === 0) return
    await write(async (tx) => {
      const names = changed.map(([kind]) => kind)
      await tx
        .deleteFrom('notification_settings')
        .where('user_id', '=', user)
        .where('kind', 'in', names)
        .execute()
      const rows = changed.map(([kind, { push, email, cooldown }]) => ({
        user_id: user,
        kind,
        push: push ? 1 : 0,
        email: email ? 1 : 0,
        cooldown_min: cooldown,
      }))
      await tx.insertInto('notification_settings').values(rows).execute()
    })
  }

  /** A browser belongs to whoever subscribed it last: people share devices. */
  async function subscribe(
    user: string,
    { endpoint, keys }: PushSubscriptionBody,
    { userAgent, at }: { userAgent: string | null; at: number },
  ): Promise<void> {
    await write(async (tx) => {
      const endpoint_hash = hashOf(endpoint)
      await tx.deleteFrom('push_subscriptions').where('endpoint_hash', '=', endpoint_hash).execute()
      const others = await tx
        .selectFrom('push_subscriptions')
        .select('id')
        .where('user_id', '=', user)
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .execute()
      const surplus = others.slice(SUBSCRIPTIONS_MAX - 1).map(({ id }) => id)
      if (surplus.length > 0) await tx.deleteFrom('push_subscriptions').where('id', 'in', surplus).execute()
      const row = { id: newId('sub'), user_id: user, endpoint_hash, endpoint, ...keys, created_at: at }
      await tx
        .insertInto('push_subscriptions')
        .values({ ...row, user_agent: userAgent?.slice(0, 255) ?? null })
        .execute()
    })
  }

  async function unsubscribe(user: string, endpoint: string): Promise<void> {
    await sql
      .deleteFrom('push_subscriptions')
      .where('endpoint_hash', '=', hashOf(endpoint))
      .where('user_id', '=', user)
      .execute()
  }

  return {
    of,
    put,
    subscribe,
    unsubscribe,
    subscriptionsOf: (user: string) =>
      sql.selectFrom('push_subscriptions').selectAll().where('user_id', '=', user).execute(),
    /** The push service does not know this browser any more. */
    drop: async (id: string): Promise<void> =>
      void (await sql.deleteFrom('push_subscriptions').where('id', '=', id).execute()),
  }
}

export type NotificationSettings = ReturnType<typeof openNotificationSettings>

function hashOf(endpoint: string): string {
  return createHash('sha256').update(endpoint).digest('hex')
}
