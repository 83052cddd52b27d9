/**
 * The relay: cameras send pictures over a WebSocket, viewers get them over another one. Binary messages are frames (frame.ts);
 * what else is said is JSON text, in the types below. No schema library here: browsers load this file.
 */
import type { Want } from './ladder.ts'

/** Path of the relay for cameras; the token comes in the query, `?token=`. */
export const CAMERA_PATH = '/relay/v1/camera'
/** Path of the relay for viewers, followed by the id of the horse; `?quality=auto|low|high`. */
export const VIEW_PATH = '/relay/v1/view/'

/** Longest life of a token, seconds. It opens one connection. */
export const TOKEN_S_MAX = 60
/** Longest time that a camera streams without a renewed lease, seconds. */
export const LEASE_S_MAX = 600
/** A camera that hears no acknowledgement for so long ends the stream, seconds. */
export const ACK_S_MAX = 15

/** Relay -> camera, text. */
export type RelayToCamera =
  /** This picture has arrived. */
  | { readonly ack: number }
  | { readonly want: Want }
  /** The lease holds for so many seconds from now. */
  | { readonly lease: number }

/** What viewers choose. Low saves data, High prefers large pictures to many. */
export const QUALITIES = ['auto', 'low', 'high'] as const
export type Quality = (typeof QUALITIES)[number]

/**
 * How a camera is: nobody watches; asked to start; pictures come; it does not answer (and is asked again and again).
 */
export const CAMERA_STATES = ['idle', 'starting', 'streaming', 'silent'] as const
export type CameraState = (typeof CAMERA_STATES)[number]

/** Relay -> viewer, text. Binary messages are frames. */
export type RelayToViewer =
  | { readonly camera: CameraState }
  /** What to add to the capture time of the frames that follow, in milliseconds, to get the relay's time. */
  | { readonly clock: number }
  /** The answer to `ping`: what was sent, and the relay's time in milliseconds. */
  | { readonly pong: number; readonly now: number }

/** Viewer -> relay, text. */
export type ViewerToRelay =
  /** This picture is on the screen. */
  | { readonly ack: number }
  /** The viewer's own time, milliseconds. */
  | { readonly ping: number }
  | { readonly quality: Quality }

/**
 * Why the relay closes a viewer's connection: WebSocket close codes of the private range (RFC 6455 section 7.4.2).
 * A viewer that has not acknowledged anything for ten seconds is cut off without one (1006): let it connect again.
 */
export const CLOSE_CODES = {
  /** The session ended, or its user may no longer see this horse. Do not connect again. */
  forbidden: 4003,
  /** The camera was taken away from the horse, or another one given to it. Connect again. */
  changed: 4004,
  /** Something that does not belong here was said. Do not connect again. */
  protocol: 4008,
} as const
