import { CaptureClock } from './clock.ts'
import type { CameraState, Effect, Picture } from './effects.ts'
import { wantOf } from './quality.ts'
import { Stream } from './stream.ts'
import type { Viewer } from './viewer.ts'

/** A camera that is not connected to MQTT for so long is gone. Wi-Fi in a stable comes and goes. */
export const GONE_MS = 60_000
/** Snapshots wait for a picture no longer. */
export const SNAPSHOT_MS = 12_000
/** A picture that is younger is good enough for every snapshot: nobody makes a camera start each second. */
export const SNAPSHOT_LEAST_MS = 2_000
/** Snapshots of one camera that wait at once. */
export const SNAPSHOTS_MOST = 100
/** Pictures are kept for snapshots and for who joins. */
export const KEEP_MS = 900_000
/** A viewer is told of a clock that is off by more, milliseconds. */
const CLOCK_STEP_MS = 5

/** What happened to pictures, counted since the start by all cameras together. */
export type Counts = {
  picturesIn: number
  picturesOut: number
  picturesDropped: number
  viewersDismissed: number
}

/** One camera: its stream, who watches it, and whether it is there at all. */
export class Camera {
  readonly name: string
  readonly stream: Stream
  readonly viewers = new Map<number, Viewer>()
  /** Whether it is connected to MQTT; undefined while that is not known. */
  isConnected: boolean | undefined
  picture: Picture | undefined
  readonly #emit: (effect: Effect) => void
  readonly #counts: Counts
  readonly #snapshots = new Map<number, { readonly until: number }>()
  #clock = new CaptureClock()
  #state: CameraState = 'idle'
  #awaySince: number | undefined
  #isGone = false

  constructor(o: { name: string; newId: () => string; emit: (effect: Effect) => void; counts: Counts }) {
    this.name = o.name
    this.#emit = o.emit
    this.#counts = o.counts
    this.stream = new Stream({ camera: o.name, newId: o.newId, emit: o.emit })
  }

  /** As people should see it: one that is not there does not start, however often it is asked. */
  get state(): CameraState {
    const { state } = this.stream
    return state === 'starting' && this.isConnected === false ? 'silent' : state
  }

  join(viewer: Viewer, now: number): void {
    this.viewers.set(viewer.id, viewer)
    this.wantAgain(now)
    // A new state is told to all, and so to this one; else it hears how things are.
    if (this.state === this.#state) this.#emit({ do: 'tell-state', viewer: viewer.id, state: this.#state })
    this.#emit({ do: 'changed', camera: this.name })
    this.settle(now)
    if (this.picture !== undefined) this.#offer(viewer, this.picture, now)
  }

  leave(viewer: Viewer, now: number): void {
    this.viewers.delete(viewer.id)
    this.#counts.picturesDropped += viewer.dropped
    this.wantAgain(now)
    this.#emit({ do: 'changed', camera: this.name })
    this.settle(now)
  }

  /** Who watches, or in which quality, has changed. */
  wantAgain(now: number): void {
    const qualities = [...this.viewers.values()].map(({ quality }) => quality)
    this.stream.want(wantOf(qualities), now)
  }

  opened(source: number, streamId: string, now: number): void {
    this.#clock = new CaptureClock()
    this.stream.opened(source, streamId, now)
    this.settle(now)
  }

  roundTrip(ms: number): void {
    this.#clock.roundTrip(ms)
  }

  take(source: number, o: { seq: number; captureMs: number; bytes: Uint8Array }, now: number): void {
    if (this.stream.picture(source, o.seq, now)) {
      this.#counts.picturesIn += 1
      this.#clock.observe(o.captureMs, now)
      const picture = { ...o, clock: this.#clock.offset, arrivedAt: now }
      this.picture = picture
      for (const viewer of this.viewers.values()) this.#offer(viewer, picture, now)
      for (const request of this.#snapshots.keys()) this.#emit({ do: 'picture', request, picture })
      this.#snapshots.clear()
    }
    this.settle(now)
  }

  /** Sends a picture that the viewer is owed, with the clock to read its time by. */
  show(viewer: Viewer, picture: Picture): void {
    if (viewer.clock === undefined || Math.abs(viewer.clock - picture.clock) > CLOCK_STEP_MS) {
      viewer.clock = picture.clock
      this.#emit({ do: 'tell-clock', viewer: viewer.id, clock: picture.clock })
    }
    this.#counts.picturesOut += 1
    this.#emit({ do: 'show', viewer: viewer.id, picture })
  }

  /** It came to MQTT, or went from it. */
  presence(isConnected: boolean, now: number): void {
    if (this.isConnected === isConnected) return
    this.#connected(isConnected, now)
    if (isConnected) this.stream.reachable(now)
    this.settle(now)
  }

  /** It has just started. */
  hello(now: number): void {
    if (this.isConnected !== true) this.#connected(true, now)
    this.stream.restarted(now)
    this.settle(now)
  }

  snapshot(request: number, maxAgeMs: number, now: number): void {
    const { picture } = this
    const isYoung = picture && now - picture.arrivedAt <= Math.max(maxAgeMs, SNAPSHOT_LEAST_MS)
    const isAway = this.isConnected === false && !this.stream.isOpen
    if (isYoung || isAway || this.#snapshots.size >= SNAPSHOTS_MOST) {
      this.#emit({ do: 'picture', request, picture: isYoung ? picture : undefined })
      return
    }
    this.#snapshots.set(request, { until: now + SNAPSHOT_MS })
    this.stream.once(true, now)
    this.settle(now)
  }

  advance(now: number): void {
    for (const [request, { until }] of this.#snapshots) {
      if (now < until) continue
      this.#snapshots.delete(request)
      this.#emit({ do: 'picture', request, picture: undefined })
      if (this.#snapshots.size === 0) this.stream.once(false, now)
    }
    this.stream.advance(now)
    if (this.picture !== undefined && now - this.picture.arrivedAt > KEEP_MS) this.picture = undefined
    this.settle(now)
  }

  /** After each event: tells who must know of a new state. */
  settle(now: number): void {
    const { isUnanswered, isOpen } = this.stream
    const { state } = this
    if (state !== this.#state) {
      this.#state = state
      for (const viewer of this.viewers.keys()) this.#emit({ do: 'tell-state', viewer, state })
      this.#emit({ do: 'changed', camera: this.name })
    }
    const away = this.#awaySince
    const isGone = isUnanswered || (away !== undefined && now - away >= GONE_MS && !isOpen)
    if (isGone === this.#isGone) return
    this.#isGone = isGone
    this.#emit({ do: isGone ? 'gone' : 'back', camera: this.name, at: isGone ? (away ?? now) : now })
  }

  #connected(isConnected: boolean, now: number): void {
    this.isConnected = isConnected
    this.#awaySince = isConnected ? undefined : now
    this.#emit({ do: 'changed', camera: this.name })
  }

  #offer(viewer: Viewer, picture: Picture, now: number): void {
    const next = viewer.offer(picture, now)
    if (next !== undefined) this.show(viewer, next)
  }
}
