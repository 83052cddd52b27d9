import type { Random } from './random.ts'

const COUNTERS = 4_096

/**
 * Message ids for what we send of our own accord. They may not repeat for one peer within a lifetime (RFC 7252 section 4.4), and
 * one counter for all peers would come round within a second. So there are many, shared by peers of equal hash: each counts up
 * alone, from an unknown start, and none has to be made or forgotten.
 */
export class MessageIds {
  readonly #counters = new Uint16Array(COUNTERS)

  constructor(random: Random) {
    for (let i = 0; i < COUNTERS; i++) this.#counters[i] = random.bits()
  }

  next(peerHash: number): number {
    return this.#counters[(peerHash >>> 8) & (COUNTERS - 1)]!++
  }
}
