/** Messages to a person: which kinds by which channel, and the browsers that take them (Web Push, RFC 8030, 8291, 8292). */
import Type from 'typebox'
import { ALARM_KINDS } from './alarm.ts'

/** Every alarm kind, and `fed`: a portion was given, by hand or by schedule. */
export const NOTIFICATION_KINDS = [...ALARM_KINDS, 'fed'] as const
export const NotificationKindSchema = Type.Enum([...NOTIFICATION_KINDS])
export type NotificationKind = Type.Static<typeof NotificationKindSchema>

const ChannelsSchema = Type.Object(
  {
    push: Type.Boolean(),
    email: Type.Boolean(),
    /** Least minutes between two messages of this kind about one device. */
    cooldown: Type.Integer({ minimum: 0, maximum: 10_080 }),
  },
  { additionalProperties: false },
)
export type Channels = Type.Static<typeof ChannelsSchema>

const OptionalChannels = Type.Optional(ChannelsSchema)

/** Body of `PUT /me/notifications`. Kinds that are left out stay as they are. */
export const NotificationsSchema = Type.Object(
  {
    kinds: Type.Object(
      Object.fromEntries(NOTIFICATION_KINDS.map((kind) => [kind, OptionalChannels])) as Record<
        NotificationKind,
        typeof OptionalChannels
      >,
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false },
)
export type Notifications = Type.Static<typeof NotificationsSchema>

/** `GET /me/notifications`, with every kind; and the answer of its PUT. */
export const NotificationsAnswerSchema = Type.Object({
  kinds: Type.Record(NotificationKindSchema, ChannelsSchema),
  /** Channels that this installation has. E-mail needs PESEBRE_SMTP_URL. */
  available: Type.Object({ push: Type.Boolean(), email: Type.Boolean() }),
  /** Browsers of this person that take messages. */
  subscriptions: Type.Integer({ minimum: 0 }),
})
export type NotificationsAnswer = Type.Static<typeof NotificationsAnswerSchema>

/** `GET /push/key`: `applicationServerKey` of PushManager.subscribe, base64url (RFC 8292). */
export const PushKeySchema = Type.Object({ key: Type.String() })
export type PushKey = Type.Static<typeof PushKeySchema>

/** Body of `POST /push/subscriptions`: PushSubscription.toJSON(). */
export const PushSubscriptionSchema = Type.Object({
  endpoint: Type.String({ pattern: '^https?://', maxLength: 2048 }),
  expirationTime: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
  keys: Type.Object({
    p256dh: Type.String({ pattern: '^[A-Za-z0-9_-]{80,100}={0,2}$' }),
    auth: Type.String({ pattern: '^[A-Za-z0-9_-]{16,32}={0,2}$' }),
  }),
})
export type PushSubscriptionBody = Type.Static<typeof PushSubscriptionSchema>
/** Body of `DELETE /push/subscriptions`. */
export const PushUnsubscribeSchema = Type.Object({ endpoint: Type.String({ maxLength: 2048 }) })

/** What a push message holds (encrypted, RFC 8291), for the service worker. */
export const PushMessageSchema = Type.Object({
  title: Type.String(),
  body: Type.String(),
  /** Notifications with the same tag replace each other: one per (device, kind). */
  tag: Type.String(),
  /** Page to open, as a path. */
  url: Type.String(),
  /** `es` or `en`. */
  lang: Type.String(),
  /** It stays until somebody looks. */
  urgent: Type.Boolean(),
})
export type PushMessage = Type.Static<typeof PushMessageSchema>
