/**
 * How a camera chooses the size of its next picture: a ladder of sizes, climbed by what the relay acknowledges. Pure, and in
 * whole numbers only, so that the camera in C does the very same (vectors/ladder.json). Times are milliseconds of one clock.
 *
 * At 150 kbps nothing but the bytes of a picture decides how many a second get through; so the largest size is taken at
 * which the wanted rate is still reached.
 */

export type Level = {
  readonly width: number
  readonly height: number
  /** What such a picture has on an ordinary day, bytes; light changes it threefold. */
  readonly bytes: number
}

/** Smallest first. Sizes are those of an OV2640: QQVGA, HQVGA, QVGA twice (coarse, fine), CIF, VGA. */
export const LADDER: readonly Level[] = [
  { width: 160, height: 120, bytes: 1_600 },
  { width: 240, height: 176, bytes: 2_600 },
  { width: 320, height: 240, bytes: 4_000 },
  { width: 320, height: 240, bytes: 7_000 },
  { width: 400, height: 296, bytes: 12_000 },
  { width: 640, height: 480, bytes: 20_000 },
]
export const LEVEL_MAX = LADDER.length - 1

/** Pictures that may be on their way unacknowledged. One wastes a round trip, and misreads the link. */
export const WINDOW = 2
/** Where a stream begins, unless less is wanted. */
export const FIRST_LEVEL = 2
/** Steps up are at least this far apart, milliseconds. Steps down are taken at once. */
export const STEP_UP_MS = 3_000

/** What the relay wants of a camera. */
export type Want = {
  /** Pictures a second below which a smaller size is chosen. */
  readonly targetFps: number
  /** Pictures a second that are never exceeded. */
  readonly maxFps: number
  /** Largest level. */
  readonly maxLevel: number
}

type InFlight = { readonly seq: number; readonly bytes: number; readonly at: number }

/** One stream's place on the ladder. */
export class Ladder {
  #want: Want
  #level: number
  /** Estimated rate of the link, bytes a second; 0 while nothing is known. */
  #goodput = 0
  /** Size of pictures against the table's, thousandths. */
  #scale = 1_000
  #changedAt: number
  #dueAt: number
  #ackedAt = Number.NEGATIVE_INFINITY
  /** Shortest time from a picture to its acknowledgement. */
  #leastDelay = Number.POSITIVE_INFINITY
  #inFlight: InFlight[] = []

  constructor(want: Want, now: number) {
    this.#want = want
    this.#level = Math.min(FIRST_LEVEL, want.maxLevel)
    this.#changedAt = now
    this.#dueAt = now
  }

  /** The level of the next picture. */
  get level(): number {
    return this.#level
  }

  /** Estimated rate of the link, bytes a second; 0 while nothing is known. */
  get goodput(): number {
    return this.#goodput
  }

  /** Pictures that are not acknowledged. */
  get inFlight(): number {
    return this.#inFlight.length
  }

  /** When a picture may be taken and sent; undefined: not before the next acknowledgement. */
  nextAt(): number | undefined {
    if (this.#inFlight.length >= WINDOW) return undefined
    return this.#dueAt
  }

  /** Somebody else watches, or in another quality. */
  want(want: Want, now: number): void {
    this.#want = want
    this.#choose(now)
  }

  /** A picture went out. `bytes` is the whole message. */
  sent(seq: number, bytes: number, now: number): void {
    this.#inFlight.push({ seq, bytes, at: now })
    // One that went out late brings the next one forward, so that a sensor's own rhythm does not halve the rate.
    const interval = Math.trunc(1_000 / this.#want.maxFps)
    this.#dueAt = Math.max(this.#dueAt, now - interval) + interval
    const scale = Math.trunc((bytes * 1_000) / LADDER[this.#level]!.bytes)
    this.#scale += Math.trunc((scale - this.#scale) / 8)
  }

  /** The relay has this picture, and so all before it. */
  acked(seq: number, now: number): void {
    const index = this.#inFlight.findIndex((one) => one.seq === seq)
    if (index < 0) return
    const picture = this.#inFlight[index]!
    this.#inFlight.splice(0, index + 1)
    const { bytes, at } = picture
    this.#leastDelay = Math.min(this.#leastDelay, now - at)
    const took = Math.max(1, now - Math.max(at, this.#ackedAt))
    const sample = Math.trunc((bytes * 1_000) / took)
    // A sample is at most what the link gives, since waiting for pictures and for the round trip is in it. It is the whole rate
    // where the picture was waiting for the link by the time that the one before it had left.
    const isWhole = at <= this.#ackedAt - this.#leastDelay
    this.#ackedAt = now
    if (this.#goodput === 0) this.#goodput = sample
    else if (sample > this.#goodput) {
      // Acknowledgements that were held up somewhere come together, and would show a wonderful link.
      const most = Math.min(sample, 2 * this.#goodput)
      this.#goodput += Math.trunc((most - this.#goodput) / 4)
    } else if (isWhole) this.#goodput -= Math.trunc((this.#goodput - sample) / 2)
    this.#choose(now)
  }

  #choose(now: number): void {
    const best = this.#best()
    if (best < this.#level) this.#level = best
    else if (best > this.#level && now - this.#changedAt >= STEP_UP_MS) this.#level += 1
    else return
    this.#changedAt = now
  }

  /** The largest level at which nine tenths of the link carry the wanted rate. */
  #best(): number {
    const { targetFps, maxLevel } = this.#want
    if (this.#goodput === 0) return Math.min(this.#level, maxLevel)
    const room = Math.trunc((this.#goodput * 9) / (10 * targetFps))
    let best = 0
    for (let level = 1; level <= maxLevel; level++) {
      if (Math.trunc((LADDER[level]!.bytes * this.#scale) / 1_000) <= room) best = level
    }
    return best
  }
}
