import type { Kysely } from 'kysely'
import { createTable, HASH, ID, JSON_TEXT, THING, TIME, WORD } from '../columns.ts'
import type { Flavor } from '../database.ts'

/** Alarms, and whom to tell of them how. */
export async function up(db: Kysely<unknown>, flavor: Flavor): Promise<void> {
  await createTable(db, flavor, 'alarms')
    .addColumn('id', ID, (c) => c.primaryKey())
    .addColumn('thing', THING, (c) => c.notNull())
    .addColumn('kind', WORD, (c) => c.notNull())
    .addColumn('horse_id', ID)
    .addColumn('stable_id', ID)
    // Null when cleared: MySQL has no partial indexes, and null equals nothing on both.
    .addColumn('active_key', 'varchar(192)', (c) => c.unique())
    .addColumn('count', 'integer', (c) => c.notNull().defaultTo(1))
    .addColumn('detail', JSON_TEXT, (c) => c.notNull())
    .addColumn('raised_at', TIME, (c) => c.notNull())
    .addColumn('updated_at', TIME, (c) => c.notNull())
    .addColumn('cleared_at', TIME)
    .addColumn('acknowledged_at', TIME)
    .addColumn('acknowledged_by', ID)
    .addColumn('notified_at', TIME)
    .execute()
  await db.schema.createIndex('alarms_of_stable').on('alarms').columns(['stable_id', 'raised_at']).execute()

  await createTable(db, flavor, 'notification_settings')
    .addColumn('user_id', ID, (c) => c.notNull())
    .addColumn('kind', WORD, (c) => c.notNull())
    .addColumn('push', 'integer', (c) => c.notNull())
    .addColumn('email', 'integer', (c) => c.notNull())
    .addColumn('cooldown_min', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('notification_settings_key', ['user_id', 'kind'])
    .addForeignKeyConstraint('notification_settings_user', ['user_id'], 'users', ['id'], (c) =>
      c.onDelete('cascade'),
    )
    .execute()

  await createTable(db, flavor, 'push_subscriptions')
    .addColumn('id', ID, (c) => c.primaryKey())
    .addColumn('user_id', ID, (c) => c.notNull())
    .addColumn('endpoint_hash', HASH, (c) => c.notNull().unique())
    .addColumn('endpoint', JSON_TEXT, (c) => c.notNull())
    .addColumn('p256dh', 'varchar(128)', (c) => c.notNull())
    .addColumn('auth', 'varchar(64)', (c) => c.notNull())
    .addColumn('user_agent', 'varchar(255)')
    .addColumn('created_at', TIME, (c) => c.notNull())
    .addColumn('failed_at', TIME)
    .addForeignKeyConstraint('push_subscriptions_user', ['user_id'], 'users', ['id'], (c) =>
      c.onDelete('cascade'),
    )
    .execute()
}
