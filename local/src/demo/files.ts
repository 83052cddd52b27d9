import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import { type FeederRecord, NEW_RECORD } from './record.ts'

/** Numbers reserved at once. One only: what a restart leaves out would count as reports that were lost on the way. */
const RESERVE = 1

/**
 * The memory of a feeder. One that cannot be read latches it (F7): what it knew of meals is lost.
 * @param warn told of that, with what a person can do
 */
export function readRecord(path: string, warn: (text: string) => void): FeederRecord {
  if (!existsSync(path)) return NEW_RECORD
  try {
    return { ...NEW_RECORD, ...(JSON.parse(readFileSync(path, 'utf8')) as Partial<FeederRecord>) }
  } catch {
    warn(`Cannot read the memory of a feeder, which is latched now: delete it to begin anew: ${path}`)
    return { ...NEW_RECORD, latched: true }
  }
}

export function writeRecord(path: string, record: FeederRecord): void {
  writeSafely(path, `${JSON.stringify(record)}\n`)
}

/** A sequence whose numbers never repeat, whatever happens: each is below a limit that was written down before it is used. */
export type StoredSequence = {
  readonly sequence: SenderSequence
  /** Call before each message. @throws when the disk fails: then no message goes out */
  reserve(): void
}

/**
 * Opens the Partial IVs of a device.
 * @throws Error when the file is there and damaged: to begin again at zero would use nonces twice
 */
export function openSequence(path: string): StoredSequence {
  let limit = 0
  if (existsSync(path)) {
    const text = readFileSync(path, 'utf8')
    if (!/^\d{1,13}\n$/.test(text))
      throw new Error(`Cannot read the sequence of a feeder: delete its identity beside it, too: ${path}`)
    limit = Number(text)
  }
  const sequence = new SenderSequence(limit, limit)
  return {
    sequence,
    reserve() {
      if (sequence.left > 0) return
      writeSafely(path, `${limit + RESERVE}\n`)
      limit += RESERVE
      sequence.reserve(limit)
    },
  }
}

/** Whole or not at all, and on disk when it returns. */
function writeSafely(path: string, text: string): void {
  const file = openSync(`${path}.new`, 'w', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(`${path}.new`, path)
  const directory = openSync(dirname(path), 'r')
  fsyncSync(directory)
  closeSync(directory)
}
