import { type FileHandle, open } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { HOUR_MS } from '@pesebre/contract/archive'
import type { Report } from '@pesebre/contract/report'
import { lineAt, lineJson } from '../journal/line.ts'
import { segmentBases, segmentPath } from '../journal/segments.ts'

/** A run of journal lines that becomes one object: of one segment, and of one hour. */
export type Slice = {
  /** Position of its first line. Beyond the one asked for if segments have been deleted. */
  first: number
  /** Position after its last line. */
  end: number
  /** Hour in UTC in which its reports were taken, milliseconds since 1970. */
  hour: number
  /** JSON of each report. May be empty: then the lines were damaged. */
  lines: Buffer[]
  /** CRC-32 of the JSON of all lines. */
  crc: number
}

/**
 * Reads from `from` on what lies below `limit` (a position that is committed), at most about `bytes`. The same journal, `from` and
 * `limit` give the same slice, whenever they are asked for. Undefined when there is nothing.
 */
export async function readSlice(
  dir: string,
  from: number,
  { limit, bytes }: { limit: number; bytes: number },
): Promise<Slice | undefined> {
  const bases = segmentBases(dir)
  const base = bases.findLast((candidate) => candidate <= from) ?? bases[0]
  if (base === undefined) return undefined
  const first = Math.max(base, from)
  const following = bases.find((candidate) => candidate > base) ?? Number.MAX_SAFE_INTEGER
  const end = Math.min(limit, following)
  if (first >= end) return undefined
  const file = await open(segmentPath(dir, base), 'r')
  try {
    const text = await readAt(file, first - base, Math.min(bytes, end - first))
    const slice = cut(text, first)
    // The rest of a segment that holds no whole line more, and never will: it is stepped over.
    if (slice.end === first && following <= limit) return { ...slice, end: following }
    return slice.end > first ? slice : undefined
  } finally {
    await file.close()
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}

/** Takes whole lines until the hour changes. Damaged ones are left out: the forwarder counts them. */
function cut(bytes: Buffer, first: number): Slice {
  const slice: Slice = { first, end: first, hour: 0, lines: [], crc: 0 }
  for (let line = lineAt(bytes, 0); line; line = lineAt(bytes, line.next)) {
    if (line.ok) {
      const json = lineJson(bytes, line)
      const hour = Math.floor(receivedOf(json) / HOUR_MS) * HOUR_MS
      if (slice.lines.length > 0 && hour !== slice.hour) break
      slice.hour = hour
      slice.lines.push(json)
      slice.crc = crc32(json, slice.crc)
    }
    slice.end = first + line.next
  }
  return slice
}

/** The first `"received":` of a report is its own: only names, which cannot hold quotes, and numbers come before it. */
const RECEIVED = /^\{"thing":"[^"]*","type":"[^"]*","seq":\d+,"at":\d+,"received":(\d+)/
const HEAD_MAX = 512

function receivedOf(json: Buffer): number {
  const match = RECEIVED.exec(json.toString('latin1', 0, HEAD_MAX))
  return match ? Number(match[1]) : (JSON.parse(json.toString()) as Report).received
}
