import { closeSync, constants, fsyncSync, openSync, readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A journal is one endless run of bytes, cut into segment files. A position in it never changes its meaning:
 * it is the number of bytes before it since the journal began. A segment is named after its first position,
 * and ends where the next one begins, whatever stands in the file beyond that (the rest of a commit that failed).
 */
const NAME = /^(\d{16})\.journal$/

export function segmentPath(dir: string, base: number): string {
  return join(dir, `${String(base).padStart(16, '0')}.journal`)
}

/** Names of the directories in `dir` that hold a worker's journal: today's workers' and those left behind. */
export function journalNames(dir: string): string[] {
  return readdirSync(dir).filter((name) => /^\d+$/.test(name))
}

/** First positions of all segments in `dir`, lowest first. */
export function segmentBases(dir: string): number[] {
  const bases: number[] = []
  for (const name of readdirSync(dir)) {
    const match = NAME.exec(name)
    if (match) bases.push(Number(match[1]))
  }
  return bases.sort((a, b) => a - b)
}

/** Makes the name of a new file in `dir` last through a power cut (fsync of the directory, see open(2)). */
export function syncDirectory(dir: string): void {
  const fd = openSync(dir, constants.O_RDONLY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Whether `deleteSegmentsBelow` would delete anything. */
export function hasSegmentsBelow(dir: string, position: number): boolean {
  const end = oldestEnd(dir)
  return end !== undefined && end <= position
}

/** Where the oldest segment ends, or undefined if there is only the one that is being written. */
export function oldestEnd(dir: string): number | undefined {
  return segmentBases(dir)[1]
}

/** Deletes the segments that lie wholly below `position`; the last one stays. Returns how many went. */
export function deleteSegmentsBelow(dir: string, position: number): number {
  const bases = segmentBases(dir)
  let deleted = 0
  while (deleted + 1 < bases.length && bases[deleted + 1]! <= position) {
    unlinkSync(segmentPath(dir, bases[deleted]!))
    deleted++
  }
  return deleted
}
