import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** How far the archive of one journal is. */
export type ArchiveCheckpoint = {
  /** S3 has everything below this position. */
  archived: number
  /**
   * Where the object ends that is on its way: a repeat after a crash makes the same object again, under the same key. Undefined
   * when none is.
   */
  next?: number | undefined
}

const NAME = 'archive.json'

/** Undefined when there is none yet, or it is damaged: then the archive begins with the oldest segment, and repeats are known by (thing, seq). */
export function readArchiveCheckpoint(dir: string): ArchiveCheckpoint | undefined {
  try {
    const { archived, next } = JSON.parse(readFileSync(join(dir, NAME), 'utf8')) as Partial<ArchiveCheckpoint>
    if (!Number.isSafeInteger(archived)) return undefined
    return { archived: archived!, next: Number.isSafeInteger(next) ? next : undefined }
  } catch {
    return undefined
  }
}

/** Replaces the checkpoint, flushed. Throws the error of the disk. */
export function writeArchiveCheckpoint(dir: string, checkpoint: ArchiveCheckpoint): void {
  const path = join(dir, NAME)
  const fd = openSync(`${path}.new`, 'w')
  try {
    writeSync(fd, JSON.stringify(checkpoint))
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(`${path}.new`, path)
}
