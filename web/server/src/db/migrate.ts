import { type Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import type { Flavor } from './database.ts'
import * as people from './migrations/0001-people.ts'
import * as horses from './migrations/0002-horses.ts'
import * as feeding from './migrations/0003-feeding.ts'
import * as alarms from './migrations/0004-alarms.ts'
import * as history from './migrations/0005-history.ts'
import * as feedKeys from './migrations/0006-feed-keys.ts'
import type { Tables } from './schema.ts'

/** What a migration is given: the tables as they are by then have no types. */
export type Up = (db: Kysely<unknown>, flavor: Flavor) => Promise<void>

/** In the order in which they run; a name never changes, and one that was released is never edited. */
const MIGRATIONS: Readonly<Record<string, { up: Up }>> = {
  '0001-people': people,
  '0002-horses': horses,
  '0003-feeding': feeding,
  '0004-alarms': alarms,
  '0005-history': history,
  '0006-feed-keys': feedKeys,
}

/**
 * Brings the tables up to date, or up to one migration. Two servers that start at once do not both do it: Kysely takes a lock.
 * @throws Error when the tables were made by a newer server
 */
export async function migrate(db: Kysely<Tables>, flavor: Flavor, upTo?: string): Promise<void> {
  const migrations = Object.entries(MIGRATIONS).map(([name, { up }]): [string, Migration] => [
    name,
    { up: (tx) => up(tx, flavor) },
  ])
  const provider = { getMigrations: async () => Object.fromEntries(migrations) }
  const migrator = new Migrator({ db, provider })
  const { error } = upTo === undefined ? await migrator.migrateToLatest() : await migrator.migrateTo(upTo)
  if (error !== undefined) throw error
}

/** Whether this server can make tables like those. */
export function knowsMigration(name: string): boolean {
  return Object.hasOwn(MIGRATIONS, name)
}

/** Names of the migrations that a database has been through, in their order. */
export async function migrationsDone(db: Kysely<Tables>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  return rows.map(({ name }) => name)
}
