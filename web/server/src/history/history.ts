import { Worker } from 'node:worker_threads'
import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config.ts'
import type { Database } from '../db/database.ts'
import { readRules } from './rules-file.ts'
import type { Taken } from './take.ts'
import type { FromHistory, HistoryInput, ToHistory } from './worker.ts'

/** Reports of one thing in the archive, each (thing, seq) once, and the newest of them. */
export type ThingNumbers = {
  reports: number
  /** When the newest was measured, and when its gateway took it: milliseconds since 1970. */
  at: number
  received: number
  seq: number
  gateway: string
  /** As the rules of the index left it: nested fields by their keys, joined by dots. */
  state: Record<string, number | boolean | string>
}

/** Reports of all things. `to`: when the newest was taken; null when there is none. */
export type FleetTotal = { reports: number; things: number; to: number | null }

export type HistoryIndex = {
  /** Calls `listener` for each object of the archive that comes into the index. */
  onIndexed(listener: OnIndexed): void
  /** When it has last looked for new objects, milliseconds since 1970; and what keeps it from doing so. */
  health(): { lookedAt: number | undefined; failure: string | undefined }
  stop(): Promise<void>
}

/** So many new reports, of these things; and meals that the ledger did not have. */
export type OnIndexed = (object: Taken) => void

const RESTART_MS = 10_000
const CHUNK = 500

/**
 * Keeps the database up with the archive, in a thread of its own; undefined where no bucket is set. Open the database before: that
 * makes the tables.
 * @throws Error when the rules are wrong
 */
export function openHistory(config: Config, log: FastifyBaseLogger): HistoryIndex | undefined {
  const { bucket, database, historyPollS, historyRules, logLevel } = config
  if (bucket === undefined) return undefined
  const input: HistoryInput = {
    bucket,
    database,
    rules: readRules(historyRules),
    pollMs: historyPollS * 1000,
    logLevel,
  }
  const listeners = new Set<OnIndexed>()
  let lookedAt: number | undefined
  let failure: string | undefined
  let isStopping = false
  let onStopped = (): void => {}
  let restart: NodeJS.Timeout | undefined
  let thread = start()

  function start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: input })
    worker.on('message', (message: FromHistory) => {
      if (message.kind === 'indexed') for (const listener of listeners) listener(message)
      else if (message.kind === 'failed') failure = message.message
      else if (message.kind === 'stopped') onStopped()
      else {
        lookedAt = message.at
        failure = undefined
      }
    })
    worker.on('error', (error) => {
      failure = error.message
      onStopped()
      if (isStopping) return
      log.error({ err: error }, 'the thread of the history index died')
      restart = setTimeout(() => {
        thread = start()
      }, RESTART_MS)
    })
    return worker
  }

  async function stop(): Promise<void> {
    isStopping = true
    clearTimeout(restart)
    const exited = new Promise<void>((resolve) => {
      onStopped = resolve
      if (thread.threadId === -1) resolve()
    })
    thread.postMessage({ kind: 'stop' } satisfies ToHistory)
    await exited
    await thread.terminate()
  }

  return {
    onIndexed: (listener) => void listeners.add(listener),
    health: () => ({ lookedAt, failure }),
    stop,
  }
}

/** Numbers of those things that the index knows. */
export async function numbersOf(
  { sql }: Database,
  things: readonly string[],
): Promise<Map<string, ThingNumbers>> {
  const found = new Map<string, ThingNumbers>()
  for (let from = 0; from < things.length; from += CHUNK) {
    const chunk = things.slice(from, from + CHUNK)
    const rows = await sql.selectFrom('thing_numbers').selectAll().where('thing', 'in', chunk).execute()
    for (const { thing, reports, at, received, seq, gateway, state } of rows)
      found.set(thing, { reports, at, received, seq, gateway, state: JSON.parse(state) })
  }
  return found
}

/** Numbers of the whole fleet, as far as the index has come. */
export async function fleetTotal({ sql }: Database): Promise<FleetTotal> {
  const row = await sql
    .selectFrom('thing_numbers')
    .select((eb) => [
      eb.fn.coalesce(eb.fn.sum<number>('reports'), eb.lit(0)).as('reports'),
      eb.fn.countAll<number>().as('things'),
      eb.fn.max('received').as('to'),
    ])
    .executeTakeFirstOrThrow()
  return { reports: Number(row.reports), things: Number(row.things), to: row.to ?? null }
}
