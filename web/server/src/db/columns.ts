import type { ColumnDataType, CreateTableBuilder, Kysely } from 'kysely'
import { sql } from 'kysely'
import type { Flavor } from './database.ts'

/**
 * Begins a table that means the same on both databases: on MySQL texts compare by their bytes, as they do on SQLite
 * (thing names that differ in case are different things).
 */
export function createTable<T extends string>(
  db: Kysely<unknown>,
  flavor: Flavor,
  name: T,
): CreateTableBuilder<T, never> {
  const table = db.schema.createTable(name)
  return flavor === 'mysql'
    ? table.modifyEnd(sql`engine = InnoDB default charset = utf8mb4 collate = utf8mb4_bin`)
    : table
}

/** Our ids: a prefix and 16 characters, with room. */
export const ID: ColumnDataType = 'varchar(32)'
/** A thing name (at most 128 characters). */
export const THING: ColumnDataType = 'varchar(128)'
/** Milliseconds since 1970. */
export const TIME: ColumnDataType = 'bigint'
/** SHA-256, hexadecimal. */
export const HASH: ColumnDataType = 'char(64)'
/** One of a few fixed words. */
export const WORD: ColumnDataType = 'varchar(32)'
/** What a person calls something. */
export const NAME: ColumnDataType = 'varchar(120)'
/** MySQL's `text` ends at 64 kB; that is enough for everything that we keep as JSON. */
export const JSON_TEXT: ColumnDataType = 'text'
/** Date without a time, YYYY-MM-DD. As text: a MySQL `date` would come back as an instant. */
export const DATE: ColumnDataType = 'char(10)'
/** 53 bits of precision on both. */
export const REAL: ColumnDataType = 'double precision'
