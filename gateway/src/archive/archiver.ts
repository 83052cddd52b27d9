import { archiveKey } from '@pesebre/contract/archive'
import type { Report } from '@pesebre/contract/report'
import type { ArchiveCheckpoint } from './checkpoint.ts'
import { toParquet } from './parquet.ts'
import { readSlice } from './slice.ts'

/** Puts an object into the bucket. Rejects if S3 did not take it; then it may have it nevertheless. */
export type PutObject = (key: string, body: Uint8Array) => Promise<void>

export type ArchiverSettings = {
  gateway: string
  /** Number of the journal, and its directory. */
  journal: number
  dir: string
  /** Position up to which the journal may be read. */
  committed: () => number
  /** Where an earlier run stopped. */
  start: ArchiveCheckpoint
  /** Stores how far it is. Throws the error of the disk: then a crash causes repeats, nothing more. */
  save: (checkpoint: ArchiveCheckpoint) => void
  put: PutObject
  /** An object is made of what has come in this time, or earlier when there are `objectBytes` of the journal. */
  rotateMs: number
  objectBytes: number
  /** Milliseconds of a clock that does not jump. */
  now: () => number
  onArchived: (object: { end: number; reports: number; bytes: number }) => void
  /** Segments are gone that were not archived: so many bytes, up to a position. */
  onMissing: (bytes: number, end: number) => void
  onSaveFailure: (error: Error) => void
}

export type Archiver = {
  /** Archives one object if it is time for one, or `isFlush`. False: nothing to do now. Rejects when S3 or the disk fails. */
  step(isFlush?: boolean): Promise<boolean>
  /** How long the oldest report has waited, milliseconds by `now`; 0 when none does. */
  waitedMs(): number
}

/** Carries one journal to S3, object by object. One `step` at a time. */
export function createArchiver(settings: ArchiverSettings): Archiver {
  const { dir, gateway, journal, committed, now, objectBytes } = settings
  let { archived, next } = settings.start
  /** Since when something waits. What an earlier run left has waited for long enough. */
  let since = archived < committed() ? now() - settings.rotateMs : undefined

  async function step(isFlush = false): Promise<boolean> {
    const limit = committed()
    if (archived >= limit) {
      since = undefined
      return false
    }
    since ??= now()
    const isDue = isFlush || next !== undefined || limit - archived >= objectBytes
    if (!isDue && now() - since < settings.rotateMs) return false
    const began = now()
    const read = (end: number) => readSlice(dir, archived, { limit: end, bytes: objectBytes })
    let slice = await read(Math.min(limit, next !== undefined && next > archived ? next : limit))
    // The object that was begun went with its segments: what comes after it has another end.
    if (slice === undefined && next !== undefined) slice = await read(limit)
    if (slice === undefined) return false
    const { first, end, hour, lines, crc } = slice
    if (first > archived) settings.onMissing(first - archived, first)
    archived = first
    let bytes = 0
    if (lines.length > 0) {
      next = end
      save({ archived, next })
      const body = toParquet(parsed(lines))
      bytes = body.length
      await settings.put(archiveKey({ gateway, hour, journal, first, end, crc }), body)
    }
    archived = end
    next = undefined
    save({ archived })
    // What came while this object was made begins to wait now; what was there before goes at once.
    since = end < limit ? since : archived < committed() ? began : undefined
    settings.onArchived({ end, reports: lines.length, bytes })
    return true
  }

  function save(checkpoint: ArchiveCheckpoint): void {
    try {
      settings.save(checkpoint)
    } catch (error) {
      settings.onSaveFailure(error as Error)
    }
  }

  return {
    step,
    waitedMs: () => (since === undefined ? 0 : now() - since),
  }
}

/** One after the other, so that no more of them are held than a row group has. */
function* parsed(lines: readonly Buffer[]): Generator<Report> {
  for (const line of lines) yield JSON.parse(line.toString()) as Report
}
