/** The shortest way is looked for over this time, milliseconds: the clocks of two machines drift apart. */
const SPAN_MS = 30_000

/**
 * Brings the clock of a camera, which says no time of day, to the relay's. The picture that came fastest tells most: it was
 * under way for little more than half of the shortest round trip. What its bytes took on the link is not seen: up to a
 * tenth of a second on the slowest one.
 */
export class CaptureClock {
  #least = Number.POSITIVE_INFINITY
  #leastBefore = Number.POSITIVE_INFINITY
  #turnAt = Number.NEGATIVE_INFINITY
  #roundTripMs = 0
  #hasRoundTrip = false

  /** A picture came. Both in milliseconds, each of its own clock. */
  observe(captureMs: number, now: number): void {
    if (now >= this.#turnAt) {
      this.#leastBefore = this.#least
      this.#least = Number.POSITIVE_INFINITY
      this.#turnAt = now + SPAN_MS
    }
    this.#least = Math.min(this.#least, now - captureMs)
  }

  /** How long a ping to the camera and back took, milliseconds. */
  roundTrip(ms: number): void {
    this.#roundTripMs = this.#hasRoundTrip ? Math.min(this.#roundTripMs, ms) : ms
    this.#hasRoundTrip = true
  }

  /** What to add to a capture time to get the relay's time, milliseconds. Only after a picture. */
  get offset(): number {
    return Math.min(this.#least, this.#leastBefore) - this.#roundTripMs / 2
  }
}
