import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { Kysely, MysqlDialect, type MysqlPool, SqliteDialect, type Transaction } from 'kysely'
import { createPool } from 'mysql2'
import { migrate } from './migrate.ts'
import { openSqlite } from './node-sqlite.ts'
import type { Tables } from './schema.ts'

/** The few places where the two databases differ ask this. */
export type Flavor = 'sqlite' | 'mysql'

/** The product's database. Rows that change together are written in one `write`. */
export type Database = {
  readonly flavor: Flavor
  /** For queries, and for writes that are one statement. */
  readonly sql: Kysely<Tables>
  /**
   * Runs `work` in one transaction: all of it or nothing. Repeated when MySQL breaks a deadlock, so `work` has no effect
   * outside of its transaction.
   */
  write<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>
  /** The SQLite file behind it, for backups; undefined with MySQL. */
  readonly file: DatabaseSync | undefined
  close(): Promise<void>
}

/** Deadlock found, and lock wait timeout exceeded: https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html */
const RETRYABLE = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT'])
const WRITE_TRIES = 5
const CONNECTIONS = 10

/**
 * Opens the database and brings its tables up to date.
 * @param where a path (SQLite), `:memory:`, or `mysql://user:password@host:port/name`
 * @param options.upTo the last migration to go through, instead of all
 * @throws Error when it cannot be reached, or was made by a newer version of the server
 */
export async function openDatabase(where: string, options: { upTo?: string } = {}): Promise<Database> {
  const database = where.startsWith('mysql://') ? openMysql(where) : openFile(where)
  try {
    await migrate(database.sql, database.flavor, options.upTo)
    return database
  } catch (cause) {
    await database.close()
    const place = where.replace(/\/\/[^@/]*@/, '//')
    throw new Error(`Cannot open the database: ${place}: ${(cause as Error).message}`, { cause })
  }
}

function openFile(path: string): Database {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const { raw, dialect } = openSqlite(path)
  const sql = new Kysely<Tables>({ dialect: new SqliteDialect({ database: dialect }) })
  return {
    flavor: 'sqlite',
    sql,
    file: raw,
    write: (work) => sql.transaction().execute(work),
    close: () => sql.destroy(),
  }
}

function openMysql(uri: string): Database {
  const pool = createPool({
    uri,
    connectionLimit: CONNECTIONS,
    charset: 'utf8mb4_bin',
    timezone: 'Z',
    decimalNumbers: true,
    // Times are below 2^53; a value above it would come as text instead of being rounded.
    supportBigNumbers: true,
  })
  const sql = new Kysely<Tables>({ dialect: new MysqlDialect({ pool: pool as unknown as MysqlPool }) })
  return {
    flavor: 'mysql',
    sql,
    file: undefined,
    // Serializable: what a transaction has read does not change under it (who else is an owner?), as on SQLite.
    write: (work) => retried(() => sql.transaction().setIsolationLevel('serializable').execute(work)),
    close: () => sql.destroy(),
  }
}

async function retried<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (tries === WRITE_TRIES || !RETRYABLE.has((error as { code?: string }).code ?? '')) throw error
    }
  }
}

/** Why the database cannot be used now; empty when it can. */
export async function databaseProblems({ sql }: Database): Promise<string[]> {
  try {
    await sql.selectFrom('settings').select('name').limit(1).execute()
    return []
  } catch (error) {
    return [`database: ${(error as Error).message}`]
  }
}

/** Whether a write failed because a row with that key is there already. */
export function isDuplicate(error: unknown): boolean {
  const { code, errcode } = error as { code?: string; errcode?: number }
  // SQLITE_CONSTRAINT_UNIQUE and _PRIMARYKEY: https://www.sqlite.org/rescode.html
  return code === 'ER_DUP_ENTRY' || errcode === 2067 || errcode === 1555
}
