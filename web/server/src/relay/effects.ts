/** What the hub says is to be done. Who carries it out (../camera/) has the sockets, MQTT and the clock. */

/** As in contract/src/relay.ts and ladder.ts; repeated here, since the hub imports nothing. */
export type Quality = 'auto' | 'low' | 'high'
export type CameraState = 'idle' | 'starting' | 'streaming' | 'silent'
export type Want = { readonly targetFps: number; readonly maxFps: number; readonly maxLevel: number }

/** One picture. `bytes` is the whole frame, shared by all who get it: nobody writes into it. */
export type Picture = {
  readonly seq: number
  readonly bytes: Uint8Array
  /** When it was taken, milliseconds of the camera's clock. */
  readonly captureMs: number
  /** What to add to `captureMs` to get the relay's time, milliseconds; an estimate. */
  readonly clock: number
  /** When it came, the relay's time. */
  readonly arrivedAt: number
}

/**
 * Why a connection of a camera is closed: its stream is over; a newer one has taken its place; no picture for too long;
 * more pictures than anybody asked for; pictures that do not rise in number; the lease ran out.
 */
export type DropReason = 'done' | 'replaced' | 'silent' | 'too fast' | 'out of order' | 'lease'

export type Effect =
  | { readonly do: 'show'; readonly viewer: number; readonly picture: Picture }
  | { readonly do: 'tell-state'; readonly viewer: number; readonly state: CameraState }
  | { readonly do: 'tell-clock'; readonly viewer: number; readonly clock: number }
  /** Close without waiting for the peer: it has not acknowledged anything for ten seconds. */
  | { readonly do: 'dismiss'; readonly viewer: number }
  | { readonly do: 'ack'; readonly source: number; readonly seq: number }
  | { readonly do: 'want'; readonly source: number; readonly want: Want }
  | { readonly do: 'lease'; readonly source: number; readonly seconds: number }
  | { readonly do: 'drop'; readonly source: number; readonly reason: DropReason }
  /** Over MQTT, with a token that opens one connection for this stream. */
  | {
      readonly do: 'start'
      readonly camera: string
      readonly streamId: string
      readonly want: Want
      readonly leaseS: number
    }
  | { readonly do: 'snapshot'; readonly camera: string; readonly streamId: string; readonly maxLevel: number }
  | { readonly do: 'stop'; readonly camera: string; readonly streamId: string }
  /** The answer to a snapshot that was asked for; undefined: the camera gave none in time. */
  | { readonly do: 'picture'; readonly request: number; readonly picture: Picture | undefined }
  /** State, presence or viewers of a camera have changed. */
  | { readonly do: 'changed'; readonly camera: string }
  /** Somebody should know: the camera is away, or does not answer. Later `back`. */
  | { readonly do: 'gone' | 'back'; readonly camera: string; readonly at: number }
