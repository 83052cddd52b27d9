import type { Database } from '../db/database.ts'
import { migrationsDone } from '../db/migrate.ts'
import { KEPT } from './tables.ts'

/** First line of a backup. */
export type Header = {
  readonly pesebre: 1
  /** When it was begun, milliseconds since 1970. */
  readonly at: number
  /** The last migration of the database. */
  readonly migration: string
}

/**
 * The database as lines of JSON: a header, one line for each row, and an end that counts them, so that one that was cut off is
 * noticed. The same text for SQLite and MySQL: a backup of one can be restored into the other.
 * All of it is of one moment: one transaction, which on neither database makes writers wait.
 * @param db a connection of its own: on SQLite the transaction holds it
 */
export async function dump(db: Database, now: number, write: (line: string) => void): Promise<number> {
  const migration = (await migrationsDone(db.sql)).at(-1) ?? ''
  const header: Header = { pesebre: 1, at: now, migration }
  let rows = 0
  await snapshot(db).execute(async (tx) => {
    write(JSON.stringify(header))
    for (const table of KEPT) {
      for await (const row of tx.selectFrom(table).selectAll().stream(CHUNK_ROWS)) {
        write(JSON.stringify({ table, row }))
        rows++
      }
    }
  })
  write(JSON.stringify({ end: true, rows }))
  return rows
}

const CHUNK_ROWS = 500

/** SQLite's WAL gives a reader one moment by itself; MySQL does so from "repeatable read" on. */
function snapshot({ flavor, sql }: Database) {
  const transaction = sql.transaction()
  return flavor === 'mysql' ? transaction.setIsolationLevel('repeatable read') : transaction
}
