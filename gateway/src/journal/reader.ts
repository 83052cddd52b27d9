import { type FileHandle, open } from 'node:fs/promises'
import { type Line, lineAt, lineJson } from './line.ts'
import { segmentBases, segmentPath } from './segments.ts'

/** A piece of the journal: the JSON of its sound lines, and where to go on. */
export type Piece = {
  /** JSON of each report, UTF-8: views into memory that the next `read` writes to. */
  lines: Buffer[]
  /** Position after the last line, sound or not. */
  next: number
  /** Damaged lines that were left out; a stretch that is missing altogether counts as one. */
  damaged: number
}

export type JournalReader = {
  /** Reads whole lines from the current position up to `limit` (a position that is committed), about `bytes` at most. */
  read(limit: number, bytes: number): Promise<Piece>
  position(): number
  close(): Promise<void>
}

/** Reads a journal from `start`, while another thread may be writing it. */
export function createReader(dir: string, start: number): JournalReader {
  let position = start
  let base = -1
  let file: FileHandle | undefined
  let memory = Buffer.alloc(0)

  async function read(limit: number, bytes: number): Promise<Piece> {
    const bases = segmentBases(dir)
    const current = bases.findLast((candidate) => candidate <= position)
    if (current === undefined) {
      // Somebody deleted what was not sent yet; all that can be done is to go on with what is there.
      const first = bases[0]
      if (first === undefined || first >= limit) return { ...nothing, next: position }
      position = first
      return { ...nothing, next: position, damaged: 1 }
    }
    if (current !== base) {
      await file?.close()
      file = await open(segmentPath(dir, current), 'r')
      base = current
    }
    const following = bases.find((candidate) => candidate > current) ?? Number.MAX_SAFE_INTEGER
    const end = Math.min(limit, following)
    return readUpTo(end, bytes, following <= limit)
  }

  async function readUpTo(end: number, bytes: number, sealed: boolean): Promise<Piece> {
    let size = Math.min(bytes, end - position)
    for (;;) {
      if (memory.length < size) memory = Buffer.allocUnsafeSlow(size)
      const { bytesRead } = await file!.read(memory, 0, size, position - base)
      const piece = cut(memory.subarray(0, bytesRead))
      const atEnd = position + bytesRead >= end || bytesRead < size
      if (piece.next === 0 && !atEnd) {
        size = Math.min(size * 2, end - position)
        continue
      }
      // The end of a sealed segment that holds no whole line more: step over what is missing or damaged there.
      if (piece.next === 0 && sealed) {
        position = end
        return { ...nothing, next: position, damaged: 1 }
      }
      position += piece.next
      return { ...piece, next: position }
    }
  }

  return {
    read,
    position: () => position,
    close: async () => {
      await file?.close()
      file = undefined
      base = -1
    },
  }
}

const nothing = { lines: [], damaged: 0 }

function cut(bytes: Buffer): Piece {
  const lines: Buffer[] = []
  let next = 0
  let damaged = 0
  for (let line: Line | undefined = lineAt(bytes, 0); line; line = lineAt(bytes, next)) {
    if (line.ok) lines.push(lineJson(bytes, line))
    else damaged++
    next = line.next
  }
  return { lines, next, damaged }
}
