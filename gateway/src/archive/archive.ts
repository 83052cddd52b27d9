import { Worker } from 'node:worker_threads'
import type { Logger } from '../adapters/log.ts'
import { type Board, createBoard } from '../board.ts'
import type { Config } from '../config.ts'
import { segmentBases } from '../journal/segments.ts'
import { readArchiveCheckpoint } from './checkpoint.ts'
import type { ArchiveInput, FromArchive, ToArchive } from './worker.ts'

/** The archive as the main thread sees it. */
export type Archive = {
  /** S3 has everything of the journal of this name below this position. */
  archived(name: string): number
  /** Archives what is left. Returns when that is done, or at `deadline` (performance.now()). Call it when the journals are closed. */
  stop(deadline: number): Promise<void>
}

export type ArchiveSettings = {
  config: Config
  log: Logger
  /** Those of today's workers, whose boards say how far they are, and those left behind by earlier ones. */
  journals: readonly {
    readonly name: string
    readonly dir: string
    committed(): number
    readonly worker: { readonly board: Board } | undefined
  }[]
}

const RESTART_MS = 10_000
/** Most of what is made of a report is garbage a moment later: a small young generation frees it soon. */
const MEMORY = { maxYoungGenerationSizeMb: 12, maxOldGenerationSizeMb: 128 }

/** Archives every journal in a thread of its own. Undefined where no bucket is set. */
export function startArchive({ config, log, journals }: ArchiveSettings): Archive | undefined {
  if (config.archive === undefined) return undefined
  const boards = new Map<string, Board>()
  const shared = journals.map(({ name, dir, committed, worker }) => {
    const end = committed()
    const board = worker?.board ?? boardOf(end)
    // A checkpoint beyond the journal's end is of another journal.
    board.set('archived', Math.min(end, readArchiveCheckpoint(dir)?.archived ?? segmentBases(dir)[0] ?? end))
    boards.set(name, board)
    return { number: Number(name), dir, memory: board.memory }
  })
  const input: ArchiveInput = { config, journals: shared }
  let isStopping = false
  let thread = start()

  function start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: input,
      resourceLimits: MEMORY,
    })
    // Devices do not wait for the archive: a fault of its thread leaves its work in the journal, and starts another one.
    worker.on('error', (error) => {
      if (isStopping) return
      log.error({ err: error }, 'the thread of the archive died')
      setTimeout(() => {
        if (!isStopping) thread = start()
      }, RESTART_MS)
    })
    return worker
  }

  async function stop(deadline: number): Promise<void> {
    isStopping = true
    const withinMs = Math.max(0, deadline - performance.now())
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      thread.on('message', ({ kind }: FromArchive) => kind === 'stopped' && resolve())
      timer = setTimeout(resolve, withinMs)
      thread.postMessage({ kind: 'stop', withinMs } satisfies ToArchive)
    })
    clearTimeout(timer)
    await thread.terminate()
  }

  return { archived: (name) => boards.get(name)?.get('archived') ?? 0, stop }
}

function boardOf(end: number): Board {
  const board = createBoard([])
  board.set('committed', end)
  return board
}
