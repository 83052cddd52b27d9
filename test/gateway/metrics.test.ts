import { OUTCOMES } from '@pesebre/coap/endpoint/outcomes'
import t from 'tap'
import { type Board, createBoard, NUMBERS, openBoard } from '../../gateway/src/board.ts'
import { createMetrics, type MetricsSettings, notReadyReasons, oldestAge } from '../../gateway/src/metrics.ts'

async function scrape(
  boards: Board[],
  different: Partial<MetricsSettings> = {},
): Promise<Map<string, number>> {
  const registry = createMetrics({ boards, kernelDrops: () => 0, notReady: () => [], ...different })
  const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('pesebre_'))
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  )
}

/** Names that dashboards and alarms rely on. One that changes here changes for every operator. */
const NAMES = [
  'pesebre_answers_withheld_total',
  'pesebre_block_uploads',
  'pesebre_commands_sent_total',
  'pesebre_contexts',
  'pesebre_datagrams_total{outcome}',
  'pesebre_exchanges',
  'pesebre_exchanges_evicted_total',
  'pesebre_forward_failures_total',
  'pesebre_forwarded_batches_total',
  'pesebre_forwarded_records_total',
  'pesebre_internal_errors_total',
  'pesebre_invalid_records_total',
  'pesebre_journal_backlog_bytes',
  'pesebre_journal_commits_total',
  'pesebre_journal_damaged_lines_total',
  'pesebre_journal_failed',
  'pesebre_kernel_drops_total',
  'pesebre_mailboxes',
  'pesebre_observers',
  'pesebre_oldest_unsent_seconds',
  'pesebre_ready',
  'pesebre_receive_buffer_bytes',
  'pesebre_refusals_total{reason}',
  'pesebre_replay_windows',
  'pesebre_replay_windows_full_total',
  'pesebre_reports_kept_total',
  'pesebre_requests_pending',
  'pesebre_socket_errors_total',
]

t.test('createMetrics() has these names', async (t) => {
  const names = [...(await scrape([createBoard(OUTCOMES)])).keys()].map((name) =>
    name.replace(/="[^"]*"/g, ''),
  )
  t.strictSame([...new Set(names)].sort(), NAMES)
})

t.test('createMetrics() has these names more where there is an archive', async (t) => {
  const board = createBoard(OUTCOMES)
  const names = [...(await scrape([board], { archive: true })).keys()].filter((name) => /archive/.test(name))
  t.strictSame(names.sort(), [
    'pesebre_archive_failures_total',
    'pesebre_archive_lag_bytes',
    'pesebre_archive_missing_bytes_total',
    'pesebre_archive_waited_seconds',
    'pesebre_archived_bytes_total',
    'pesebre_archived_objects_total',
    'pesebre_archived_records_total',
  ])
  board.set('committed', 500)
  board.set('archived', 200)
  board.set('archive_waited_ms', 1500)
  const values = await scrape([board, createBoard(OUTCOMES)], { archive: true })
  t.equal(values.get('pesebre_archive_lag_bytes'), 300)
  t.equal(values.get('pesebre_archive_waited_seconds'), 1.5)
})

t.test('createMetrics() shows every number of every worker, added up', async (t) => {
  const boards = [createBoard(OUTCOMES), createBoard(OUTCOMES)]
  // Powers of two: whatever is missing or stands in the wrong place shows in the sum.
  const unseen = new Set<string>([
    'committed',
    'sent',
    'seq',
    'oldest_unsent_at',
    'archived',
    'archive_waited_ms',
  ])
  const shown = [...NUMBERS, ...OUTCOMES].filter((name) => !unseen.has(name))
  shown.forEach((name, i) => {
    boards[0]!.set(name, 2 ** i)
    boards[1]!.set(name, 2 ** i)
  })
  const others =
    /^pesebre_(ready|kernel_drops_total|oldest_unsent_seconds|replay_windows.*|archive_lag_bytes|archive_waited_seconds)$/
  const values = [...(await scrape(boards, { archive: true }))]
    .filter(([name]) => !others.test(name))
    .map(([, value]) => value)
  t.strictSame(
    values.sort((a, b) => a - b),
    shown.map((_, i) => 2 ** (i + 1)),
  )
})

t.test('createMetrics() names each outcome and reason', async (t) => {
  const board = createBoard(OUTCOMES)
  board.set('option-end', 7)
  board.add('refused_rate_address', 3)
  board.add('refused_rate_address', 2)
  const found = await scrape([board], { kernelDrops: () => 11, notReady: () => ['journal: x'] })
  t.equal(found.get('pesebre_datagrams_total{outcome="option-end"}'), 7)
  t.equal(found.get('pesebre_refusals_total{reason="address_rate"}'), 5)
  t.equal(found.get('pesebre_kernel_drops_total'), 11)
  t.equal(found.get('pesebre_ready'), 0)
  const outcomes = [...found.keys()].filter((name) => name.startsWith('pesebre_datagrams_total'))
  t.equal(outcomes.length, OUTCOMES.length)
})

t.test('createMetrics() shows the newest numbers at each scrape', async (t) => {
  const board = createBoard(OUTCOMES)
  const registry = createMetrics({ boards: [board], kernelDrops: () => undefined, notReady: () => [] })
  for (const kept of [1, 5, 9]) {
    board.set('reports_kept', kept)
    t.match(await registry.metrics(), new RegExp(`^pesebre_reports_kept_total ${kept}$`, 'm'))
  }
  t.match(registry.contentType, /^text\/plain; version=0\.0\.4/)
})

t.test('oldestAge() is the age of the oldest over all workers', async (t) => {
  const boards = [createBoard([]), createBoard([]), createBoard([])]
  t.equal(oldestAge(boards, 10_000), 0)
  boards[0]!.set('oldest_unsent_at', 7000)
  boards[2]!.set('oldest_unsent_at', 4000)
  t.equal(oldestAge(boards, 10_000), 6)
  t.equal(oldestAge(boards, 1000), 0, 'a clock that was set back')
})

t.test('notReadyReasons() gives every reason', async (t) => {
  const boards = [createBoard([]), createBoard([])]
  t.strictSame(notReadyReasons(boards, 120), [])
  boards[1]!.set('journal_failed', 1)
  boards[0]!.set('oldest_unsent_at', Date.now() - 130_000)
  t.match(notReadyReasons(boards, 120), [
    'journal: cannot write to its disk',
    /^queue: the oldest report has waited for 130 s$/,
  ])
  t.strictSame(notReadyReasons(boards, 131), ['journal: cannot write to its disk'])
})

t.test('createBoard() gives every number a place of its own that two threads share', async (t) => {
  const names = [...NUMBERS, ...OUTCOMES]
  t.equal(new Set(names).size, names.length)
  const board = createBoard(OUTCOMES)
  const other = openBoard(board.memory, OUTCOMES)
  for (const [i, name] of names.entries()) board.set(name, i + 1)
  t.strictSame(
    names.map((name) => other.get(name)),
    names.map((_, i) => i + 1),
  )
  t.throws(() => board.get('nonsense'), /Unknown number on the board: nonsense/)
})
