import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Logger } from './adapters/log.ts'
import { startArchive } from './archive/archive.ts'
import { createRetention } from './archive/retention.ts'
import type { Config } from './config.ts'
import { type Forwarder, type SendBatch, startForwarder } from './forwarder.ts'
import { writeCheckpoint } from './journal/checkpoint.ts'
import { createReader } from './journal/reader.ts'
import { recover } from './journal/recovery.ts'
import { journalNames } from './journal/segments.ts'
import type { WorkerHandle } from './workers.ts'

export type Forwarding = { stop(deadline: number): Promise<void> }

export type ForwardingSettings = {
  config: Config
  log: Logger
  workers: readonly WorkerHandle[]
  send: SendBatch
  /** Runs before a segment goes: what has to outlive its lines must be on disk when it returns. Throws: then they stay. */
  beforeDelete?: (() => void) | undefined
}

/** The journal of one worker, or one left behind by a worker that is no longer configured. */
type Source = {
  /** Name of its directory. */
  name: string
  dir: string
  start: number
  committed: () => number
  seq: () => number
  worker: WorkerHandle | undefined
}

/** Checkpoints are written at most this often, and always at the end. */
const CHECKPOINT_MS = 100
/** A lasting failure of SQS is logged once and then this often. */
const FAILURE_LOG_MS = 10_000
/** The archive keeps no segment on a disk that has not room for so many new ones. */
const RESERVE_SEGMENTS = 4

/** Runs one forwarder per journal and the archive, keeps the checkpoints, and deletes what is sent and archived. */
export function startForwarding(settings: ForwardingSettings): Forwarding {
  const { config, log, workers, send } = settings
  const sources = [...workers.map(sourceOf), ...leftBehind(config, workers.length)]
  // Before the first segment may be deleted.
  const archive = startArchive({ config, log, journals: sources })
  const running = sources.map((source) => forward(source))
  return {
    stop: async (deadline) => {
      await Promise.all([...running, archive].map((part) => part?.stop(deadline)))
    },
  }

  function forward(source: Source): Forwarding {
    const { dir, worker } = source
    const board = worker?.board
    let sent = source.start
    let written = source.start
    let writtenAt = Number.NEGATIVE_INFINITY
    let failing = false
    let loggedAt = Number.NEGATIVE_INFINITY
    const retention = createRetention({
      dir,
      archived: () => archive?.archived(source.name) ?? Number.POSITIVE_INFINITY,
      maxBytes: Math.floor((config.archive?.maxBytes ?? 0) / sources.length),
      reserveBytes: RESERVE_SEGMENTS * config.journalSegmentBytes,
      beforeDelete: settings.beforeDelete,
    })

    const forwarder: Forwarder = startForwarder({
      gateway: config.gatewayId,
      reader: createReader(dir, source.start),
      committed: source.committed,
      send,
      lingerMs: config.lingerMs,
      now: () => performance.now(),
      epoch: Date.now,
      random: randomBytes,
      onSent: (position) => {
        sent = position
        board?.set('sent', position)
        if (config.ackAfter === 'queue') worker?.tell({ kind: 'sent' })
        if (performance.now() - writtenAt >= CHECKPOINT_MS) checkpoint()
      },
      onBatch: (records) => {
        if (failing) log.info('SQS takes reports again')
        failing = false
        board?.add('forwarded_batches', 1)
        board?.add('forwarded_records', records)
      },
      onFailure: (error) => {
        failing = true
        board?.add('forward_failures', 1)
        if (performance.now() - loggedAt < FAILURE_LOG_MS) return
        loggedAt = performance.now()
        log.warn({ err: error }, 'SQS does not take reports: they wait in the journal')
      },
      onDamage: (lines) => {
        board?.add('damaged_lines', lines)
        log.error({ dir, lines }, 'journal lines damaged: left out')
      },
      onInvalid: (json, message) => {
        board?.add('invalid_records', 1)
        const file = join(dir, 'invalid.jsonl')
        appendFileSync(file, `${json.toString()}\n`)
        log.error({ file, reason: message }, 'SQS will never take this report: kept in a file')
      },
    })

    const timer = setInterval(checkpoint, CHECKPOINT_MS)

    function checkpoint(): void {
      board?.set('oldest_unsent_at', forwarder.oldestUnsent() ?? 0)
      try {
        if (sent !== written) {
          writtenAt = performance.now()
          writeCheckpoint(dir, { sent, seq: source.seq() })
          written = sent
        }
      } catch (error) {
        // A full disk, most likely. The next round tries again; an old checkpoint only causes repeats.
        log.debug({ err: error }, 'checkpoint not written')
      }
      try {
        retention.clean(written)
      } catch (error) {
        log.debug({ err: error }, 'journal segments not deleted')
      }
    }

    return {
      stop: async (deadline) => {
        await forwarder.stop(deadline)
        clearInterval(timer)
        checkpoint()
      },
    }
  }
}

function sourceOf(worker: WorkerHandle): Source {
  const { board, journal } = worker
  return {
    ...journal,
    name: basename(journal.dir),
    committed: () => board.get('committed'),
    seq: () => board.get('seq'),
    worker,
  }
}

/** Journals of workers beyond today's number: there may be reports in them that were acknowledged. */
function leftBehind(config: Config, workers: number): Source[] {
  const names = journalNames(config.journalDir).filter((name) => Number(name) >= workers)
  return names.map((name) => {
    const dir = join(config.journalDir, name)
    const { start, end, seq } = recover(dir)
    return { name, dir, start, committed: () => end, seq: () => seq, worker: undefined }
  })
}
