/** Numbers in one millisecond, shared out among the workers. */
const PER_MS = 1024

export type SeqSettings = {
  /** This worker and how many there are: each has numbers of its own. */
  worker: number
  workers: number
  /** Highest number given out before, by this or an earlier run. */
  last: number
  /** Milliseconds since 1970. */
  clock: () => number
}

/**
 * Makes the `seq` of reports of devices that have none of their own: it follows the clock, so that whichever worker or
 * gateway a device reaches, a later report has a higher number; and it never falls back when the clock does.
 */
export function createSeq({ worker, workers, last, clock }: SeqSettings): {
  next: () => number
  last: () => number
} {
  let latest = last
  function next(): number {
    latest = ownFrom(Math.max(clock() * PER_MS, latest + 1))
    return latest
  }

  /** The lowest number from `least` on that belongs to this worker: one that leaves it as the rest. */
  function ownFrom(least: number): number {
    const rest = (least - worker) % workers
    return rest > 0 ? least + workers - rest : least - rest
  }
  return { next, last: () => latest }
}
