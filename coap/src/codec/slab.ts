const SLAB = 8_192
const LARGE = 512

/**
 * Gives out arrays for what is made of each message. Small ones are cut from a larger piece, which is never used twice: making a
 * separate buffer for ten bytes costs more than the rest of an answer. Whoever keeps a small one for long should copy it.
 */
export class Slab {
  #piece = new Uint8Array(SLAB)
  #used = 0

  take(length: number): Uint8Array {
    if (length > LARGE) return new Uint8Array(length)
    if (this.#used + length > SLAB) {
      this.#piece = new Uint8Array(SLAB)
      this.#used = 0
    }
    const start = this.#used
    this.#used = start + length
    return this.#piece.subarray(start, start + length)
  }
}
