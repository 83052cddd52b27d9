import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Flavor } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'

/** Rows of one statement: below the 32,766 values that SQLite takes, whatever the table. */
export const CHUNK_ROWS = 500

type Table = 'roll_ups' | 'thing_numbers'
type Row = Record<string, string | number>

/** How a column of a row that is there already takes over what is given. */
export type Merge = 'sum' | 'least' | 'greatest' | { newerBy: string }

/**
 * Inserts rows, or merges them into those with the same key. `merges` in an order in which the columns that others are decided by come
 * last: MySQL sets one after the other.
 */
export async function upsert(
  tx: Transaction<Tables>,
  flavor: Flavor,
  { table, keys, rows, merges }: { table: Table; keys: string[]; rows: Row[]; merges: Record<string, Merge> },
): Promise<void> {
  const [columns] = rows.map(Object.keys)
  if (columns === undefined) return
  const isSqlite = flavor === 'sqlite'
  const old = (column: string): RawBuilder<unknown> => sql.ref(`${table}.${column}`)
  const given = (column: string): RawBuilder<unknown> =>
    isSqlite ? sql`excluded.${sql.ref(column)}` : sql`values(${sql.ref(column)})`
  const least = isSqlite ? sql.raw('min') : sql.raw('least')
  const greatest = isSqlite ? sql.raw('max') : sql.raw('greatest')

  function merged(column: string, merge: Merge): RawBuilder<unknown> {
    if (merge === 'sum') return sql`${old(column)} + ${given(column)}`
    if (merge === 'least') return sql`${least}(${old(column)}, ${given(column)})`
    if (merge === 'greatest') return sql`${greatest}(${old(column)}, ${given(column)})`
    const { newerBy } = merge
    return sql`case when ${given(newerBy)} >= ${old(newerBy)} then ${given(column)} else ${old(column)} end`
  }

  const set = sql.join(
    Object.entries(merges).map(([column, merge]) => sql`${sql.ref(column)} = ${merged(column, merge)}`),
  )
  const onKey = isSqlite
    ? sql`on conflict (${sql.join(keys.map((key) => sql.ref(key)))}) do update set`
    : sql`on duplicate key update`
  for (let from = 0; from < rows.length; from += CHUNK_ROWS) {
    const values = rows
      .slice(from, from + CHUNK_ROWS)
      .map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`)
    const names = sql.join(columns.map((column) => sql.ref(column)))
    await sql`insert into ${sql.table(table)} (${names}) values ${sql.join(values)} ${onKey} ${set}`.execute(
      tx,
    )
  }
}
