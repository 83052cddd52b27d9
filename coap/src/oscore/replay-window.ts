import { SEQUENCE_NUMBER_MAX } from './algorithms.ts'

/** What a verified request's Partial IV turned out to be. */
export type Acceptance =
  /** Not seen before; it has been marked as seen. */
  | 'fresh'
  /** Seen before, or too old to tell. */
  | 'replayed'
  /** Nobody can tell: the record of what was seen is lost, and the request does not prove that it is newer (see recovery). */
  | 'unproven'

/** What verifying a request asks about its Partial IV (RFC 8613 section 7.4). A caller may put a shared or stored one in its place. */
export interface ReplayProtection {
  /** The Echo value that proves a request to be fresh, while `commit` may say `unproven` (Appendix B.1.2). */
  readonly echo?: Uint8Array | undefined
  /** Whether it is worth decrypting a request with this number. Moves nothing: the number is not verified yet. */
  check(sequenceNumber: number): boolean
  /**
   * Marks the number of a request that was decrypted, and says whether it was fresh: checking and marking are one step, also when
   * another request with the same number was verified in between. `echo` is the request's inner Echo option, if it has one.
   */
  commit(sequenceNumber: number, echo: Uint8Array | undefined): Acceptance
}

/** Width when none is given. */
export const REPLAY_WINDOW_WIDTH = 64
const WIDTH_MAX = 4_096
/** Bytes of the upper edge in the stored form: it may be 2^40. */
const EDGE_LENGTH = 6

/**
 * A sliding window over the numbers that have been received, as DTLS has it (RFC 6347 section 4.1.2.6): what is newer than all is
 * fresh, what is inside the window is fresh once, what is older is refused.
 */
export class ReplayWindow implements ReplayProtection {
  /** One more than the highest number received; 0 when none was. */
  #edge = 0
  /** Bit `d % 32` of word `d >> 5`: whether the number `#edge - 1 - d` was received. */
  readonly #bits: number[]

  /** `width` in numbers: a multiple of 32, 64 to 4096. Throws RangeError for another. */
  constructor(width: number = REPLAY_WINDOW_WIDTH) {
    if (!isWidth(width)) throw new RangeError(`Failed to create a replay window of width: ${width}`)
    this.#bits = new Array<number>(width >> 5).fill(0)
  }

  /**
   * A window for whom a request of this number was the first one that proved to be fresh: it and everything below count as seen
   * (Appendix B.1.2).
   */
  static after(sequenceNumber: number, width?: number): ReplayWindow {
    const window = new ReplayWindow(width)
    window.#edge = sequenceNumber + 1
    window.#bits.fill(-1)
    return window
  }

  /** A window as `toBytes` stored it; undefined when the bytes are damaged, so that what was seen is lost. Never throws. */
  static fromBytes(bytes: Uint8Array): ReplayWindow | undefined {
    const width = (bytes.length - EDGE_LENGTH) * 8
    if (!isWidth(width)) return undefined
    const window = new ReplayWindow(width)
    let edge = 0
    for (let at = 0; at < EDGE_LENGTH; at++) edge = edge * 256 + bytes[at]!
    if (edge > SEQUENCE_NUMBER_MAX + 1) return undefined
    window.#edge = edge
    for (let at = EDGE_LENGTH; at < bytes.length; at++) {
      const byte = at - EDGE_LENGTH
      window.#bits[byte >> 2]! |= bytes[at]! << ((byte & 3) * 8)
    }
    // The highest number was received, and nothing below zero except in a window of `after`, where all bits are set.
    return (window.#bits[0]! & 1) === (edge === 0 ? 0 : 1) ? window : undefined
  }

  get width(): number {
    return this.#bits.length * 32
  }

  /** The highest number received, -1 when none was. */
  get highest(): number {
    return this.#edge - 1
  }

  check(sequenceNumber: number): boolean {
    if (sequenceNumber >= this.#edge) return sequenceNumber <= SEQUENCE_NUMBER_MAX
    const distance = this.#edge - 1 - sequenceNumber
    return distance < this.width && ((this.#bits[distance >> 5]! >>> (distance & 31)) & 1) === 0
  }

  commit(sequenceNumber: number): Acceptance {
    if (!this.check(sequenceNumber)) return 'replayed'
    if (sequenceNumber >= this.#edge) {
      this.#shift(sequenceNumber + 1 - this.#edge)
      this.#edge = sequenceNumber + 1
    }
    const distance = this.#edge - 1 - sequenceNumber
    this.#bits[distance >> 5]! |= 1 << (distance & 31)
    return 'fresh'
  }

  /** The stored form: the edge in six bytes, big-endian, then the bits; 14 bytes for a width of 64. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(EDGE_LENGTH + this.width / 8)
    let rest = this.#edge
    for (let at = EDGE_LENGTH - 1; at >= 0; at--) {
      bytes[at] = rest % 256
      rest = Math.floor(rest / 256)
    }
    for (let at = EDGE_LENGTH; at < bytes.length; at++) {
      const byte = at - EDGE_LENGTH
      bytes[at] = this.#bits[byte >> 2]! >>> ((byte & 3) * 8)
    }
    return bytes
  }

  /** Makes every bit `by` older. */
  #shift(by: number): void {
    const bits = this.#bits
    if (by >= this.width) {
      bits.fill(0)
      return
    }
    const words = by >> 5
    const rest = by & 31
    for (let at = bits.length - 1; at >= 0; at--) {
      const from = at - words
      const high = from < 0 ? 0 : bits[from]! << rest
      // A shift by 32 would be one by 0.
      const low = from < 1 || rest === 0 ? 0 : bits[from - 1]! >>> (32 - rest)
      bits[at] = high | low
    }
  }
}

function isWidth(width: number): boolean {
  return Number.isInteger(width) && width >= 64 && width <= WIDTH_MAX && width % 32 === 0
}
