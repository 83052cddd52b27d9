import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { createLog } from '../adapters/log.ts'
import { openObjectStore } from '../adapters/s3.ts'
import { openBoard } from '../board.ts'
import type { Config } from '../config.ts'
import { type Archiver, createArchiver } from './archiver.ts'
import { readArchiveCheckpoint, writeArchiveCheckpoint } from './checkpoint.ts'

/**
 * Composition root of the archive's thread. archive.ts starts it. Making Parquet files takes some ten microseconds of processor
 * time for each report: too much for a thread that answers or forwards.
 */
export type ArchiveInput = {
  config: Config
  journals: { number: number; dir: string; memory: SharedArrayBuffer }[]
}

/** `stop`: archive what is left, for so many milliseconds at most, and say so. */
export type ToArchive = { kind: 'stop'; withinMs: number }
export type FromArchive = { kind: 'stopped' }

const TICK_MS = 500
const BACKOFF_FIRST_MS = 1000
const BACKOFF_MAX_MS = 60_000
const FAILURE_LOG_MS = 60_000
/** Of 20, the lowest: on one core the archive takes what the answers leave. */
const NICE = 10

const { config, journals } = workerData as ArchiveInput
const settings = config.archive!
const log = createLog(config.logLevel, config.gatewayId).child({ thread: 'archive' })
const store = openObjectStore(settings.bucket)
let isStopping = false
let loggedAt = Number.NEGATIVE_INFINITY

standBack()
const running = journals.map(run)

parentPort!.on('message', ({ withinMs }: ToArchive) => {
  isStopping = true
  const until = performance.now() + withinMs
  void Promise.all(running.map(({ finish }) => finish(until))).then(() => {
    store.close()
    parentPort!.postMessage({ kind: 'stopped' } satisfies FromArchive)
    parentPort!.close()
  })
})

function run({ number, dir, memory }: ArchiveInput['journals'][number]) {
  const board = openBoard(memory, [])
  const archiver = createArchiver({
    gateway: config.gatewayId,
    journal: number,
    dir,
    committed: () => board.get('committed'),
    start: { ...readArchiveCheckpoint(dir), archived: board.get('archived') },
    save: (checkpoint) => writeArchiveCheckpoint(dir, checkpoint),
    put: store.put,
    rotateMs: settings.rotateS * 1000,
    objectBytes: settings.objectBytes,
    now: () => performance.now(),
    onArchived: ({ end, reports, bytes }) => {
      board.set('archived', end)
      if (reports > 0) board.add('archived_objects', 1)
      board.add('archived_records', reports)
      board.add('archived_bytes', bytes)
    },
    onMissing: (bytes, end) => {
      board.set('archived', end)
      board.add('archive_missing_bytes', bytes)
      log.error({ dir, bytes }, 'journal segments went before they were archived: S3 was away for too long')
    },
    onSaveFailure: (error) => log.debug({ err: error }, 'checkpoint of the archive not written'),
  })
  let failures = 0
  let retryAt = 0
  let isFailing = false
  let current = Promise.resolve()
  const timer = setInterval(() => {
    board.set('archive_waited_ms', archiver.waitedMs())
    if (!isStopping && performance.now() >= retryAt) current = current.then(() => drain(archiver))
  }, TICK_MS)

  async function drain(from: Archiver): Promise<void> {
    if (performance.now() < retryAt) return
    try {
      while (!isStopping && (await from.step())) onSuccess()
    } catch (error) {
      onFailure(error as Error)
    }
    board.set('archive_waited_ms', from.waitedMs())
  }

  function onSuccess(): void {
    if (isFailing) log.info({ dir }, 'S3 takes the archive again')
    isFailing = false
    failures = 0
  }

  function onFailure(error: Error): void {
    isFailing = true
    board.add('archive_failures', 1)
    const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** failures++)
    retryAt = performance.now() + ceiling * (0.5 + Math.random() / 2)
    if (performance.now() - loggedAt < FAILURE_LOG_MS) return
    loggedAt = performance.now()
    log.warn({ err: error }, 'S3 does not take the archive: its reports wait in the journal')
  }

  /** What is not archived by `until` is in the journal, and is archived after the next start. */
  async function finish(until: number): Promise<void> {
    clearInterval(timer)
    await current
    try {
      while (performance.now() < until && (await archiver.step(true))) onSuccess()
    } catch (error) {
      log.debug({ err: error }, 'archive not finished')
    }
  }

  return { finish }
}

/** Linux alone gives each thread a priority of its own (setpriority(2)). Without it the archive is as important as the rest. */
function standBack(): void {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    setPriority(thread, NICE)
  } catch (error) {
    log.debug({ err: error }, 'priority of the archive not lowered')
  }
}
