import type { Report } from '@pesebre/contract/report'
import t from 'tap'
import { toParquet } from '../../../gateway/src/archive/parquet.ts'
import { rowsOf } from '../../fakes/bucket.ts'

const AT = Date.UTC(2026, 10, 20, 17, 5)
const FULL: Report = {
  thing: 'feeder-1a2b3c4d',
  type: 'feeder',
  seq: 2 ** 40 + 1,
  at: AT - 5000,
  received: AT,
  state: { hopper_pct: 62, note: 'paja, "heno" ñ 🐴', nested: { raw: [1, 2.5] } },
  changed: false,
  outcomes: [{ n: 7, state: 'done', grams: 500, at: AT - 1000 }],
  config_version: 3,
  sent: 8,
  link: { size: 89, interval_s: 300, answer: false },
}

t.test('toParquet: every part of a report comes back', async (t) => {
  const [row] = await rowsOf(toParquet([FULL]))
  t.same(row, {
    thing: FULL.thing,
    type: FULL.type,
    seq: FULL.seq,
    at: new Date(FULL.at),
    received: new Date(FULL.received),
    interval_s: 300,
    size: 89,
    answer: false,
    changed: false,
    config_version: 3,
    sent: 8,
    state: JSON.stringify(FULL.state),
    outcomes: JSON.stringify(FULL.outcomes),
    extra: null,
  })
})

t.test('toParquet: what is absent is null, what no column holds is in extra', async (t) => {
  const bare = { thing: 'x', type: 'load', seq: 1, at: AT, received: AT }
  const newer = { ...bare, seq: 2, link: { rssi: -67 }, later: [1] } as unknown as Report
  const [first, second] = await rowsOf(toParquet([bare, newer]))
  t.match(first, { state: null, outcomes: null, interval_s: null, answer: null, extra: null })
  t.same(JSON.parse(String(second!['extra'])), { link: { rssi: -67 }, later: [1] })
})

t.test('toParquet: thousands of reports in several row groups, in their order', async (t) => {
  const reports = Array.from({ length: 10_000 }, (_, seq) => ({ ...FULL, seq, thing: `thing-${seq % 100}` }))
  const bytes = toParquet(reports)
  const rows = await rowsOf(bytes)
  t.same(
    rows.map(({ seq }) => seq),
    reports.map(({ seq }) => seq),
  )
  t.ok(bytes.length < JSON.stringify(reports).length / 5, `${bytes.length} bytes`)
})

t.test('toParquet: no reports make a file without rows', async (t) => {
  t.same(await rowsOf(toParquet([])), [])
})
