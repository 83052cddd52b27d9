import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What must outlive the journal's deleted segments. */
export type Checkpoint = {
  /** SQS has taken everything below this position. */
  sent: number
  /** Highest `seq` that this gateway gave out itself: a clock that was set back must not make it repeat. */
  seq: number
}

const NAME = 'checkpoint.json'

/**
 * Reads the checkpoint, or gives one of zeros. A missing or damaged one loses nothing:
 * what is still in the journal is sent once more, and the bridge knows repeats by their `seq`.
 */
export function readCheckpoint(dir: string): Checkpoint {
  try {
    const { sent, seq } = JSON.parse(readFileSync(join(dir, NAME), 'utf8')) as Partial<Checkpoint>
    if (Number.isSafeInteger(sent) && Number.isSafeInteger(seq)) return { sent: sent!, seq: seq! }
  } catch {
    // Falls through: see above.
  }
  return { sent: 0, seq: 0 }
}

/** Replaces the checkpoint. Not flushed on purpose: an older one only causes repeats. */
export function writeCheckpoint(dir: string, checkpoint: Checkpoint): void {
  const path = join(dir, NAME)
  writeFileSync(`${path}.new`, JSON.stringify(checkpoint))
  renameSync(`${path}.new`, path)
}
