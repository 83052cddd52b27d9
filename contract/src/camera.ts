/** What cameras and the web server say to each other over MQTT, as JSON. Pictures take another way: relay.ts. */
import Type from 'typebox'
import { LEVEL_MAX } from './ladder.ts'
import { THING_NAME_PATTERN } from './names.ts'
import { LEASE_S_MAX } from './relay.ts'

/** Camera -> web. */
export function eventsTopic(thing: string): string {
  return `cameras/${thing}/events`
}

/** Web -> camera. */
export function commandsTopic(thing: string): string {
  return `cameras/${thing}/commands`
}

/** What the web server subscribes to. */
export const CAMERA_EVENTS_FILTER = 'cameras/+/events'

const eventsTopicPattern = new RegExp(`^cameras/(${THING_NAME_PATTERN.slice(1, -1)})/events$`)

/** The camera that speaks on this topic; undefined for every other topic. */
export function cameraOfTopic(topic: string): string | undefined {
  return eventsTopicPattern.exec(topic)?.[1]
}

const closed = { additionalProperties: false }
const streamId = Type.String({ pattern: '^[a-z0-9]{8,32}$' })
const url = Type.String({ pattern: '^wss?://', maxLength: 512 })
/** Epoch seconds. */
const time = Type.Integer({ minimum: 0 })
const fps = Type.Integer({ minimum: 1, maximum: 30 })
const level = Type.Integer({ minimum: 0, maximum: LEVEL_MAX })

/** See `Want` in ladder.ts. */
const want = { targetFps: fps, maxFps: fps, maxLevel: level }

export const STOP_REASONS = ['asked', 'lease', 'silent', 'closed'] as const
/**
 * Why a stream ended: `stop` came; the lease ran out; no acknowledgement for 15 s; the connection was closed.
 */
export type StopReason = (typeof STOP_REASONS)[number]

/** On `cameras/{thing}/events`. */
export const CameraEventSchema = Type.Union([
  /** At start, and only then: so a camera needs no address of the server. Streams of before are over. */
  Type.Object(
    { event: Type.Literal('hello'), firmware: Type.Optional(Type.String({ maxLength: 64 })) },
    closed,
  ),
  Type.Object({ event: Type.Literal('streaming'), streamId }, closed),
  Type.Object(
    {
      event: Type.Literal('stopped'),
      streamId,
      reason: Type.Enum(STOP_REASONS),
    },
    closed,
  ),
  /** What was asked cannot be done: the relay is out of reach, the sensor fails. */
  Type.Object(
    {
      event: Type.Literal('error'),
      streamId: Type.Optional(streamId),
      message: Type.String({ maxLength: 200 }),
    },
    closed,
  ),
])
export type CameraEvent = Type.Static<typeof CameraEventSchema>

/** On `cameras/{thing}/commands`. */
export const CameraCommandSchema = Type.Union([
  /** The answer to `hello`: the time, and where pictures will go, so that a camera can resolve it ahead. */
  Type.Object({ command: Type.Literal('welcome'), time, upload: url }, closed),
  /** Replaces a stream that runs. `lease`: seconds from now, after which the camera stops by itself. */
  Type.Object(
    {
      command: Type.Literal('start'),
      streamId,
      url,
      token: Type.String({ minLength: 16, maxLength: 128 }),
      expires: time,
      lease: Type.Integer({ minimum: 1, maximum: LEASE_S_MAX }),
      ...want,
    },
    closed,
  ),
  Type.Object({ command: Type.Literal('stop'), streamId }, closed),
  /** One picture of at most this level, then the connection is closed. Ignored by a camera that streams. */
  Type.Object(
    {
      command: Type.Literal('snapshot'),
      streamId,
      url,
      token: Type.String({ minLength: 16, maxLength: 128 }),
      expires: time,
      maxLevel: level,
    },
    closed,
  ),
])
export type CameraCommand = Type.Static<typeof CameraCommandSchema>
