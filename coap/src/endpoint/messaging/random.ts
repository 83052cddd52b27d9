import { createDigest, type Digest } from './digest.ts'

/**
 * Numbers that nobody without the seed can foretell: a keyed digest of a counter. Equal seeds give equal numbers, so that a
 * test can be run again.
 */
export class Random {
  readonly #digest: Digest
  readonly #counter = new Uint8Array(8)

  /** Takes its key from bytes 8 to 16 of the seed; the first 8 are the key of the digests of datagrams. */
  constructor(seed: Uint8Array) {
    this.#digest = createDigest(seed.subarray(8))
  }

  /** 32 bits, signed. */
  bits(): number {
    this.#step()
    return this.#digest.low
  }

  /** At least 0, below 1. */
  fraction(): number {
    return (this.bits() >>> 0) / 2 ** 32
  }

  /** Eight bytes, for a token. */
  token(): Uint8Array {
    this.#step()
    const { low, high } = this.#digest
    return Uint8Array.of(low, low >> 8, low >> 16, low >> 24, high, high >> 8, high >> 16, high >> 24)
  }

  #step(): void {
    let at = 0
    do this.#counter[at]!++
    while (this.#counter[at] === 0 && ++at < 8)
    this.#digest.update('', 0, this.#counter)
  }
}
