import type { Kysely } from 'kysely'
import { createTable, ID, JSON_TEXT, REAL, THING, TIME, WORD } from '../columns.ts'
import type { Flavor } from '../database.ts'

/** Measurements: the last weeks as they came, and hours of all time. All of it can be made again from the archive. */
export async function up(db: Kysely<unknown>, flavor: Flavor): Promise<void> {
  await createTable(db, flavor, 'roll_ups')
    .addColumn('thing', THING, (c) => c.notNull())
    .addColumn('field', WORD, (c) => c.notNull())
    .addColumn('hour', TIME, (c) => c.notNull())
    .addColumn('horse_id', ID)
    .addColumn('min', REAL, (c) => c.notNull())
    .addColumn('max', REAL, (c) => c.notNull())
    .addColumn('sum', REAL, (c) => c.notNull())
    .addColumn('count', 'integer', (c) => c.notNull())
    .addColumn('last', REAL, (c) => c.notNull())
    .addColumn('last_at', TIME, (c) => c.notNull())
    .addPrimaryKeyConstraint('roll_ups_key', ['thing', 'field', 'hour'])
    .execute()

  await createTable(db, flavor, 'raw_rows')
    .addColumn('thing', THING, (c) => c.notNull())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('at', TIME, (c) => c.notNull())
    .addColumn('horse_id', ID)
    .addColumn('state', JSON_TEXT, (c) => c.notNull())
    .addPrimaryKeyConstraint('raw_rows_key', ['thing', 'seq'])
    .execute()
  await db.schema.createIndex('raw_rows_time').on('raw_rows').columns(['thing', 'at']).execute()
  await db.schema.createIndex('raw_rows_age').on('raw_rows').column('at').execute()

  await createTable(db, flavor, 'archive_index')
    .addColumn('object', 'varchar(255)', (c) => c.primaryKey())
    .addColumn('rows_taken', 'integer', (c) => c.notNull())
    .addColumn('done_at', TIME, (c) => c.notNull())
    .execute()
}
