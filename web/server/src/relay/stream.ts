import type { CameraState, DropReason, Effect, Want } from './effects.ts'
import { SNAPSHOT_LEVEL } from './quality.ts'

/** After the last viewer has left, the camera goes on for so long: somebody may only have turned the phone. */
export const LINGER_MS = 10_000
/** A camera that was asked connects within this time, or is asked again. */
export const ANSWER_MS = 10_000
/** A connection without a picture for so long is given up. */
export const SILENT_MS = 15_000
/** A camera streams no longer than this without being told again, whatever becomes of the server. */
export const LEASE_MS = 600_000
/** Waits between attempts: this, twice as long each time, never more than the most. */
export const RETRY_MS = 1_000
export const RETRY_MOST_MS = 30_000
/** Pictures a second that a camera may send over any time, and how many at once after a pause of its link. */
export const RATE_MOST = 30
export const BURST_MOST = 60

type Attempt = {
  readonly id: string
  readonly mode: 'live' | 'snapshot'
  readonly want: Want | undefined
  readonly askedAt: number
  leaseUntil: number
  source: number | undefined
  /** When the last picture came, or the connection. */
  heardAt: number
  lastSeq: number
  /** Pictures that it may send at this moment. */
  credit: number
}

/** The stream of one camera: asked for, come, gone, asked for again, stopped. Knows no viewers, only whether it is wanted. */
export class Stream {
  readonly #camera: string
  readonly #newId: () => string
  readonly #emit: (effect: Effect) => void
  #want: Want | undefined
  #isOnceWanted = false
  #idleAt = 0
  #attempt: Attempt | undefined
  #failures = 0
  #retryAt = 0
  #isUnanswered = false

  constructor(o: { camera: string; newId: () => string; emit: (effect: Effect) => void }) {
    this.#camera = o.camera
    this.#newId = o.newId
    this.#emit = o.emit
  }

  get state(): CameraState {
    if (this.#attempt !== undefined && this.#attempt.lastSeq >= 0) return 'streaming'
    if (!this.#isWanted) return 'idle'
    return this.#isUnanswered ? 'silent' : 'starting'
  }

  /** Whether it was asked, and did not answer, the last time. */
  get isUnanswered(): boolean {
    return this.#isUnanswered
  }

  /** Whether a connection of the camera is open. */
  get isOpen(): boolean {
    return this.#attempt?.source !== undefined
  }

  /** What the viewers want together; undefined: there are none. */
  want(want: Want | undefined, now: number): void {
    const before = this.#want
    this.#want = want
    if (want === undefined) {
      if (before !== undefined) this.#idleAt = now
      return
    }
    const attempt = this.#attempt
    if (attempt?.mode === 'live') {
      if (attempt.source !== undefined && before !== want)
        this.#emit({ do: 'want', source: attempt.source, want })
      return
    }
    if (attempt !== undefined) this.#end('replaced')
    // A person waits who was not there before.
    if (before === undefined) this.#retryAt = Math.min(this.#retryAt, now)
    this.#ask(now)
  }

  /** A single picture is wanted, or no longer. */
  once(isWanted: boolean, now: number): void {
    this.#isOnceWanted = isWanted
    if (isWanted) this.#ask(now)
  }

  /** A camera has come with the token of this stream. */
  opened(source: number, streamId: string, now: number): void {
    const attempt = this.#attempt
    if (attempt === undefined || attempt.id !== streamId) {
      this.#emit({ do: 'drop', source, reason: 'replaced' })
      return
    }
    if (attempt.source !== undefined) this.#emit({ do: 'drop', source: attempt.source, reason: 'replaced' })
    attempt.source = source
    attempt.heardAt = now
    if (attempt.mode === 'live' && this.#want !== undefined && this.#want !== attempt.want)
      this.#emit({ do: 'want', source, want: this.#want })
  }

  /** A picture came; it is acknowledged at once. @returns whether it is one that may be shown */
  picture(source: number, seq: number, now: number): boolean {
    const attempt = this.#attempt
    if (attempt?.source !== source) return false
    if (seq <= attempt.lastSeq) {
      this.#emit({ do: 'drop', source, reason: 'out of order' })
      this.#fail(now)
      return false
    }
    attempt.credit = Math.min(BURST_MOST, attempt.credit + ((now - attempt.heardAt) / 1_000) * RATE_MOST) - 1
    attempt.heardAt = now
    if (attempt.credit < 0) {
      this.#emit({ do: 'drop', source, reason: 'too fast' })
      this.#fail(now)
      return false
    }
    this.#emit({ do: 'ack', source, seq })
    attempt.lastSeq = seq
    this.#failures = 0
    this.#isUnanswered = false
    this.#isOnceWanted = false
    if (attempt.mode === 'snapshot') this.#end('done')
    return true
  }

  /** The connection is gone. */
  closed(source: number, now: number): void {
    if (this.#attempt?.source === source) this.#fail(now)
  }

  /** The camera says that it does not stream, or cannot. */
  refused(streamId: string | undefined, now: number): void {
    const attempt = this.#attempt
    if (attempt === undefined || (streamId !== undefined && streamId !== attempt.id)) return
    if (attempt.source === undefined) this.#fail(now)
  }

  /** The camera has just started: what it was asked before, it knows no more. */
  restarted(now: number): void {
    if (this.#attempt !== undefined) this.#end('replaced')
    this.#failures = 0
    this.#isUnanswered = false
    this.#retryAt = now
    this.#ask(now)
  }

  /** The camera can be told again: what was said while it was away, nobody heard. */
  reachable(now: number): void {
    if (this.isOpen) return
    this.#attempt = undefined
    this.#retryAt = now
    this.#ask(now)
  }

  /** Time has passed. */
  advance(now: number): void {
    const attempt = this.#attempt
    if (attempt === undefined) this.#ask(now)
    else if (!this.#isWanted) {
      if (attempt.mode === 'snapshot') this.#end('done')
      else if (now - this.#idleAt >= LINGER_MS) this.stop()
    } else if (attempt.source === undefined) {
      if (now - attempt.askedAt >= ANSWER_MS) this.#giveUp(now)
    } else if (now - attempt.heardAt >= SILENT_MS) {
      this.#emit({ do: 'drop', source: attempt.source, reason: 'silent' })
      this.#giveUp(now)
    } else if (attempt.mode === 'live' && attempt.leaseUntil - now <= LEASE_MS / 2) {
      attempt.leaseUntil = now + LEASE_MS
      this.#emit({ do: 'lease', source: attempt.source, seconds: LEASE_MS / 1_000 })
    }
  }

  /** Ends the stream, on MQTT as well: a connection may be half open. */
  stop(): void {
    const attempt = this.#attempt
    if (attempt === undefined) return
    if (attempt.mode === 'live') this.#emit({ do: 'stop', camera: this.#camera, streamId: attempt.id })
    this.#end('done')
  }

  get #isWanted(): boolean {
    return this.#want !== undefined || this.#isOnceWanted
  }

  #ask(now: number): void {
    if (!this.#isWanted || this.#attempt !== undefined || now < this.#retryAt) return
    const id = this.#newId()
    const want = this.#want
    this.#attempt = {
      id,
      mode: want === undefined ? 'snapshot' : 'live',
      want,
      askedAt: now,
      leaseUntil: now + LEASE_MS,
      source: undefined,
      heardAt: now,
      lastSeq: -1,
      credit: BURST_MOST,
    }
    const to = { camera: this.#camera, streamId: id }
    if (want === undefined) this.#emit({ do: 'snapshot', ...to, maxLevel: SNAPSHOT_LEVEL })
    else this.#emit({ do: 'start', ...to, want, leaseS: LEASE_MS / 1_000 })
  }

  #end(reason: DropReason): void {
    const source = this.#attempt?.source
    this.#attempt = undefined
    if (source !== undefined) this.#emit({ do: 'drop', source, reason })
  }

  #giveUp(now: number): void {
    this.#isUnanswered = true
    this.#fail(now)
  }

  /** The next attempt comes later each time: a camera that fails at once must not be asked a hundred times a second. */
  #fail(now: number): void {
    this.#attempt = undefined
    this.#retryAt = now + Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** this.#failures)
    this.#failures = Math.min(this.#failures + 1, 10)
  }
}
