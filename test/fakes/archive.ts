import { archiveKey, HOUR_MS } from '@pesebre/contract/archive'
import type { Report } from '@pesebre/contract/report'
import { toParquet } from '../../gateway/src/archive/parquet.ts'
import type { ArchiveStore } from '../../web/server/src/history/archive-store.ts'

/** An archive in memory, filled as a gateway fills it. */
export type MemoryArchive = {
  readonly store: ArchiveStore
  readonly objects: Map<string, Uint8Array>
  /** Archives reports of one hour as one object; returns its key. */
  put(reports: Report[], where?: { gateway?: string; journal?: number }): string
  /** How many objects were read. */
  reads(): number
  /** S3 is away from now on, or after so many reads; or is back. */
  setAway(isAway: boolean | number): void
}

export function memoryArchive(): MemoryArchive {
  const objects = new Map<string, Uint8Array>()
  let position = 0
  let reads = 0
  let isAway: boolean | number = false
  const check = (): void => {
    if (isAway === true || (isAway !== false && reads >= isAway)) throw new Error('S3 is away')
  }
  return {
    objects,
    reads: () => reads,
    setAway: (away) => {
      isAway = typeof away === 'number' ? reads + away : away
    },
    put: (reports, { gateway = 'a', journal = 0 } = {}) => {
      const hour = Math.floor(reports[0]!.received / HOUR_MS) * HOUR_MS
      const first = position
      position += reports.length
      const key = archiveKey({ gateway, hour, journal, first, end: position, crc: reports.length })
      objects.set(key, toParquet(reports))
      return key
    },
    store: {
      gateways: async () => {
        check()
        return [...new Set([...objects.keys()].map((key) => /gateway=([^/]+)/.exec(key)![1]!))]
      },
      keys: async (prefix, after) => {
        check()
        const all = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after)
        // Small pages, so that tests have several.
        return all.sort().slice(0, 10)
      },
      get: async (key) => {
        check()
        reads++
        return objects.get(key)
      },
      close: () => {},
    },
  }
}
