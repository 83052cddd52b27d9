import type { Settings } from '../settings.ts'
import { Answers } from './answers.ts'
import type { Digest } from './digest.ts'

/** What a repeat of a remembered message gets. */
export const REPLY = {
  /** Nothing yet: the application is still working. */
  PENDING: 0,
  /** Nothing, for good: no answer was wanted, or none is due. */
  SILENT: 1,
  /** An empty ACK; the answer itself went, or will go, as a message of its own. */
  EMPTY_ACK: 2,
  /** A reset. */
  RESET: 3,
  /** An ACK of the kept code that has nothing but the token, which is in the repeat. */
  ACK: 4,
  /** A NON of the kept code and message id that has nothing but the token. */
  NON: 5,
  /** The kept bytes. */
  BYTES: 6,
} as const

// One entry is eight words: half a cache line. The last word is unused.
const WORDS = 8
const LOW = 0
const HIGH = 1
const CHECK = 2
const TIME = 3
const REPLIED = 4
const PLACE = 5
const LENGTH = 6
/** Arrival times are kept in steps of 64 ms: 32 bits of them last for eight years. */
const TIME_STEP = 64
const FIRST_CAPACITY = 256

export type RecentSettings = Pick<
  Settings,
  'exchangeLifetimeMs' | 'exchangesMax' | 'answerBytesMax' | 'preallocate'
>

/**
 * The messages of the last few minutes, so that a repeat is known for one (RFC 7252 section 4.5). Open addressing over a ring in
 * order of arrival; all entries live equally long, so that the ring is also the queue in which they expire.
 * A message is known by its digest and, beside it, its message id and port.
 */
export class Recent {
  /** Entries that had to go before their time. */
  evicted = 0
  readonly #lifetime: number
  readonly #capacityMax: number
  readonly #answers: Answers
  #capacity = 0
  #entries = new Int32Array(0)
  /**
   * Pairs: slot + 1 of an entry, 0 where free, and the low half of its digest, so that a search touches only the entry it finds.
   * At most half full.
   */
  #table = new Int32Array(0)
  /** Serial number of the next entry, as a signed 32-bit integer; its slot is its low bits. */
  #next = 0
  #count = 0

  constructor({ exchangeLifetimeMs, exchangesMax, answerBytesMax, preallocate }: RecentSettings) {
    this.#lifetime = Math.ceil(exchangeLifetimeMs / TIME_STEP)
    this.#capacityMax = exchangesMax
    this.#answers = new Answers(answerBytesMax, preallocate)
    this.#resize(preallocate ? exchangesMax : Math.min(FIRST_CAPACITY, exchangesMax))
  }

  /** Entries held, expired ones that are still to be swept among them. */
  get count(): number {
    return this.#count
  }

  /** Bytes of memory taken. */
  get bytes(): number {
    return this.#entries.byteLength + this.#table.byteLength + this.#answers.size
  }

  /** The slot of the message that was digested last, or -1. It stays good until the next `add`. */
  find(digest: Digest, check: number, now: number): number {
    const entries = this.#entries
    const table = this.#table
    const mask = table.length - 2
    const low = digest.low
    for (let at = (low << 1) & mask; ; at = (at + 2) & mask) {
      const slot = table[at]! - 1
      if (slot < 0) return -1
      if (table[at + 1] !== low) continue
      const entry = slot * WORDS
      const isSame = entries[entry + HIGH] === digest.high && entries[entry + CHECK] === check
      if (isSame && !this.#isExpired(entry, now)) return slot
    }
  }

  /** Remembers the message that was digested last, as pending, and returns its serial number. */
  add(digest: Digest, check: number, now: number): number {
    // Two per message: the table empties faster than it fills, and no single message pays for a million expired ones.
    if (this.#count > 0 && this.#isExpired(this.#oldest(), now)) this.#removeOldest()
    if (this.#count > 0 && this.#isExpired(this.#oldest(), now)) this.#removeOldest()
    if (this.#count === this.#capacity) this.#makeRoom()
    const serial = this.#next
    const slot = serial & (this.#capacity - 1)
    const entry = slot * WORDS
    const entries = this.#entries
    entries[entry + LOW] = digest.low
    entries[entry + HIGH] = digest.high
    entries[entry + CHECK] = check
    entries[entry + TIME] = Math.floor(now / TIME_STEP)
    entries[entry + REPLIED] = REPLY.PENDING
    this.#link(slot, digest.low)
    this.#next = (serial + 1) | 0
    this.#count++
    return serial
  }

  /** Makes an entry pending again, when the answer to a repeat is no longer there. Returns its serial number. */
  reopen(slot: number): number {
    this.#entries[slot * WORDS + REPLIED] = REPLY.PENDING
    return (this.#next - 1 - ((this.#next - 1 - slot) & (this.#capacity - 1))) | 0
  }

  /** Sets what a repeat gets. An entry that is already gone is left alone. */
  settle(serial: number, reply: number, code = 0, messageId = 0): void {
    const entry = this.#entryOf(serial)
    if (entry >= 0) this.#entries[entry + REPLIED] = reply | (code << 8) | (messageId << 16)
  }

  /** Keeps the bytes that a repeat gets. */
  settleBytes(serial: number, bytes: Uint8Array): void {
    const entry = this.#entryOf(serial)
    if (entry < 0) return
    const place = this.#answers.put(bytes)
    this.#entries[entry + REPLIED] = place < 0 ? REPLY.SILENT : REPLY.BYTES
    this.#entries[entry + PLACE] = place
    this.#entries[entry + LENGTH] = bytes.length
  }

  reply(slot: number): number {
    return this.#entries[slot * WORDS + REPLIED]! & 0xff
  }

  code(slot: number): number {
    return (this.#entries[slot * WORDS + REPLIED]! >> 8) & 0xff
  }

  messageId(slot: number): number {
    return this.#entries[slot * WORDS + REPLIED]! >>> 16
  }

  /** The kept answer, undefined if newer ones have overwritten it. */
  kept(slot: number): Uint8Array | undefined {
    const entry = slot * WORDS
    return this.#answers.get(this.#entries[entry + PLACE]! >>> 0, this.#entries[entry + LENGTH]!)
  }

  #isExpired(entry: number, now: number): boolean {
    return ((Math.floor(now / TIME_STEP) - this.#entries[entry + TIME]!) | 0) >= this.#lifetime
  }

  #oldest(): number {
    return ((this.#next - this.#count) & (this.#capacity - 1)) * WORDS
  }

  #entryOf(serial: number): number {
    const age = (this.#next - serial) | 0
    return age > 0 && age <= this.#count ? (serial & (this.#capacity - 1)) * WORDS : -1
  }

  #makeRoom(): void {
    if (this.#capacity < this.#capacityMax) {
      this.#resize(this.#capacity * 2)
      return
    }
    this.#removeOldest()
    this.evicted++
  }

  #resize(capacity: number): void {
    const entries = new Int32Array(capacity * WORDS)
    const first = (this.#next - this.#count) | 0
    for (let i = 0; i < this.#count; i++) {
      const from = ((first + i) & (this.#capacity - 1)) * WORDS
      const to = ((first + i) & (capacity - 1)) * WORDS
      for (let w = 0; w < WORDS; w++) entries[to + w] = this.#entries[from + w]!
    }
    this.#capacity = capacity
    this.#entries = entries
    this.#table = new Int32Array(capacity * 4)
    for (let i = 0; i < this.#count; i++) {
      const slot = (first + i) & (capacity - 1)
      this.#link(slot, entries[slot * WORDS + LOW]!)
    }
  }

  #link(slot: number, low: number): void {
    const table = this.#table
    const mask = table.length - 2
    let at = (low << 1) & mask
    while (table[at] !== 0) at = (at + 2) & mask
    table[at] = slot + 1
    table[at + 1] = low
  }

  #removeOldest(): void {
    const table = this.#table
    const mask = table.length - 2
    const oldest = this.#oldest()
    const wanted = oldest / WORDS + 1
    let hole = (this.#entries[oldest + LOW]! << 1) & mask
    while (table[hole] !== wanted) hole = (hole + 2) & mask
    // Close the gap: whatever follows and would no longer be found across it moves into it.
    for (let at = (hole + 2) & mask; table[at] !== 0; at = (at + 2) & mask) {
      const home = (table[at + 1]! << 1) & mask
      if (((at - home) & mask) < ((at - hole) & mask)) continue
      table[hole] = table[at]!
      table[hole + 1] = table[at + 1]!
      hole = at
    }
    table[hole] = 0
    this.#count--
  }
}
