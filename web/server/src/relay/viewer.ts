import type { Picture, Quality } from './effects.ts'
import { leastIntervalMs } from './quality.ts'

/** Pictures that may be on their way to a viewer, unacknowledged. */
export const WINDOW = 2
/** A viewer whose acknowledgements take longer gets one picture at a time: each is then half as old when it is drawn. */
export const SLOW_MS = 1_000
/** A viewer that owes an acknowledgement for so long is dismissed: pings do not notice a reader that stands still. */
export const LATE_MS = 10_000

/**
 * What one viewer gets: one picture, then, unless it is slow, at most two under way, and always the newest, never the ones between. Acknowledgements come after
 * drawing: what the socket has buffered says nothing, since the kernel alone hides megabytes.
 */
export class Viewer {
  readonly id: number
  readonly user: string
  readonly camera: string
  quality: Quality
  /** The clock that it was told last. */
  clock: number | undefined
  /** Pictures that it never got, because a newer one was there. */
  dropped = 0
  #inFlight: { readonly seq: number; readonly at: number }[] = []
  #waiting: Picture | undefined
  #sentAt = Number.NEGATIVE_INFINITY
  /** How long the last acknowledgement took; until there is one, the viewer counts as slow. */
  #delayMs = Number.POSITIVE_INFINITY

  constructor(o: { id: number; user: string; camera: string; quality: Quality }) {
    this.id = o.id
    this.user = o.user
    this.camera = o.camera
    this.quality = o.quality
  }

  /** A new picture is there. @returns the one to send now, if any */
  offer(picture: Picture, now: number): Picture | undefined {
    // A little before its time is in time: pictures do not come by the clock.
    if (now - this.#sentAt < leastIntervalMs(this.quality) * 0.9) {
      this.dropped += 1
      return undefined
    }
    if (this.#isFull()) {
      if (this.#waiting !== undefined) this.dropped += 1
      this.#waiting = picture
      return undefined
    }
    return this.#send(picture, now)
  }

  /** It has drawn this picture, and needs none of those before. @returns the one to send now, if any */
  ack(seq: number, now: number): Picture | undefined {
    const index = this.#inFlight.findIndex((one) => one.seq === seq)
    if (index < 0) return undefined
    this.#delayMs = now - this.#inFlight[index]!.at
    this.#inFlight.splice(0, index + 1)
    const picture = this.#waiting
    if (picture === undefined || this.#isFull()) return undefined
    this.#waiting = undefined
    return this.#send(picture, now)
  }

  /** Whether it owes an acknowledgement for too long. */
  isLate(now: number): boolean {
    const oldest = this.#inFlight[0]
    return oldest !== undefined && now - oldest.at >= LATE_MS
  }

  #isFull(): boolean {
    return this.#inFlight.length >= (this.#delayMs > SLOW_MS ? 1 : WINDOW)
  }

  #send(picture: Picture, now: number): Picture {
    this.#inFlight.push({ seq: picture.seq, at: now })
    this.#sentAt = now
    return picture
  }
}
