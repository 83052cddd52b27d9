import { join } from 'node:path'
import { openTwinFile } from '../twin-file.ts'
import type { WindowState, Windows } from './windows.ts'

/** What the replay windows were when the journal stood at `positions`. Lines from there on have to be read on top. */
export type Snapshot = {
  /** First position of each journal that is not in the snapshot, by the name of its directory. */
  readonly positions: Readonly<Record<string, number>>
  /** Whether devices that are not in it have to prove themselves (Windows.beginRecovery). */
  readonly recovering: boolean
  readonly states: readonly WindowState[]
}

export type Snapshots = {
  /** Throws nothing: what cannot be used is `damaged`. */
  read(): Snapshot | 'missing' | 'damaged'
  /** Stores the windows, flushed. Take `positions` before: what is journalled below them has been marked already. Throws the error of the disk. */
  write(windows: Windows, positions: Readonly<Record<string, number>>): void
}

/** A line of JSON says what follows: states of this many bytes. */
const STATE_BYTES = 19
/** Room for devices to come, three thousand at a time: the disk may be full when they do. */
const FILE_STEP = 65_536
const NEWLINE = 0x0a

/** The snapshots of the replay windows in `dir`: the files `windows.0` and `windows.1`. */
export function openSnapshots(dir: string): Snapshots {
  const file = openTwinFile(join(dir, 'windows'), FILE_STEP)
  return {
    read: () => {
      const bytes = file.read()
      return typeof bytes === 'string' ? bytes : decode(bytes)
    },
    write: (windows, positions) => file.write(encode(windows, positions)),
  }
}

function encode(windows: Windows, positions: Readonly<Record<string, number>>): Buffer {
  const states = [...windows.states()]
  const head = JSON.stringify({ v: 1, positions, recovering: windows.isRecovering() })
  const start = Buffer.byteLength(head) + 1
  const bytes = Buffer.alloc(start + states.length * STATE_BYTES)
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
  return bytes
}

function decode(bytes: Buffer): Snapshot {
  const start = bytes.indexOf(NEWLINE) + 1
  const { positions, recovering } = JSON.parse(bytes.toString('utf8', 0, start)) as Snapshot
  const states: WindowState[] = []
  for (let at = start; at + STATE_BYTES <= bytes.length; at += STATE_BYTES) {
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
