import { join } from 'node:path'
import { recover } from './journal/recovery.ts'
import { journalNames } from './journal/segments.ts'
import type { WorkerHandle } from './workers.ts'

/** Where each journal ends: those of today's workers, and those left behind by workers that are no longer configured. */
export type Ends = {
  /** By the name of the directory. */
  all(): Record<string, number>
  /** Bytes that all journals have ever taken. Never goes back, unless the disk does. */
  sum(): number
  /** Takes over the workers, whose journals grow. */
  watch(workers: readonly WorkerHandle[]): void
}

/** Call `watch` when the workers have opened their journals, and before asking anything. */
export function createEnds(dir: string): Ends {
  let left: Record<string, number> = {}
  let watched: readonly WorkerHandle[] = []

  function all(): Record<string, number> {
    const today = watched.map(({ board }, name) => [name, board.get('committed')] as const)
    return { ...left, ...Object.fromEntries(today) }
  }

  return {
    all,
    sum: () => Object.values(all()).reduce((sum, end) => sum + end, 0),
    watch: (workers) => {
      watched = workers
      const names = journalNames(dir).filter((name) => Number(name) >= workers.length)
      left = Object.fromEntries(names.map((name) => [name, recover(join(dir, name)).end]))
    },
  }
}
