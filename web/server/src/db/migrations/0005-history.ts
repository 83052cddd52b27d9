import { type Kysely, sql } from 'kysely'
import { createTable, ID, JSON_TEXT, REAL, THING, TIME } from '../columns.ts'
import type { Flavor } from '../database.ts'

/** Measurements: the last weeks as they came, and hours of all time. All but `assignments_seen` can be made again from the archive. */
export async function up(db: Kysely<unknown>, flavor: Flavor): Promise<void> {
  const series = createTable(db, flavor, 'series')
  await (flavor === 'mysql'
    ? series.addColumn('id', 'integer', (c) => c.primaryKey().autoIncrement())
    : series.addColumn('id', 'integer', (c) => c.primaryKey())
  )
    .addColumn('thing', THING, (c) => c.notNull())
    .addColumn('horse_id', ID, (c) => c.notNull())
    .addColumn('field', 'varchar(64)', (c) => c.notNull())
    .addUniqueConstraint('series_key', ['thing', 'horse_id', 'field'])
    .execute()
  await db.schema.createIndex('series_horse').on('series').columns(['horse_id', 'field']).execute()

  const rollUps = createTable(db, flavor, 'roll_ups')
    .addColumn('series_id', 'integer', (c) => c.notNull())
    .addColumn('hour', TIME, (c) => c.notNull())
    .addColumn('min', REAL, (c) => c.notNull())
    .addColumn('max', REAL, (c) => c.notNull())
    .addColumn('sum', REAL, (c) => c.notNull())
    .addColumn('count', 'integer', (c) => c.notNull())
    .addColumn('last', REAL, (c) => c.notNull())
    .addColumn('last_at', TIME, (c) => c.notNull())
    .addPrimaryKeyConstraint('roll_ups_key', ['series_id', 'hour'])
  // Rows in the order of their key, as InnoDB has them anyway: a year of one field then lies in one piece.
  await (flavor === 'sqlite' ? rollUps.modifyEnd(sql`without rowid`) : rollUps).execute()

  await createTable(db, flavor, 'raw_rows')
    .addColumn('thing', THING, (c) => c.notNull())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('at', TIME, (c) => c.notNull())
    .addColumn('received', TIME, (c) => c.notNull())
    .addColumn('horse_id', ID, (c) => c.notNull())
    .addColumn('interval_s', 'integer')
    .addColumn('state', JSON_TEXT, (c) => c.notNull())
    .addPrimaryKeyConstraint('raw_rows_key', ['thing', 'seq'])
    .execute()
  await db.schema.createIndex('raw_rows_horse').on('raw_rows').columns(['horse_id', 'at']).execute()
  await db.schema.createIndex('raw_rows_age').on('raw_rows').column('received').execute()

  await createTable(db, flavor, 'thing_numbers')
    .addColumn('thing', THING, (c) => c.primaryKey())
    .addColumn('type', THING, (c) => c.notNull())
    .addColumn('reports', 'bigint', (c) => c.notNull())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('at', TIME, (c) => c.notNull())
    .addColumn('received', TIME, (c) => c.notNull())
    .addColumn('gateway', 'varchar(16)', (c) => c.notNull())
    .addColumn('state', JSON_TEXT, (c) => c.notNull())
    .execute()

  await createTable(db, flavor, 'assignments_seen')
    .addColumn('thing', THING, (c) => c.notNull())
    .addColumn('since', TIME, (c) => c.notNull())
    .addColumn('horse_id', ID, (c) => c.notNull())
    .addPrimaryKeyConstraint('assignments_seen_key', ['thing', 'since'])
    .execute()

  await createTable(db, flavor, 'archive_index')
    .addColumn('object', 'varchar(255)', (c) => c.primaryKey())
    .addColumn('rows_taken', 'integer', (c) => c.notNull())
    .addColumn('done_at', TIME, (c) => c.notNull())
    .execute()
}
