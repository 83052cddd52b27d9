import { sql, type Transaction } from 'kysely'
import type { Database } from '../db/database.ts'
import { openDatabase } from '../db/database.ts'
import { knowsMigration } from '../db/migrate.ts'
import type { Tables } from '../db/schema.ts'
import type { Header } from './dump.ts'
import { KEPT } from './tables.ts'

const INSERT_ROWS = 100

/**
 * Puts a backup into an empty database: the tables as they were then, the rows, and then whatever migrations came since.
 * @param where of the database, as for openDatabase
 * @throws Error when the backup is damaged or newer than this server, or when the database has users: nothing was changed
 */
export async function load(where: string, lines: readonly string[]): Promise<{ at: number; rows: number }> {
  const { header, rows } = read(lines)
  const db = await openDatabase(where, { upTo: header.migration })
  try {
    await fill(db, rows)
  } finally {
    await db.close()
  }
  await (await openDatabase(where)).close()
  return { at: header.at, rows: rows.length }
}

type Row = { readonly table: keyof Tables; readonly row: object }

function read(lines: readonly string[]): { header: Header; rows: Row[] } {
  const values = lines.filter((line) => line !== '').map(parse)
  const [header, end] = [values[0] as Partial<Header>, values.at(-1) as { end?: boolean; rows?: number }]
  if (header?.pesebre !== 1 || typeof header.migration !== 'string' || typeof header.at !== 'number')
    throw new Error('Cannot restore: this is no backup of Pesebre')
  if (!knowsMigration(header.migration))
    throw new Error(`Cannot restore: the backup was made by a newer server: ${header.migration}`)
  const rows = values.slice(1, -1) as Row[]
  if (end?.end !== true || end.rows !== rows.length)
    throw new Error('Cannot restore: the backup is damaged: its end is missing')
  for (const { table, row } of rows)
    if (!(KEPT as readonly string[]).includes(table) || typeof row !== 'object')
      throw new Error(`Cannot restore: the backup is damaged: unknown table ${table}`)
  return { header: header as Header, rows }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw new Error('Cannot restore: the backup is damaged: a line is no JSON')
  }
}

async function fill(db: Database, rows: readonly Row[]): Promise<void> {
  await db.write(async (tx) => {
    const user = await tx.selectFrom('users').select('id').limit(1).executeTakeFirst()
    if (user !== undefined)
      throw new Error(
        'Cannot restore: the database has data; restore into an empty one, and put it in its place',
      )
    const byTable = Map.groupBy(rows, ({ table }) => table)
    for (const table of KEPT) {
      const own = byTable.get(table) ?? []
      for (let at = 0; at < own.length; at += INSERT_ROWS)
        await insert(
          tx,
          table,
          own.slice(at, at + INSERT_ROWS).map(({ row }) => row),
        )
    }
  })
}

/** By the names in the backup: the types of the tables are those of today, the rows those of then. */
async function insert(tx: Transaction<Tables>, table: string, rows: readonly object[]): Promise<void> {
  const names = Object.keys(rows[0]!)
  const values = rows.map(
    (row) => sql`(${sql.join(names.map((name) => (row as Record<string, unknown>)[name] ?? null))})`,
  )
  const columns = sql.join(names.map((name) => sql.ref(name)))
  await sql`insert into ${sql.table(table)} (${columns}) values ${sql.join(values)}`.execute(tx)
}
