import { join } from 'node:path'
import type { SequenceFailure, SequenceNumbers } from '@pesebre/coap/oscore/sender-sequence'
import { openTwinFile, type TwinFile } from '../twin-file.ts'

/** Numbers reserved on disk at a time. After a quick restart this many milliseconds may pass until the next may be used. */
const BLOCK = 512
const FILE_STEP = 64
const EPOCH = Date.UTC(2026, 0, 1)
const SEQUENCE_END = 2 ** 40
/** When the disk is further ahead of the clock than this, the clock is wrong, or was. Then the disk alone decides. */
const CLOCK_ERROR_MAX_MS = 3_600_000
const NEXT = 0
const LIMIT = 1
/** 1 while numbers wait for their time. */
const TIMED = 2

/** Reserves numbers. Only the main thread has one. */
export type Reservation = {
  /** Handed to the threads: `openSequence` takes numbers out of it. */
  readonly memory: SharedArrayBuffer
  /** Whether numbers were reserved in this directory before. */
  readonly wasUsed: boolean
  /** Stores a new limit when half of a block is used up. Throws the error of the disk; then numbers run out, and are not repeated. */
  renew(): void
}

/**
 * The gateway's own Sender Sequence Numbers (design/promises.md S4): for answers that may not use the request's nonce, and for
 * notifications. One counter for all threads and all devices. No number is used twice: not after a crash, since numbers are
 * reserved on disk before use; nor on a disk that was put back to an older state, since no number is used before its time. Number
 * n may be used from n milliseconds after EPOCH on, so that who begins now begins above all that were ever used.
 *
 * Reads what was reserved before in `dir`, and reserves a first block. `now`: milliseconds since 1970.
 */
export function reserveSequence(dir: string, now: number): Reservation {
  const memory = new SharedArrayBuffer(3 * BigInt64Array.BYTES_PER_ELEMENT)
  const words = new BigInt64Array(memory)
  // Written over in place: also while the disk is full, devices are to hear 5.03.
  const file = openTwinFile(join(dir, 'sequence'), FILE_STEP)
  const wasUsed = file.read() !== 'missing'
  const reserved = limitIn(file)
  const start = Math.min(SEQUENCE_END, Math.max(reserved, now - EPOCH, 0))
  Atomics.store(words, NEXT, BigInt(start))
  Atomics.store(words, LIMIT, BigInt(start))
  Atomics.store(words, TIMED, reserved - (now - EPOCH) > CLOCK_ERROR_MAX_MS ? 0n : 1n)
  renew()
  return { memory, wasUsed, renew }

  function renew(): void {
    const next = Number(Atomics.load(words, NEXT))
    const limit = Number(Atomics.load(words, LIMIT))
    if (limit - next > BLOCK / 2 || limit >= SEQUENCE_END) return
    const more = Math.min(SEQUENCE_END, next + BLOCK)
    file.write(Buffer.from(JSON.stringify({ reserved: more })))
    Atomics.store(words, LIMIT, BigInt(more))
  }
}

/** The view of one thread. `clock`: milliseconds since 1970. */
export function openSequence(memory: SharedArrayBuffer, clock: () => number): SequenceNumbers {
  const words = new BigInt64Array(memory)
  const isTimed = Atomics.load(words, TIMED) === 1n
  return { take }

  function take(): number | SequenceFailure {
    const due = isTimed ? BigInt(clock() - EPOCH) : BigInt(SEQUENCE_END)
    for (;;) {
      const next = Atomics.load(words, NEXT)
      if (next >= SEQUENCE_END) return 'sequence-exhausted'
      if (next >= Atomics.load(words, LIMIT) || next > due) return 'sequence-unreserved'
      if (Atomics.compareExchange(words, NEXT, next, next + 1n) === next) return Number(next)
    }
  }
}

/** Missing or damaged: 0, and the clock decides. */
function limitIn(file: TwinFile): number {
  const bytes = file.read()
  if (typeof bytes === 'string') return 0
  const { reserved } = JSON.parse(bytes.toString()) as { reserved: number }
  return reserved
}
