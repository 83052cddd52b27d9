import { existsSync, renameSync, rmSync } from 'node:fs'
import { dump } from './backup/dump.ts'
import { load } from './backup/load.ts'
import { type BackupStore, openBackupStore } from './backup/store.ts'
import { type Config, readConfig } from './config.ts'
import { openDatabase } from './db/database.ts'

const HELP = `Backups of the web server's database in its bucket. Use the settings of the web server.

node web/server/src/backup-main.ts save             while the server runs: nobody waits for it
node web/server/src/backup-main.ts list             the newest first
node web/server/src/backup-main.ts restore [key]    into an empty database, while the server is stopped; without a key, the newest

What the archive holds is not in a backup: the server makes the history again from it, by itself, after a restore.
Nobody stays signed in.`

/** Composition root of the command. Exit code 0: done; 1: it could not be; 2: wrong use. */
async function run([command, key]: readonly string[], config: Config): Promise<void> {
  if (config.bucket === undefined)
    throw new Error('Cannot reach backups: there is no bucket (PESEBRE_BUCKET)')
  const store = openBackupStore(config.bucket)
  if (command === 'save') await save(config, store)
  else if (command === 'list') await list(store)
  else await restore(config, store, key)
  store.close()
}

async function save({ database }: Config, store: BackupStore): Promise<void> {
  const lines: string[] = []
  const now = Date.now()
  const db = await openDatabase(database)
  const rows = await dump(db, now, (line) => lines.push(line)).finally(() => db.close())
  const { key, bytes } = await store.save(lines, now)
  console.log(`Saved ${rows} rows as ${key}, ${bytes} bytes`)
}

async function list(store: BackupStore): Promise<void> {
  const backups = await store.list()
  for (const { key, at, bytes } of backups)
    console.log(`${new Date(at).toISOString()}  ${key}  ${bytes} bytes`)
  if (backups.length === 0) console.log('There are no backups')
}

async function restore({ database }: Config, store: BackupStore, given: string | undefined): Promise<void> {
  const key = given ?? (await store.list())[0]?.key
  if (key === undefined) throw new Error('Cannot restore: there are no backups')
  const lines = await store.load(key)
  const { at, rows } = database.startsWith('mysql://')
    ? await load(database, lines)
    : await loadFile(database, lines)
  console.log(`Restored ${rows} rows of ${new Date(at).toISOString()} from ${key}`)
}

/** Beside its place first: a restore that fails leaves no half of a database where the server looks for a whole one. */
async function loadFile(path: string, lines: readonly string[]) {
  if (existsSync(path))
    throw new Error(`Cannot restore: ${path} is there: stop the server and move it away first`)
  const beside = `${path}.restoring`
  const remove = () => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${beside}${suffix}`, { force: true })
  }
  remove()
  try {
    const done = await load(beside, lines)
    renameSync(beside, path)
    return done
  } finally {
    remove()
  }
}

const args = process.argv.slice(2)
const isUsedRight =
  args[0] === 'restore' ? args.length <= 2 : args.length === 1 && ['save', 'list'].includes(args[0]!)
try {
  if (!isUsedRight) {
    console.error(HELP)
    process.exit(2)
  }
  await run(args, readConfig(process.env))
  process.exit(0)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
