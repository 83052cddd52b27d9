import { closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { readCheckpoint } from './checkpoint.ts'
import { lineAt, lineJson } from './line.ts'
import { segmentBases, segmentPath } from './segments.ts'

export type Recovered = {
  /** Lowest position that is still on disk and not yet sent. */
  start: number
  /** Where the next line goes. */
  end: number
  /** Bytes cut off the end: a write that a crash tore, never acknowledged to anyone. */
  torn: number
  /** Highest `seq` found, 0 if none. */
  seq: number
}

/** Brings a journal directory (made if missing) back into order after any kind of stop. */
export function recover(dir: string): Recovered {
  mkdirSync(dir, { recursive: true })
  const checkpoint = readCheckpoint(dir)
  const bases = segmentBases(dir)
  const last = bases.at(-1)
  // Positions never run backwards, even if somebody deleted every segment.
  if (last === undefined)
    return { start: checkpoint.sent, end: checkpoint.sent, torn: 0, seq: checkpoint.seq }

  const tail = scan(segmentPath(dir, last))
  if (tail.length > tail.sound) truncate(segmentPath(dir, last), tail.sound)
  const end = last + tail.sound
  // `seq` follows the clock, so the newest sound line has the highest; it may stand in an older segment.
  let seq = tail.seq
  for (let i = bases.length - 2; i >= 0 && seq === 0; i--) seq = scan(segmentPath(dir, bases[i]!)).seq
  const start = Math.max(bases[0]!, Math.min(checkpoint.sent, end))
  return { start, end, torn: tail.torn, seq: Math.max(seq, checkpoint.seq) }
}

type Scan = {
  /** Where the last sound line ends. */
  sound: number
  /** What stands behind it without the zeros at the end: those are room that was never written to. */
  torn: number
  length: number
  /** The highest `seq` in it. */
  seq: number
}

function scan(path: string): Scan {
  const bytes = readFileSync(path)
  let position = 0
  let sound = 0
  let seq = 0
  for (let line = lineAt(bytes, 0); line; line = lineAt(bytes, position)) {
    position = line.next
    if (!line.ok) continue
    sound = line.next
    seq = Math.max(seq, seqOf(lineJson(bytes, line)))
  }
  let end = bytes.length
  while (end > sound && bytes[end - 1] === 0) end--
  return { sound, torn: end - sound, length: bytes.length, seq }
}

function truncate(path: string, length: number): void {
  const fd = openSync(path, 'r+')
  try {
    ftruncateSync(fd, length)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

const SEQ = /"seq":(\d+)/

/** The first `"seq":` of a report is its own: only the thing name and type, which cannot hold quotes, come before it. */
function seqOf(json: Buffer): number {
  const match = SEQ.exec(json.toString('latin1', 0, 400))
  return match ? Number(match[1]) : 0
}
