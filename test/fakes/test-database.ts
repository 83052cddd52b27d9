import { sql } from 'kysely'
import { createConnection } from 'mysql2/promise'
import { type Database, openDatabase } from '../../web/server/src/db/database.ts'

/** Where test/web/server/db/mysql.test.ts sends the same tests to; undefined: SQLite in memory. */
const SERVER = process.env['TEST_DATABASE_SERVER']

/** Databases of this process that nobody uses: to empty one is faster than to make one. */
const free: string[] = []
let made = 0

/** An empty database with all tables: SQLite in memory, or on the server that TEST_DATABASE_SERVER names. */
export async function openTestDatabase(): Promise<Database> {
  if (SERVER === undefined) return openDatabase(':memory:')
  const name = free.pop() ?? (await create(SERVER))
  const database = await openDatabase(`${SERVER}/${name}`)
  return {
    ...database,
    async close() {
      await empty(database)
      await database.close()
      free.push(name)
    },
  }
}

/** A place where no database has been yet, as openDatabase takes it. @param dir for a file */
export async function newPlace(dir: string): Promise<string> {
  return SERVER === undefined ? `${dir}/new.sqlite` : `${SERVER}/${await create(SERVER)}`
}

async function create(server: string): Promise<string> {
  const name = `t${process.pid}_${++made}`
  const connection = await createConnection(server)
  await connection.query(`create database ${name} character set utf8mb4 collate utf8mb4_bin`)
  await connection.end()
  return name
}

async function empty(database: Database): Promise<void> {
  const tables = await database.sql.introspection.getTables()
  await database.sql.connection().execute(async (one) => {
    await sql`set foreign_key_checks = 0`.execute(one)
    for (const { name } of tables) await sql`delete from ${sql.table(name)}`.execute(one)
    await sql`set foreign_key_checks = 1`.execute(one)
  })
}
