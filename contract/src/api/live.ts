/**
 * GET /api/live: what changes, as it changes, over one WebSocket (JSON texts). The browser says what its page shows; the
 * server sends only that. After sleep it names the last cursor that it has, and gets what it missed, or `reset`.
 */
import Type from 'typebox'
import { AlarmSchema } from './alarm.ts'
import { CameraStatusSchema } from './camera.ts'
import { DeviceSchema, FleetNumbersSchema, ThingSchema } from './device.ts'
import { FeedSchema } from './feed.ts'
import { HopsSchema } from './hop.ts'

/** Most stables and things that one page watches. */
export const WATCHED_MAX = 200

/** Close code (RFC 6455 section 7.4.2) of a session that has ended: sign in. After any other, connect again. */
export const LIVE_CLOSE = { signedOut: 4401 } as const

/** What the browser sends: it replaces what was watched before. */
export const WatchSchema = Type.Object(
  {
    watch: Type.Object(
      {
        /** Ids: everything of their horses, devices, feeds and alarms. */
        stables: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: WATCHED_MAX })),
        /** Thing names: the state of each report, too. */
        things: Type.Optional(Type.Array(ThingSchema, { maxItems: WATCHED_MAX })),
        /** Admins: every device, and the numbers of the fleet. */
        fleet: Type.Optional(Type.Boolean()),
        /** Admins: the hops. */
        hops: Type.Optional(Type.Boolean()),
      },
      { additionalProperties: false },
    ),
    /** The last cursor that it has seen, also of another connection. Absent: it knows nothing yet. */
    since: Type.Optional(Type.String({ maxLength: 64 })),
  },
  { additionalProperties: false },
)
export type Watch = Type.Static<typeof WatchSchema>

const Time = Type.Integer({ minimum: 0 })

/** The newest report of a device, as its classic shadow has it. `state: null`: the shadow was deleted. */
export const LiveStateSchema = Type.Object({
  kind: Type.Literal('state'),
  thing: ThingSchema,
  state: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
  /** When it was measured, by the device's word. */
  at: Type.Union([Time, Type.Null()]),
  /** `seq` of the report: an older one never follows a newer. */
  seq: Type.Union([Type.Integer(), Type.Null()]),
  interval_s: Type.Union([Type.Integer(), Type.Null()]),
  gateway: Type.Union([Type.String(), Type.Null()]),
})

/** The control shadow of a device: the document's `state` (contract/src/control.ts `readControl` reads it). */
export const LiveControlSchema = Type.Object({
  kind: Type.Literal('control'),
  thing: ThingSchema,
  version: Type.Integer(),
  control: Type.Unknown(),
})

/** A row of the feed ledger that is new or has changed. */
export const LiveFeedSchema = Type.Object({
  kind: Type.Literal('feed'),
  stable: Type.String(),
  horse: Type.String(),
  feed: FeedSchema,
})

/** An alarm that is new or has changed. */
export const LiveAlarmSchema = Type.Object({
  kind: Type.Literal('alarm'),
  stable: Type.Union([Type.String(), Type.Null()]),
  alarm: AlarmSchema,
})

/** A horse was made, changed, removed, or got another device: read its card again. */
export const LiveHorseSchema = Type.Object({
  kind: Type.Literal('horse'),
  stable: Type.String(),
  horse: Type.String(),
})

/** A device was registered, heard of for the first time, or changed: its row of the fleet. */
export const LiveDeviceSchema = Type.Object({ kind: Type.Literal('device'), device: DeviceSchema })

/** What a camera does. */
export const LiveCameraSchema = Type.Object({
  kind: Type.Literal('camera'),
  thing: ThingSchema,
  camera: CameraStatusSchema,
})

export const LiveNumbersSchema = Type.Object({ kind: Type.Literal('numbers'), numbers: FleetNumbersSchema })
export const LiveHopsSchema = Type.Object({ kind: Type.Literal('hops'), hops: HopsSchema })

/** Whether changes of devices reach the server at this moment. While not, what is shown may be old: say so. */
export const LiveLinkSchema = Type.Object({
  kind: Type.Literal('link'),
  isLive: Type.Boolean(),
  since: Time,
})

/**
 * The answer to a `watch`: from here on nothing of it is missed, so this is the moment to read the page's data over HTTP.
 * The states of the devices follow by themselves.
 */
export const LiveWatchingSchema = Type.Object({
  kind: Type.Literal('watching'),
  /** What it may not see, or does not exist: ids and things that were left out. */
  refused: Type.Array(Type.String()),
})

/** Something was missed, or the reader is too slow: read everything again over HTTP. */
export const LiveResetSchema = Type.Object({ kind: Type.Literal('reset') })

const EVENTS = [
  LiveStateSchema,
  LiveControlSchema,
  LiveFeedSchema,
  LiveAlarmSchema,
  LiveHorseSchema,
  LiveDeviceSchema,
  LiveCameraSchema,
  LiveNumbersSchema,
  LiveHopsSchema,
  LiveLinkSchema,
  LiveWatchingSchema,
  LiveResetSchema,
]
export const LiveEventSchema = Type.Union(EVENTS)
export type LiveEvent =
  | Type.Static<typeof LiveStateSchema>
  | Type.Static<typeof LiveControlSchema>
  | Type.Static<typeof LiveFeedSchema>
  | Type.Static<typeof LiveAlarmSchema>
  | Type.Static<typeof LiveHorseSchema>
  | Type.Static<typeof LiveDeviceSchema>
  | Type.Static<typeof LiveCameraSchema>
  | Type.Static<typeof LiveNumbersSchema>
  | Type.Static<typeof LiveHopsSchema>
  | Type.Static<typeof LiveLinkSchema>
  | Type.Static<typeof LiveWatchingSchema>
  | Type.Static<typeof LiveResetSchema>

/** One message of the server. The cursor is opaque; the newest one is what `since` wants. */
export type LiveMessage = { cursor: string } & LiveEvent
