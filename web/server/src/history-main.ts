import { type Config, readConfig } from './config.ts'
import { openDatabase } from './db/database.ts'
import { openArchiveStore } from './history/archive-store.ts'
import { createIndexer } from './history/indexer.ts'
import { rebuild } from './history/rebuild.ts'
import { readRules } from './history/rules-file.ts'

const HELP = `Makes the history in the database again, from the archive in S3. The web server may run meanwhile.

node web/server/src/history-main.ts rebuild     with the settings of the web server`

/** Composition root of the command. Exit code 0: done; 1: it could not be; 2: wrong use. */
async function run({ database, bucket, historyRules }: Config): Promise<void> {
  if (bucket === undefined)
    throw new Error('Cannot rebuild the history: there is no archive (PESEBRE_BUCKET)')
  const rules = readRules(historyRules)
  const db = await openDatabase(database)
  const store = openArchiveStore(bucket)
  let rows = 0
  let unreadable = 0
  let saidAt = performance.now()
  const indexer = createIndexer({
    db,
    store,
    rules,
    now: Date.now,
    onIndexed: (object) => {
      rows += object.rows
      if (performance.now() - saidAt < 1000) return
      saidAt = performance.now()
      console.log(`${rows} reports so far, ${object.key}`)
    },
    onUnreadable: (key, error) => {
      unreadable++
      console.error(`${key}: ${error.message}: left out`)
    },
  })
  const objects = await rebuild(db, store, indexer)
  console.log(`History rebuilt: ${rows} reports of ${objects} objects; ${unreadable} could not be read`)
  store.close()
  await db.close()
}

try {
  if (process.argv[2] !== 'rebuild' || process.argv.length > 3) {
    console.error(HELP)
    process.exit(2)
  }
  await run(readConfig(process.env))
  process.exit(0)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
