/**
 * The bytes of answers, kept in one ring: the newest overwrite the oldest. A place in it is a 32-bit number, and whether it
 * still holds what was put there can be told from the number, so that nothing has to be cleaned up.
 */
const FIRST_SIZE = 1 << 14
/** Places count in steps of eight bytes: 32 GiB pass before one comes round, more than a lifetime can hold. */
const STEP = 8

export class Answers {
  readonly #max: number
  #ring: Uint8Array = new Uint8Array(0)
  /** Next place, in steps since the start, as an unsigned 32-bit number. */
  #next = 0
  /** Steps that hold something. */
  #filled = 0

  /** `max` bytes at most, taken as they are needed, or all of them at once. */
  constructor(max: number, preallocate = false) {
    this.#max = max - (max % STEP)
    if (preallocate) this.#ring = new Uint8Array(this.#max)
  }

  /** Bytes of memory taken. */
  get size(): number {
    return this.#ring.length
  }

  /** Keeps a copy and returns its place, or -1 if it is larger than the whole ring may be. */
  put(bytes: Uint8Array): number {
    const steps = Math.ceil(bytes.length / STEP)
    if (steps * STEP > this.#max) return -1
    if ((this.#filled + steps) * STEP > this.#ring.length) this.#grow(steps)
    const place = this.#next
    this.#copyIn(bytes, place)
    this.#next = (place + steps) >>> 0
    this.#filled = Math.min(this.#filled + steps, this.#ring.length / STEP)
    return place
  }

  /** A copy of the `length` bytes that were put at `place`, undefined if they have been overwritten. */
  get(place: number, length: number): Uint8Array | undefined {
    const age = (this.#next - place) >>> 0
    if (age > this.#filled) return undefined
    const bytes = new Uint8Array(length)
    const start = this.#indexOf(place)
    const head = Math.min(length, this.#ring.length - start)
    bytes.set(this.#ring.subarray(start, start + head))
    bytes.set(this.#ring.subarray(0, length - head), head)
    return bytes
  }

  #grow(steps: number): void {
    let size = Math.max(this.#ring.length, FIRST_SIZE)
    while (size < (this.#filled + steps) * STEP) size *= 2
    size = Math.min(size, this.#max)
    if (size <= this.#ring.length) return
    const first = (this.#next - this.#filled) >>> 0
    const kept = this.get(first, this.#filled * STEP)
    this.#ring = new Uint8Array(size)
    if (kept !== undefined) this.#copyIn(kept, first)
  }

  #copyIn(bytes: Uint8Array, place: number): void {
    const start = this.#indexOf(place)
    const head = Math.min(bytes.length, this.#ring.length - start)
    // By hand: most are a few bytes, for which a view of each part would cost more than all the rest.
    for (let at = 0; at < head; at++) this.#ring[start + at] = bytes[at]!
    for (let at = head; at < bytes.length; at++) this.#ring[at - head] = bytes[at]!
  }

  #indexOf(place: number): number {
    return (place * STEP) % this.#ring.length
  }
}
