import { SEQUENCE_NUMBER_MAX } from './algorithms.ts'

/** Why there is no number: the caller has to reserve more, or there are no more with this key at all (RFC 8613 section 7.2.1). */
export type SequenceFailure = 'sequence-unreserved' | 'sequence-exhausted'

/** Where Sender Sequence Numbers come from: no number comes out twice, also not after a crash. Threads may share one. */
export interface SequenceNumbers {
  /** Takes a number out, for one message. */
  take(): number | SequenceFailure
}

/** One more than the highest number: as a limit, it leaves nothing out. */
export const SEQUENCE_END = SEQUENCE_NUMBER_MAX + 1

/**
 * The Sender Sequence Number of one Sender Key, or of many that step together. No number comes out of it twice. So that none does
 * after a crash either, numbers are used only up to a limit that the caller has stored beforehand (Appendix B.1.1): store a new
 * limit, then `reserve` it; after a restart, begin at the stored limit.
 */
export class SenderSequence implements SequenceNumbers {
  #next: number
  #limit: number

  /** Numbers from `next` up to but not including `limit` may be used. Throws RangeError for numbers that are none. */
  constructor(next: number, limit: number) {
    if (!Number.isInteger(next) || next < 0 || next > limit)
      throw new RangeError(`Failed to create a sender sequence: from ${next} to ${limit}`)
    this.#next = next
    this.#limit = next
    this.reserve(limit)
  }

  /** The number that comes next, if it is below the limit. */
  get next(): number {
    return this.#next
  }

  /** Numbers that may be used without reserving more. */
  get left(): number {
    return this.#limit - this.#next
  }

  /**
   * Moves the limit, which must have been stored. With `from`, the numbers go on there, and those up to it are left out: several
   * threads that use the same Sender Key take turns with blocks. Throws RangeError when it would go back or beyond 2^40.
   */
  reserve(limit: number, from: number = this.#limit): void {
    const isRange =
      Number.isInteger(from) && Number.isInteger(limit) && from <= limit && limit <= SEQUENCE_END
    if (!isRange || from < this.#limit)
      throw new RangeError(
        `Failed to reserve sender sequence numbers: ${from} to ${limit} after ${this.#limit}`,
      )
    if (from > this.#limit) this.#next = from
    this.#limit = limit
  }

  /** Takes a number out, for one message. */
  take(): number | SequenceFailure {
    if (this.#next < this.#limit) return this.#next++
    return this.#next > SEQUENCE_NUMBER_MAX ? 'sequence-exhausted' : 'sequence-unreserved'
  }
}
