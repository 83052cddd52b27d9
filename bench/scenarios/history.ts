import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { Report } from '@pesebre/contract/report'
import { toParquet } from '../../gateway/src/archive/parquet.ts'
import { type Database, openDatabase } from '../../web/server/src/db/database.ts'
import { readArchived } from '../../web/server/src/history/parquet.ts'
import { readHistory } from '../../web/server/src/history/read.ts'
import { STANDARD_RULES } from '../../web/server/src/history/rules.ts'
import { takeObject } from '../../web/server/src/history/take.ts'
import type { Findings } from '../figures.ts'
import { type Plan, progress } from '../plan.ts'
import { BUILD } from '../processes.ts'

const FEEDERS = 100
const FIELDS = ['hopper_pct', 'battery_mv', 'temp_c', 'rssi_dbm', 'fed_g_today', 'wakes']
const HOUR = 3_600_000
const DAY = 24 * HOUR
const INTERVAL_S = 300
const SPANS: [name: string, ms: number][] = [
  ['a day', DAY],
  ['a week', 7 * DAY],
  ['a month', 31 * DAY],
  ['a year', 365 * DAY],
]
const ASKED = 100
const OBJECTS = 20
const OBJECT_REPORTS = 2000

/** Charts out of a year of 100 feeders, and how fast the archive comes into the database. */
export async function history(plan: Plan): Promise<Findings> {
  const dir = join(BUILD, 'history')
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  try {
    return await measure(join(dir, 'history.sqlite'), plan)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function measure(path: string, plan: Plan): Promise<Findings> {
  const now = Math.floor(Date.now() / HOUR) * HOUR
  const db = await openDatabase(path)
  progress(`a year of ${FEEDERS} feeders ...`)
  fill(db.file!, now)
  const medians = new Map<string, number[]>()
  const slowest = new Map<string, number[]>()
  const naive: number[] = []
  const rates: number[] = []
  for (let round = 0; round < plan.rounds; round++) {
    for (const [name, span] of SPANS) {
      const times: number[] = []
      for (let i = 0; i < ASKED; i++) times.push(await ask(db, (i * 37 + round) % FEEDERS, [now - span, now]))
      times.sort((a, b) => a - b)
      put(medians, name, times[ASKED / 2]!)
      put(slowest, name, times[ASKED - 1]!)
    }
    naive.push(scan(db.file!, round % FEEDERS, now))
    rates.push(await index(db, round, now))
  }
  const bytes = statSync(path).size
  await db.close()
  return {
    name: 'history',
    title: 'History',
    how:
      `${FEEDERS} feeders, a report each ${INTERVAL_S} s, ${FIELDS.length} fields: hours of a year and raw rows of 30 days in one SQLite ` +
      `file of ${(bytes / 1e6).toFixed(0)} MB, as the index leaves them. ${ASKED} questions for one field of one horse after the other, each of ` +
      'another feeder; the answer is made to its last point. The peer is what one does without roll-ups and index: a scan of all raw rows, ' +
      'with the database taking the JSON apart; it has 30 days to scan, a twelfth of the year.',
    rows: [
      ...SPANS.map(([name]) => ({ what: `${name}: median`, unit: 'ms', values: medians.get(name)! })),
      ...SPANS.map(([name]) => ({
        what: `${name}: slowest of ${ASKED}`,
        unit: 'ms',
        values: slowest.get(name)!,
      })),
      { what: 'peer: 30 days by a full scan', unit: 'ms', values: naive },
      { what: 'archive into the database', unit: 'reports/s', values: rates },
    ],
    goals: [
      {
        what: `a year: slowest of ${ASKED}`,
        unit: 'ms',
        values: slowest.get('a year')!,
        at: 'most',
        target: 100,
      },
    ],
    notes: [
      `The last row: objects of ${OBJECT_REPORTS} Parquet rows read, their reports looked up, and written in one transaction each, on top of that database.`,
    ],
  }
}

async function ask(db: Database, feeder: number, [from, to]: [number, number]): Promise<number> {
  const began = performance.now()
  const question = {
    horse: horseOf(feeder),
    field: FIELDS[feeder % FIELDS.length]!,
    from,
    to,
    zone: 'Europe/Madrid',
  }
  const { points } = await readHistory(db, question, to)
  JSON.stringify(points)
  const took = performance.now() - began
  if (points.at.length < 100) throw new Error(`Cannot measure the history: ${points.at.length} points only`)
  return took
}

function scan(file: DatabaseSync, feeder: number, now: number): number {
  const began = performance.now()
  const rows = file
    .prepare(
      `select at / ${HOUR} as hour, min(json_extract(state, '$.hopper_pct')), max(json_extract(state, '$.hopper_pct')),
       avg(json_extract(state, '$.hopper_pct')) from raw_rows not indexed where horse_id = ? and at < ? group by hour`,
    )
    .all(horseOf(feeder), now)
  if (rows.length < 700) throw new Error('Cannot measure the full scan: no rows')
  return performance.now() - began
}

/** Reports a second that come from Parquet into the tables. */
async function index(db: Database, round: number, now: number): Promise<number> {
  const objects = Array.from({ length: OBJECTS }, (_, i) => {
    const reports = Array.from({ length: OBJECT_REPORTS }, (_, j): Report => {
      const at = now + (round * OBJECTS + i) * 60_000 + j
      const state = Object.fromEntries(FIELDS.map((field, k) => [field, (j * k) % 100]))
      const thing = thingOf(j % FEEDERS)
      return { thing, type: 'feeder', seq: at, at, received: at, state, link: { interval_s: INTERVAL_S } }
    })
    return toParquet(reports)
  })
  const assignments = { horseAt: (thing: string) => horseOf(Number.parseInt(thing.slice(7), 16)) }
  const settings = { db, rules: STANDARD_RULES, assignments, now: () => now }
  const began = performance.now()
  for (const [i, bytes] of objects.entries()) {
    const reports = await readArchived(bytes)
    const taking = {
      key: `bench/${round}/${i}`,
      gateway: 'a',
      reports,
      isRecent: true,
      known: new Set<string>(),
    }
    await takeObject(taking, settings)
  }
  return (OBJECTS * OBJECT_REPORTS * 1000) / (performance.now() - began)
}

/** What a year of reports leaves in the tables. Written by SQLite itself: the index would need half an hour for it. */
function fill(file: DatabaseSync, now: number): void {
  file.exec('PRAGMA synchronous = OFF; BEGIN')
  const series = file.prepare('insert into series (id, thing, horse_id, field) values (?, ?, ?, ?)')
  let id = 0
  for (let feeder = 0; feeder < FEEDERS; feeder++)
    for (const field of ['', ...FIELDS]) series.run(++id, thingOf(feeder), horseOf(feeder), field)
  file.exec(`
    with recursive hours(hour) as (select ${now - 365 * DAY} union all select hour + ${HOUR} from hours where hour < ${now - HOUR})
    insert into roll_ups (series_id, hour, min, max, sum, count, last, last_at)
    select id, hour, 10, 20, 180, 12, case field when '' then ${INTERVAL_S} else 15 + (hour / ${HOUR}) % 24 end, hour + ${HOUR - 60_000}
    from series, hours order by id, hour`)
  file.exec(`
    with recursive times(at) as (select ${now - 30 * DAY} union all select at + ${INTERVAL_S * 1000} from times where at < ${now - INTERVAL_S * 1000})
    insert into raw_rows (thing, seq, at, received, horse_id, interval_s, state)
    select thing, at, at, at, horse_id, ${INTERVAL_S},
      '{"hopper_pct":' || (at / 300000 % 100) || ',"battery_mv":3710,"temp_c":12.5,"rssi_dbm":-67,"fed_g_today":1500,"wakes":' || (at / 300000) || '}'
    from series, times where field = ''`)
  file.exec('COMMIT; PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)')
}

function thingOf(feeder: number): string {
  return `feeder-${feeder.toString(16).padStart(8, '0')}`
}

function horseOf(feeder: number): string {
  return `hrs_${String(feeder).padStart(16, 'a')}`
}

function put(map: Map<string, number[]>, name: string, value: number): void {
  map.set(name, [...(map.get(name) ?? []), value])
}
