import { Camera, type Counts } from './camera.ts'
import type { CameraState, Effect, Picture, Quality } from './effects.ts'
import { Viewer } from './viewer.ts'

export type Limits = {
  readonly viewersPerCamera: number
  readonly viewersPerUser: number
  readonly viewers: number
}

/** How a camera is at this moment. */
export type CameraView = {
  readonly state: CameraState
  /** Whether it is connected to MQTT; undefined while that is not known. */
  readonly isConnected: boolean | undefined
  readonly viewers: number
  readonly picture: Picture | undefined
}

/** Connections of this moment; what happened to pictures since the start. */
export type HubNumbers = Readonly<Counts> & { readonly viewers: number; readonly sources: number }

/**
 * The relay without sockets: cameras, their streams and who watches. Events go in with the time, in milliseconds of one clock;
 * what is to be done gathers until `drain`. Nothing else moves it: no clock, no timer, no randomness of its own.
 */
export class Hub {
  readonly #limits: Limits
  readonly #newId: () => string
  readonly #cameras = new Map<string, Camera>()
  readonly #viewers = new Map<number, Viewer>()
  readonly #sources = new Map<number, Camera>()
  readonly #users = new Map<string, number>()
  readonly #counts: Counts = { picturesIn: 0, picturesOut: 0, picturesDropped: 0, viewersDismissed: 0 }
  #effects: Effect[] = []

  /** @param newId random ids of streams, `[a-z0-9]{8,32}` */
  constructor(o: { limits: Limits; newId: () => string }) {
    this.#limits = o.limits
    this.#newId = o.newId
  }

  /** What is to be done by now, in order. */
  drain(): readonly Effect[] {
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  /** Which limit keeps one more from watching; undefined: none. */
  refusal({ user, camera }: { user: string; camera: string }): keyof Limits | undefined {
    const limits = this.#limits
    if (this.#viewers.size >= limits.viewers) return 'viewers'
    if ((this.#cameras.get(camera)?.viewers.size ?? 0) >= limits.viewersPerCamera) return 'viewersPerCamera'
    return (this.#users.get(user) ?? 0) >= limits.viewersPerUser ? 'viewersPerUser' : undefined
  }

  /** Somebody watches, and gets the last picture at once. No two have the same `id`, ever. */
  join(o: { id: number; user: string; camera: string; quality: Quality }, now: number): void {
    const viewer = new Viewer(o)
    this.#viewers.set(viewer.id, viewer)
    this.#users.set(viewer.user, (this.#users.get(viewer.user) ?? 0) + 1)
    this.#camera(o.camera).join(viewer, now)
  }

  leave(id: number, now: number): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    this.#viewers.delete(id)
    const left = (this.#users.get(viewer.user) ?? 1) - 1
    if (left > 0) this.#users.set(viewer.user, left)
    else this.#users.delete(viewer.user)
    this.#camera(viewer.camera).leave(viewer, now)
  }

  quality(id: number, quality: Quality, now: number): void {
    const viewer = this.#viewers.get(id)
    if (viewer === undefined) return
    viewer.quality = quality
    this.#camera(viewer.camera).wantAgain(now)
  }

  /** A viewer has drawn a picture. */
  drawn(id: number, seq: number, now: number): void {
    const viewer = this.#viewers.get(id)
    const picture = viewer?.ack(seq, now)
    if (viewer !== undefined && picture !== undefined) this.#camera(viewer.camera).show(viewer, picture)
  }

  /** A camera has connected with a token of this stream. No two have the same `source`, ever. */
  opened(source: number, o: { camera: string; streamId: string }, now: number): void {
    const camera = this.#camera(o.camera)
    this.#sources.set(source, camera)
    camera.opened(source, o.streamId, now)
  }

  /** A ping to a camera and back took so long, milliseconds. */
  roundTrip(source: number, ms: number): void {
    this.#sources.get(source)?.roundTrip(ms)
  }

  /** A picture came; `bytes` is kept, and given to who watches. */
  picture(source: number, o: { seq: number; captureMs: number; bytes: Uint8Array }, now: number): void {
    this.#sources.get(source)?.take(source, o, now)
  }

  /** The connection of a camera is gone, whoever closed it. */
  closed(source: number, now: number): void {
    const camera = this.#sources.get(source)
    this.#sources.delete(source)
    camera?.stream.closed(source, now)
    camera?.settle(now)
  }

  /** `hello` over MQTT: it has just started. */
  hello(camera: string, now: number): void {
    this.#camera(camera).hello(now)
  }

  /** `stopped` or `error` over MQTT. */
  refused(name: string, streamId: string | undefined, now: number): void {
    const camera = this.#camera(name)
    camera.stream.refused(streamId, now)
    camera.settle(now)
  }

  /** A camera has come to MQTT, or gone from it. */
  presence(camera: string, isConnected: boolean, now: number): void {
    this.#camera(camera).presence(isConnected, now)
  }

  /** MQTT works again: what cameras were told meanwhile, nobody heard. */
  reachable(now: number): void {
    for (const camera of this.#cameras.values()) {
      camera.stream.reachable(now)
      camera.settle(now)
    }
  }

  /** Asks for a picture that is no older than `maxAgeMs`. The effect `picture` answers, at once or within SNAPSHOT_MS. */
  snapshot(request: number, o: { camera: string; maxAgeMs: number }, now: number): void {
    this.#camera(o.camera).snapshot(request, o.maxAgeMs, now)
  }

  /** Time has passed: call it a few times a second. */
  advance(now: number): void {
    for (const viewer of this.#viewers.values()) {
      if (!viewer.isLate(now)) continue
      this.#counts.viewersDismissed += 1
      this.#emit({ do: 'dismiss', viewer: viewer.id })
      this.leave(viewer.id, now)
    }
    for (const camera of this.#cameras.values()) camera.advance(now)
  }

  /** Ends all streams: the server stops. */
  stop(): void {
    for (const camera of this.#cameras.values()) camera.stream.stop()
  }

  view(name: string): CameraView {
    const camera = this.#cameras.get(name)
    return {
      state: camera?.state ?? 'idle',
      isConnected: camera?.isConnected,
      viewers: camera?.viewers.size ?? 0,
      picture: camera?.picture,
    }
  }

  numbers(): HubNumbers {
    let { picturesDropped } = this.#counts
    for (const viewer of this.#viewers.values()) picturesDropped += viewer.dropped
    return { ...this.#counts, picturesDropped, viewers: this.#viewers.size, sources: this.#sources.size }
  }

  #camera(name: string): Camera {
    let camera = this.#cameras.get(name)
    if (camera === undefined) {
      camera = new Camera({
        name,
        newId: this.#newId,
        emit: (effect) => this.#emit(effect),
        counts: this.#counts,
      })
      this.#cameras.set(name, camera)
    }
    return camera
  }

  #emit(effect: Effect): void {
    this.#effects.push(effect)
  }
}
