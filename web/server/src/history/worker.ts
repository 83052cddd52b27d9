import { parentPort, workerData } from 'node:worker_threads'
import { pino } from 'pino'
import { openDatabase } from '../db/database.ts'
import { openArchiveStore } from './archive-store.ts'
import { createIndexer } from './indexer.ts'
import type { Rule } from './rules.ts'
import type { Taken } from './take.ts'

/**
 * Composition root of the index's thread; history.ts starts it. Reading Parquet, and SQLite, which does not let go of its thread while
 * it writes, would hold up whoever looks at a camera.
 */
export type HistoryInput = {
  /** As PESEBRE_DATABASE_URL or the path of the SQLite file. */
  database: string
  bucket: string
  rules: readonly Rule[]
  /** How often to look for new objects, milliseconds. */
  pollMs: number
  logLevel: string
}

export type ToHistory = { kind: 'stop' }
export type FromHistory =
  | ({ kind: 'indexed' } & Taken)
  | { kind: 'looked'; at: number }
  | { kind: 'failed'; message: string }
  | { kind: 'stopped' }

/** The whole archive is looked through at the start, and this often: for what came late. */
const SWEEP_MS = 24 * 3_600_000
const CLEAN_MS = 3_600_000
const FAILURE_LOG_MS = 60_000

const input = workerData as HistoryInput
const log = pino({ level: input.logLevel, base: { thread: 'history' } })
const say = (message: FromHistory): void => parentPort!.postMessage(message)
const db = await openDatabase(input.database)
const store = openArchiveStore(input.bucket)
const { rules } = input
const indexer = createIndexer({
  db,
  store,
  rules,
  now: Date.now,
  onIndexed: ({ rows, things, meals }) => say({ kind: 'indexed', rows, things, meals }),
  onUnreadable: (key, error) =>
    log.error({ key, err: error }, 'object of the archive cannot be read: left out'),
})
let isStopping = false
let wake = (): void => {}
let sweptAt = Number.NEGATIVE_INFINITY
let cleanedAt = Number.NEGATIVE_INFINITY
let loggedAt = Number.NEGATIVE_INFINITY

parentPort!.on('message', (_: ToHistory) => {
  isStopping = true
  wake()
})

while (!isStopping) {
  const began = performance.now()
  try {
    await (began - sweptAt >= SWEEP_MS ? indexer.sweep() : indexer.catchUp())
    if (began - sweptAt >= SWEEP_MS) sweptAt = began
    say({ kind: 'looked', at: Date.now() })
    if (began - cleanedAt >= CLEAN_MS) {
      await indexer.cleanUp()
      cleanedAt = began
    }
  } catch (error) {
    say({ kind: 'failed', message: (error as Error).message })
    if (began - loggedAt >= FAILURE_LOG_MS) {
      loggedAt = began
      log.warn({ err: error }, 'archive cannot be brought into the index: tried again')
    }
  }
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, input.pollMs)
    wake = () => {
      clearTimeout(timer)
      resolve()
    }
    if (isStopping) wake()
  })
}
store.close()
await db.close()
say({ kind: 'stopped' })
parentPort!.close()
