import { statfsSync } from 'node:fs'
import { deleteSegmentsBelow, hasSegmentsBelow, oldestEnd } from '../journal/segments.ts'

export type RetentionSettings = {
  dir: string
  /** S3 has everything below this position; the same as `sent` where there is no archive. */
  archived: () => number
  /** Most bytes that are kept for the archive alone. */
  maxBytes: number
  /** While the disk has less room than this, nothing is kept for the archive alone. */
  reserveBytes: number
  /** Runs before a segment goes: what has to outlive its lines must be on disk when it returns. Throws: then they stay. */
  beforeDelete?: (() => void) | undefined
  /** Bytes that are free on the disk. Stands in for it in tests. */
  freeBytes?: (dir: string) => number
}

export type Retention = {
  /** Deletes the segments that nobody needs any more, when SQS has everything below `sent`. Throws the error of the disk. */
  clean(sent: number): void
}

/**
 * Decides which segments of one journal may go: those that SQS *and* the archive have. The archive must never be the reason why a
 * device is refused. So beyond `maxBytes`, or when the disk is nearly full, the oldest of those that SQS has go without it.
 */
export function createRetention(settings: RetentionSettings): Retention {
  const { dir, archived, maxBytes, reserveBytes, freeBytes = bytesFree } = settings
  let cleaned = -1

  function clean(sent: number): void {
    const inArchive = archived()
    const isKept = inArchive < sent
    const below = isKept ? Math.max(inArchive, sent - maxBytes, crowdedOut(sent)) : sent
    if (below === cleaned) return
    if (hasSegmentsBelow(dir, below)) {
      settings.beforeDelete?.()
      deleteSegmentsBelow(dir, below)
    }
    cleaned = below
  }

  /** One segment at a time, the oldest: the next look at the disk tells whether that was enough. */
  function crowdedOut(sent: number): number {
    const end = oldestEnd(dir)
    return end !== undefined && end <= sent && freeBytes(dir) < reserveBytes ? end : 0
  }

  return { clean }
}

function bytesFree(dir: string): number {
  const { bavail, bsize } = statfsSync(dir)
  return bavail * bsize
}
