/** Numbers of a live picture, from what was drawn lately. */

/** Over so long rates are taken, milliseconds. */
const SPAN_MS = 3_000
/** A picture is old when nothing new was drawn for three of its intervals, but not before this, milliseconds. */
const STALE_LEAST_MS = 2_000
/** Weight of the newest interval. */
const WEIGHT = 0.2

/** What the person sees of the stream, besides the picture. */
export type Rates = { readonly fps: number; readonly kbps: number }

/** Counts what was drawn. */
export class Screen {
  #drawn: { readonly at: number; readonly bytes: number }[] = []
  #lastAt: number | undefined
  #intervalMs = 0

  drew(bytes: number, now: number): void {
    if (this.#lastAt !== undefined) {
      const interval = Math.min(now - this.#lastAt, SPAN_MS)
      this.#intervalMs += (interval - this.#intervalMs) * (this.#intervalMs === 0 ? 1 : WEIGHT)
    }
    this.#lastAt = now
    this.#drawn.push({ at: now, bytes })
    this.#forget(now)
  }

  /** Since when the picture stands still, milliseconds of the same clock; undefined: there is none yet. */
  get lastAt(): number | undefined {
    return this.#lastAt
  }

  isStale(now: number): boolean {
    if (this.#lastAt === undefined) return false
    return now - this.#lastAt > Math.max(STALE_LEAST_MS, 3 * this.#intervalMs)
  }

  rates(now: number): Rates {
    this.#forget(now)
    const bytes = this.#drawn.reduce((sum, one) => sum + one.bytes, 0)
    return { fps: this.#drawn.length / (SPAN_MS / 1_000), kbps: (bytes * 8) / SPAN_MS }
  }

  #forget(now: number): void {
    while (this.#drawn[0] !== undefined && this.#drawn[0].at <= now - SPAN_MS) this.#drawn.shift()
  }
}
