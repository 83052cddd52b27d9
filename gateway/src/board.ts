/**
 * The numbers that a worker thread shares with the main thread: positions, gauges and counters, each one float64 in
 * one SharedArrayBuffer. Each number has one writer. Aligned 64-bit stores do not tear on x86-64 and arm64, and a
 * reader that is a moment late does no harm, so plain array access is enough.
 */
export const NUMBERS = [
  // Written by the worker
  'committed',
  'backlog',
  'journal_failed',
  'receive_buffer',
  'pending',
  'exchanges',
  'exchanges_evicted',
  'uploads',
  'withheld',
  'observers',
  'seq',
  'socket_errors',
  'reports_kept',
  'refused_rate_address',
  'refused_rate_device',
  'refused_journal_full',
  'refused_journal_failed',
  'refused_queue_away',
  'refused_disabled',
  'refused_other',
  'commands_sent',
  'contexts',
  'mailboxes',
  'errors_internal',
  'commits',
  // Written by the main thread
  'sent',
  'oldest_unsent_at',
  'forwarded_batches',
  'forwarded_records',
  'forward_failures',
  'damaged_lines',
  'invalid_records',
  // Written by the archive's thread; `archived` by the main thread before it
  'archived',
  'archived_objects',
  'archived_records',
  'archived_bytes',
  'archive_failures',
  'archive_missing_bytes',
  'archive_waited_ms',
] as const
export type NumberName = (typeof NUMBERS)[number]

export type Board = {
  /** Hand this to the other thread, which calls `openBoard` on it. */
  readonly memory: SharedArrayBuffer
  get(name: string): number
  set(name: string, value: number): void
  add(name: NumberName, value: number): void
}

/** `datagramReasons`: the endpoint's counters, published beside the gateway's own numbers. */
export function createBoard(datagramReasons: readonly string[]): Board {
  const count = NUMBERS.length + datagramReasons.length
  return openBoard(new SharedArrayBuffer(count * Float64Array.BYTES_PER_ELEMENT), datagramReasons)
}

export function openBoard(memory: SharedArrayBuffer, datagramReasons: readonly string[]): Board {
  const values = new Float64Array(memory)
  const indexes = new Map([...NUMBERS, ...datagramReasons].map((name, index) => [name, index]))
  const indexOf = (name: string): number => {
    const index = indexes.get(name)
    if (index === undefined) throw new Error(`Unknown number on the board: ${name}`)
    return index
  }
  return {
    memory,
    get: (name) => values[indexOf(name)]!,
    set: (name, value) => {
      values[indexOf(name)] = value
    },
    add: (name, value) => {
      values[indexOf(name)]! += value
    },
  }
}
