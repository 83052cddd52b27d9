import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { StoreKey } from './core.ts'

/** What a virtual feeder keeps over a power cut: the store of its firmware, and what is in its hopper. */
export type Store = {
  get(key: StoreKey): Uint8Array | undefined
  /** On disk when it returns. @throws when the disk fails */
  put(key: StoreKey, value: Uint8Array): void
  readonly hopperGrams: number | undefined
  /** Written with the next value: nobody misses a handful of oats after a power cut. */
  fill(grams: number): void
}

type Kept = { values: Partial<Record<StoreKey, string>>; hopperGrams?: number }

const HEX = 'hex'

/**
 * Opens the store of a feeder, or provisions a new one.
 * @param first sequence number of a new one; not 0 when its identity has spoken before
 * @throws Error when the file is there and damaged: to begin again at zero would use nonces twice
 */
export function openStore(path: string, first = 0): Store {
  const kept: Kept = existsSync(path) ? read(path) : { values: { sequence: uint32(first) } }
  return {
    get(key) {
      const value = kept.values[key]
      return value === undefined ? undefined : Buffer.from(value, HEX)
    },
    put(key, value) {
      const next = { ...kept, values: { ...kept.values, [key]: Buffer.from(value).toString(HEX) } }
      writeSafely(path, `${JSON.stringify(next)}\n`)
      Object.assign(kept, next)
    },
    get hopperGrams() {
      return kept.hopperGrams
    },
    fill(grams) {
      kept.hopperGrams = grams
    },
  }
}

/** As the firmware has it: little endian. */
function uint32(value: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes.toString(HEX)
}

function read(path: string): Kept {
  try {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as Kept
    if (typeof kept.values.sequence === 'string') return kept
  } catch {
    // Said below: what is wrong with it does not matter to whom it concerns.
  }
  throw new Error(`Cannot read the memory of a feeder: delete its identity beside it, too: ${path}`)
}

/** Writes a file whole or not at all, and on disk when it returns. @throws when the disk fails */
export function writeSafely(path: string, text: string): void {
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
