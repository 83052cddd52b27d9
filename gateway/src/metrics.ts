import { OUTCOMES } from '@pesebre/coap/endpoint/outcomes'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Board, NumberName } from './board.ts'
import type { Windows } from './security/windows.ts'

export type MetricsSettings = {
  boards: readonly Board[]
  /** Datagrams that the kernel dropped, undefined where it does not say. */
  kernelDrops: () => number | undefined
  notReady: () => string[]
  /** Where there is OSCORE. */
  windows?: Pick<Windows, 'count' | 'refusedFull'> | undefined
  /** Whether there is an archive. */
  archive?: boolean
}

/** A number of the boards, added up. */
type NumberMetric = { name: string; help: string; number: NumberName }

const COUNTERS: NumberMetric[] = [
  {
    name: 'pesebre_reports_kept_total',
    help: 'Reports that are in the journal, flushed',
    number: 'reports_kept',
  },
  { name: 'pesebre_journal_commits_total', help: 'Writes and flushes of the journal', number: 'commits' },
  {
    name: 'pesebre_socket_errors_total',
    help: 'Errors of the CoAP socket',
    number: 'socket_errors',
  },
  { name: 'pesebre_internal_errors_total', help: 'Faults of the gateway itself', number: 'errors_internal' },
  {
    name: 'pesebre_forwarded_batches_total',
    help: 'Messages that SQS has taken',
    number: 'forwarded_batches',
  },
  {
    name: 'pesebre_forwarded_records_total',
    help: 'Reports that SQS has taken',
    number: 'forwarded_records',
  },
  { name: 'pesebre_forward_failures_total', help: 'Calls of SQS that failed', number: 'forward_failures' },
  {
    name: 'pesebre_journal_damaged_lines_total',
    help: 'Journal lines left out: bad checksum',
    number: 'damaged_lines',
  },
  {
    name: 'pesebre_invalid_records_total',
    help: 'Reports that SQS will never take',
    number: 'invalid_records',
  },
  {
    name: 'pesebre_commands_sent_total',
    help: 'Commands handed out in answers, repeats included',
    number: 'commands_sent',
  },
  {
    name: 'pesebre_answers_withheld_total',
    help: 'Answers that could not be protected: no sequence number of our own was free',
    number: 'withheld',
  },
  {
    name: 'pesebre_exchanges_evicted_total',
    help: 'Remembered messages that had to make room before their lifetime was over',
    number: 'exchanges_evicted',
  },
]

const ARCHIVE_COUNTERS: NumberMetric[] = [
  {
    name: 'pesebre_archived_records_total',
    help: 'Reports that S3 has taken, repeats included',
    number: 'archived_records',
  },
  { name: 'pesebre_archived_objects_total', help: 'Objects that S3 has taken', number: 'archived_objects' },
  { name: 'pesebre_archived_bytes_total', help: 'Bytes of those objects', number: 'archived_bytes' },
  {
    name: 'pesebre_archive_failures_total',
    help: 'Objects that S3 or the disk refused for the moment',
    number: 'archive_failures',
  },
  {
    name: 'pesebre_archive_missing_bytes_total',
    help: 'Journal bytes that went unarchived: beyond PESEBRE_ARCHIVE_MAX_BYTES, or the disk was nearly full',
    number: 'archive_missing_bytes',
  },
]

const GAUGES: NumberMetric[] = [
  { name: 'pesebre_journal_backlog_bytes', help: 'Journal bytes that SQS has not taken', number: 'backlog' },
  { name: 'pesebre_journal_failed', help: '1 while the journal cannot write', number: 'journal_failed' },
  { name: 'pesebre_requests_pending', help: 'Requests without an answer yet', number: 'pending' },
  { name: 'pesebre_exchanges', help: 'Messages remembered to know repeats', number: 'exchanges' },
  { name: 'pesebre_block_uploads', help: 'Bodies that are being put together', number: 'uploads' },
  { name: 'pesebre_contexts', help: 'Security contexts held', number: 'contexts' },
  { name: 'pesebre_mailboxes', help: 'Mailboxes of devices held', number: 'mailboxes' },
  { name: 'pesebre_observers', help: 'Observers registered', number: 'observers' },
  {
    name: 'pesebre_receive_buffer_bytes',
    help: 'Socket receive buffer that the kernel granted',
    number: 'receive_buffer',
  },
]

const REFUSALS: { reason: string; number: NumberName }[] = [
  { reason: 'address_rate', number: 'refused_rate_address' },
  { reason: 'device_rate', number: 'refused_rate_device' },
  { reason: 'journal_full', number: 'refused_journal_full' },
  { reason: 'journal_failed', number: 'refused_journal_failed' },
  { reason: 'queue_away', number: 'refused_queue_away' },
  { reason: 'disabled', number: 'refused_disabled' },
  { reason: 'request', number: 'refused_other' },
]

/** The gateway's metrics in the Prometheus exposition format: what the workers put on their boards, added up. */
export function createMetrics(settings: MetricsSettings): Registry {
  const { boards, kernelDrops, notReady, windows, archive = false } = settings
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const sum = (name: string): number => boards.reduce((total, board) => total + board.get(name), 0)

  for (const { name, help, number } of [...COUNTERS, ...(archive ? ARCHIVE_COUNTERS : [])]) {
    new Counter({ name, help, registers, collect: setTo(() => sum(number)) })
  }
  for (const { name, help, number } of GAUGES) {
    new Gauge({ name, help, registers, collect: setTo(() => sum(number)) })
  }
  labelled('pesebre_datagrams_total', 'Datagrams received, by what became of them', 'outcome', () =>
    OUTCOMES.map((outcome) => [outcome, sum(outcome)]),
  )
  labelled('pesebre_refusals_total', 'Requests refused, by reason', 'reason', () =>
    REFUSALS.map(({ reason, number }) => [reason, sum(number)]),
  )
  new Gauge({
    name: 'pesebre_oldest_unsent_seconds',
    help: 'Age of the oldest report that SQS has not taken',
    registers,
    collect: setTo(() => oldestAge(boards)),
  })
  new Gauge({
    name: 'pesebre_ready',
    help: '1 if /readyz says so',
    registers,
    collect: setTo(() => (notReady().length ? 0 : 1)),
  })
  new Gauge({
    name: 'pesebre_replay_windows',
    help: 'Registered devices whose replay windows are held',
    registers,
    collect: setTo(() => windows?.count() ?? 0),
  })
  new Counter({
    name: 'pesebre_replay_windows_full_total',
    help: 'Requests of devices for which there is no room (PESEBRE_DEVICES_MAX): they are refused',
    registers,
    collect: setTo(() => windows?.refusedFull() ?? 0),
  })
  new Counter({
    name: 'pesebre_kernel_drops_total',
    help: 'Datagrams that the kernel dropped since the socket was bound: its receive buffer was full',
    registers,
    collect: setTo(() => kernelDrops() ?? 0),
  })
  if (archive) {
    new Gauge({
      name: 'pesebre_archive_lag_bytes',
      help: 'Journal bytes that S3 has not taken yet',
      registers,
      collect: setTo(() => sum('committed') - sum('archived')),
    })
    new Gauge({
      name: 'pesebre_archive_waited_seconds',
      help: 'How long the oldest report has waited for the archive',
      registers,
      collect: setTo(() => Math.max(...boards.map((board) => board.get('archive_waited_ms'))) / 1000),
    })
  }
  return registry

  function labelled(name: string, help: string, label: string, read: () => [string, number][]): void {
    new Counter({
      name,
      help,
      registers,
      labelNames: [label],
      collect() {
        this.reset()
        for (const [value, count] of read()) this.inc({ [label]: value }, count)
      },
    })
  }
}

/** Age in seconds of the oldest report that SQS has not taken, over all workers; 0 if there is none. */
export function oldestAge(boards: readonly Board[], now: number = Date.now()): number {
  const times = boards.map((board) => board.get('oldest_unsent_at')).filter((time) => time > 0)
  return times.length === 0 ? 0 : Math.max(0, (now - Math.min(...times)) / 1000)
}

/** Why the gateway is not ready, for people; empty if it is. */
export function notReadyReasons(boards: readonly Board[], unsentMaxS: number): string[] {
  const reasons: string[] = []
  if (boards.some((board) => board.get('journal_failed'))) reasons.push('journal: cannot write to its disk')
  const age = oldestAge(boards)
  if (age > unsentMaxS) reasons.push(`queue: the oldest report has waited for ${Math.round(age)} s`)
  return reasons
}

/** The numbers are counted elsewhere; at each scrape the metric takes over what stands there. */
function setTo(read: () => number): (this: { reset(): void; inc(value: number): void }) => void {
  return function collect() {
    this.reset()
    this.inc(read())
  }
}
