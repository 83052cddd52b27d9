import {
  type ArchiveObject,
  gatewayPrefix,
  HOUR_MS,
  hourPrefix,
  parseArchiveKey,
} from '@pesebre/contract/archive'
import type { Database } from '../db/database.ts'
import type { ArchiveStore } from './archive-store.ts'
import { readAssignments } from './assignments.ts'
import { type ArchivedReport, readArchived } from './parquet.ts'
import type { Rule } from './rules.ts'
import { keyOf, type Taken, takeObject } from './take.ts'

export type IndexerSettings = {
  db: Database
  store: ArchiveStore
  rules: readonly Rule[]
  /** Milliseconds since 1970. */
  now: () => number
  /** An object is in the index: so many new reports, of these things; and meals that the ledger did not have. */
  onIndexed: (object: { key: string } & Taken) => void
  /** An object cannot be read, and is left out until the next rebuild. */
  onUnreadable: (key: string, error: Error) => void
}

export type Indexer = {
  /** Looks through the whole archive for what is not in the index. Returns how many objects came in. */
  sweep(): Promise<number>
  /** Looks where new objects are to be expected; through the whole archive when the last look was not finished. */
  catchUp(): Promise<number>
  /** Deletes raw rows that are older than they are kept. */
  cleanUp(): Promise<void>
}

/** Raw rows are kept for so many hours: 30 days. */
export const RAW_HOURS = 720
/** A journal that has archived nothing for so long behind the others is no longer waited for; the sweep finds what it has. */
const STALE_MS = 24 * HOUR_MS
const FETCH_AT_ONCE = 8

type Found = ArchiveObject & { key: string }

/** Reports taken at or after this time are kept as raw rows. A whole hour: those of one object are all kept or all gone. */
export function rawSince(now: number): number {
  return (Math.floor(now / HOUR_MS) - RAW_HOURS) * HOUR_MS
}

/** Brings the archive into the database. One call at a time. */
export function createIndexer(settings: IndexerSettings): Indexer {
  const { db, store, now } = settings
  /** The last hour that each journal of each gateway has archived. */
  const newest = new Map<string, { gateway: string; hour: number }>()
  /** Whether everything before `newest` is in the index. */
  let isWhole = false

  async function sweep(): Promise<number> {
    isWhole = false
    const gateways = await store.gateways()
    const count = await take(gateways.map((gateway) => unindexed(gateway, 0)))
    isWhole = true
    return count
  }

  async function catchUp(): Promise<number> {
    if (!isWhole) return sweep()
    isWhole = false
    const last = Math.max(...[...newest.values()].map(({ hour }) => hour))
    const starts = new Map<string, number>()
    for (const { gateway, hour } of newest.values()) {
      if (hour < last - STALE_MS) continue
      starts.set(gateway, Math.min(starts.get(gateway) ?? hour, hour))
    }
    for (const gateway of await store.gateways())
      if (!starts.has(gateway)) starts.set(gateway, last - STALE_MS)
    const count = await take([...starts].map(([gateway, hour]) => unindexed(gateway, hour)))
    isWhole = true
    return count
  }

  /** What is not in the index of one gateway, from an hour on, in the order of the hours. */
  async function* unindexed(gateway: string, from: number): AsyncGenerator<Found> {
    const prefix = gatewayPrefix(gateway)
    let after = from > 0 ? hourPrefix(gateway, from) : prefix
    for (;;) {
      const keys = await store.keys(prefix, after)
      const first = keys[0]
      const last = keys.at(-1)
      if (first === undefined || last === undefined) return
      const rows = await db.sql
        .selectFrom('archive_index')
        .select('object')
        .where('object', '>=', first)
        .where('object', '<=', last)
        .execute()
      const known = new Set(rows.map(({ object }) => object))
      for (const key of keys) {
        const object = parseArchiveKey(key)
        if (object === undefined) continue
        note(object)
        if (!known.has(key)) yield { ...object, key }
      }
      after = last
    }
  }

  function note({ gateway, journal, hour }: ArchiveObject): void {
    const name = `${gateway}/${journal}`
    if ((newest.get(name)?.hour ?? 0) < hour) newest.set(name, { gateway, hour })
  }

  /** Takes objects hour by hour, those of all gateways together. */
  async function take(sources: AsyncGenerator<Found>[]): Promise<number> {
    const heads = await Promise.all(sources.map(async (source) => ({ source, head: await source.next() })))
    let count = 0
    for (;;) {
      const open = heads.filter(({ head }) => !head.done)
      if (open.length === 0) return count
      const hour = Math.min(...open.map(({ head }) => (head.value as Found).hour))
      const objects: Found[] = []
      for (const one of open) {
        while (!one.head.done && (one.head.value as Found).hour === hour) {
          objects.push(one.head.value as Found)
          one.head = await one.source.next()
        }
      }
      count += await takeHour(hour, objects)
    }
  }

  async function takeHour(hour: number, objects: readonly Found[]): Promise<number> {
    const isRecent = hour >= rawSince(now())
    const known = isRecent ? new Set<string>() : await indexed(hour, objects)
    const assignments = await readAssignments(db, now())
    let count = 0
    for (let from = 0; from < objects.length; from += FETCH_AT_ONCE) {
      const fetched = await Promise.all(
        objects
          .slice(from, from + FETCH_AT_ONCE)
          .map(async (object) => ({ object, reports: await read(object.key) })),
      )
      for (const { object, reports } of fetched) {
        const { key, gateway } = object
        if (reports === 'gone') continue
        if (reports instanceof Error) {
          settings.onUnreadable(key, reports)
          const entry = { object: key, rows_taken: -1, done_at: now() }
          await db.sql.insertInto('archive_index').values(entry).execute()
          continue
        }
        const taken = await takeObject(
          { key, gateway, reports, isRecent, known },
          { ...settings, assignments },
        )
        if (!isRecent) for (const report of reports) known.add(keyOf(report))
        if (taken === undefined) continue
        count++
        settings.onIndexed({ key, ...taken })
      }
    }
    return count
  }

  /** What the index has of an hour of which it has no raw rows any more: the archive itself says it. */
  async function indexed(hour: number, objects: readonly Found[]): Promise<Set<string>> {
    const keys = new Set<string>()
    const gateways = new Set([...newest.values(), ...objects].map(({ gateway }) => gateway))
    for (const gateway of gateways) {
      const prefix = hourPrefix(gateway, hour)
      const rows = await db.sql
        .selectFrom('archive_index')
        .select('object')
        .where('object', '>', prefix)
        .where('object', '<', `${prefix}~`)
        .execute()
      for (const { object } of rows) {
        const reports = await read(object)
        if (Array.isArray(reports)) for (const report of reports) keys.add(keyOf(report))
      }
    }
    return keys
  }

  async function read(key: string): Promise<ArchivedReport[] | 'gone' | Error> {
    const bytes = await store.get(key)
    if (bytes === undefined) return 'gone'
    try {
      return await readArchived(bytes)
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  async function cleanUp(): Promise<void> {
    const limit = rawSince(now())
    for (;;) {
      const { oldest } = await db.sql
        .selectFrom('raw_rows')
        .select((eb) => eb.fn.min('received').as('oldest'))
        .executeTakeFirstOrThrow()
      if (oldest === null || oldest >= limit) return
      // An hour at a time, so that nobody waits long for the database.
      const until = Math.min(limit, oldest + HOUR_MS)
      await db.sql.deleteFrom('raw_rows').where('received', '<', until).execute()
    }
  }

  return { sweep, catchUp, cleanUp }
}
