import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { replaceFile } from '../replace-file.ts'
import type { WindowState, Windows } from './windows.ts'

/** What the replay windows were when the journal stood at `positions`. Lines from there on have to be read on top. */
export type Snapshot = {
  /** First position of each journal that is not in the snapshot, by the name of its directory. */
  readonly positions: Readonly<Record<string, number>>
  /** Whether devices that are not in it have to prove themselves (Windows.beginRecovery). */
  readonly recovering: boolean
  readonly states: readonly WindowState[]
}

export const SNAPSHOT_NAME = 'windows.bin'
/** A line of JSON says what follows: states of this many bytes, and a CRC-32 over all before it. */
const STATE_BYTES = 19
const CRC_BYTES = 4
const NEWLINE = 0x0a

/** Writes the windows, flushed. Take `positions` before: whatever is journalled below them has been marked already. */
export function writeSnapshot(
  dir: string,
  windows: Windows,
  positions: Readonly<Record<string, number>>,
): void {
  const states = [...windows.states()]
  const head = JSON.stringify({ v: 1, positions, recovering: windows.isRecovering(), count: states.length })
  const start = Buffer.byteLength(head) + 1
  const bytes = Buffer.alloc(start + states.length * STATE_BYTES + CRC_BYTES)
  bytes.write(`${head}\n`)
  let at = start
  for (const { kind, number, edge, low, high } of states) {
    bytes.writeUInt8(kind, at)
    bytes.writeUInt32BE(number, at + 1)
    bytes.writeUIntBE(edge, at + 5, 6)
    bytes.writeInt32BE(high, at + 11)
    bytes.writeInt32BE(low, at + 15)
    at += STATE_BYTES
  }
  bytes.writeUInt32BE(crc32(bytes.subarray(0, at)), at)
  replaceFile(join(dir, SNAPSHOT_NAME), bytes)
}

/** Reads the snapshot in `dir`. Throws the error of the disk, but for a file that is not there. */
export function readSnapshot(dir: string): Snapshot | 'missing' | 'damaged' {
  let bytes: Buffer
  try {
    bytes = readFileSync(join(dir, SNAPSHOT_NAME))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing'
    throw error
  }
  const end = bytes.length - CRC_BYTES
  if (end < 0 || crc32(bytes.subarray(0, end)) !== bytes.readUInt32BE(end)) return 'damaged'
  const start = bytes.indexOf(NEWLINE) + 1
  const { positions, recovering } = JSON.parse(bytes.toString('utf8', 0, start)) as Snapshot
  const states: WindowState[] = []
  for (let at = start; at + STATE_BYTES <= end; at += STATE_BYTES) {
    states.push({
      kind: bytes.readUInt8(at),
      number: bytes.readUInt32BE(at + 1),
      edge: bytes.readUIntBE(at + 5, 6),
      high: bytes.readInt32BE(at + 11),
      low: bytes.readInt32BE(at + 15),
    })
  }
  return { positions, recovering, states }
}
