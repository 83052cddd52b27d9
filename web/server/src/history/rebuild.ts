import { sql } from 'kysely'
import type { Database } from '../db/database.ts'
import type { ArchiveStore } from './archive-store.ts'
import type { Indexer } from './indexer.ts'

/** Everything that comes from the archive. `assignments_seen` does not: nobody else knows where a device was. */
const TABLES = ['roll_ups', 'series', 'raw_rows', 'thing_numbers', 'archive_index'] as const

/**
 * Empties the index and fills it again from the archive. While it runs, charts show what is there so far. Returns how many objects
 * came in. Rejects, with everything as it was, when the archive cannot be reached.
 */
export async function rebuild(db: Database, store: ArchiveStore, indexer: Indexer): Promise<number> {
  await store.gateways()
  for (const table of TABLES)
    await (db.flavor === 'mysql'
      ? sql`truncate table ${sql.table(table)}`
      : sql`delete from ${sql.table(table)}`
    ).execute(db.sql)
  return indexer.sweep()
}
