import type { Kysely } from 'kysely'
import { createTable, DATE, ID, JSON_TEXT, NAME, THING, TIME, WORD } from '../columns.ts'
import type { Flavor } from '../database.ts'

/** Horses and the devices that are theirs. */
export async function up(db: Kysely<unknown>, flavor: Flavor): Promise<void> {
  await createTable(db, flavor, 'horses')
    .addColumn('id', ID, (c) => c.primaryKey())
    .addColumn('stable_id', ID, (c) => c.notNull())
    .addColumn('name', NAME, (c) => c.notNull())
    .addColumn('weight_kg', 'integer')
    .addColumn('born', DATE)
    .addColumn('notes', JSON_TEXT)
    .addColumn('picture_key', 'varchar(255)')
    .addColumn('picture_at', TIME)
    .addColumn('meal_max_g', 'integer')
    .addColumn('day_max_g', 'integer')
    .addColumn('created_at', TIME, (c) => c.notNull())
    .addColumn('archived_at', TIME)
    .addForeignKeyConstraint('horses_stable', ['stable_id'], 'stables', ['id'])
    .execute()
  await db.schema.createIndex('horses_of_stable').on('horses').column('stable_id').execute()

  await createTable(db, flavor, 'devices')
    .addColumn('thing', THING, (c) => c.primaryKey())
    .addColumn('kind', WORD, (c) => c.notNull())
    .addColumn('number', 'bigint')
    .addColumn('name', NAME, (c) => c.notNull())
    .addColumn('horse_id', ID)
    .addColumn('state', WORD, (c) => c.notNull())
    .addColumn('registered_by', ID)
    .addColumn('registered_at', TIME, (c) => c.notNull())
    .addColumn('first_seen_at', TIME)
    .addColumn('last_seen_at', TIME)
    .addColumn('certificate_id', 'varchar(64)')
    .addColumn('replaced_by', THING)
    // A horse has at most one feeder and at most one camera. Devices without a horse do not clash: null equals nothing.
    .addUniqueConstraint('devices_of_horse', ['horse_id', 'kind'])
    .addForeignKeyConstraint('devices_horse', ['horse_id'], 'horses', ['id'])
    .execute()
}
