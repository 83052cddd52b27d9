import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SequenceFailure, SequenceNumbers } from '@pesebre/coap/oscore/sender-sequence'
import { replaceFile } from '../replace-file.ts'

/**
 * The gateway's own Sender Sequence Numbers (design/promises.md S4): for answers that may not use the request's nonce, and for
 * notifications. One counter for all threads and all devices, never the same number twice, also after a crash or on a restored disk.
 */
export const SEQUENCE_NAME = 'sequence.json'
/** Numbers reserved on disk at a time. */
const BLOCK = 65_536
/** Numbers begin at the milliseconds since then: a disk that was put back to an older state does not repeat what was used. */
const EPOCH = Date.UTC(2026, 0, 1)
const SEQUENCE_END = 2 ** 40
const NEXT = 0
const LIMIT = 1

/** Reserves numbers. Only the main thread has one. */
export type Reservation = {
  /** Handed to the threads: `openSequence` takes numbers out of it. */
  readonly memory: SharedArrayBuffer
  /** Stores a new limit when half of a block is used up. Throws the error of the disk; then numbers run out, and are not repeated. */
  renew(): void
}

/** Reads what was reserved before in `dir`, and reserves a first block. `now`: milliseconds since 1970. */
export function reserveSequence(dir: string, now: number): Reservation {
  const memory = new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT)
  const words = new BigInt64Array(memory)
  const start = Math.min(SEQUENCE_END, Math.max(readLimit(dir), now - EPOCH, 0))
  Atomics.store(words, NEXT, BigInt(start))
  Atomics.store(words, LIMIT, BigInt(start))
  renew()
  return { memory, renew }

  function renew(): void {
    const next = Number(Atomics.load(words, NEXT))
    const limit = Number(Atomics.load(words, LIMIT))
    if (limit - next > BLOCK / 2 || limit >= SEQUENCE_END) return
    const reserved = Math.min(SEQUENCE_END, next + BLOCK)
    replaceFile(join(dir, SEQUENCE_NAME), Buffer.from(JSON.stringify({ reserved })))
    Atomics.store(words, LIMIT, BigInt(reserved))
  }
}

/** The view of one thread. */
export function openSequence(memory: SharedArrayBuffer): SequenceNumbers {
  const words = new BigInt64Array(memory)
  return { take }

  function take(): number | SequenceFailure {
    for (;;) {
      const next = Atomics.load(words, NEXT)
      if (next >= Atomics.load(words, LIMIT))
        return next >= SEQUENCE_END ? 'sequence-exhausted' : 'sequence-unreserved'
      if (Atomics.compareExchange(words, NEXT, next, next + 1n) === next) return Number(next)
    }
  }
}

function readLimit(dir: string): number {
  try {
    const { reserved } = JSON.parse(readFileSync(join(dir, SEQUENCE_NAME), 'utf8')) as { reserved?: unknown }
    if (Number.isSafeInteger(reserved)) return reserved as number
  } catch {
    // Missing or damaged: the clock decides.
  }
  return 0
}
