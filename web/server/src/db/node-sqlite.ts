import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { SqliteDatabase } from 'kysely'

/**
 * Opens an SQLite file the way the server needs it, in the shape that Kysely's SqliteDialect takes.
 * WAL: readers do not wait for the writer. `synchronous = FULL`: what is committed survives a power cut, as a ledger must.
 * @param path a file, or `:memory:`
 */
export function openSqlite(path: string): { dialect: SqliteDatabase; raw: DatabaseSync } {
  const raw = new DatabaseSync(path, { timeout: 5000, enableForeignKeyConstraints: true })
  raw.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY')
  return { raw, dialect: adapt(raw) }
}

function adapt(raw: DatabaseSync): SqliteDatabase {
  return {
    close: () => raw.close(),
    prepare(sql) {
      const statement = raw.prepare(sql)
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
        run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
        iterate: (parameters) =>
          statement.iterate(...(parameters as SQLInputValue[])) as IterableIterator<unknown>,
      }
    },
  }
}
