import type { History, HistoryFields, Resolution } from '@pesebre/contract/api/history'
import { HOUR_MS } from '@pesebre/contract/archive'
import { DAY_MINUTES, instantOf, localMinute } from '@pesebre/contract/wall-clock'
import type { Database } from '../db/database.ts'
import { numberOf } from './fields.ts'
import { rawSince } from './indexer.ts'
import { findGaps, gather, type Heard, type Sample, toPoints } from './points.ts'
import { PRESENCE } from './roll-ups.ts'
import type { Fields } from './rules.ts'

export type HistoryQuestion = {
  horse: string
  field: string
  /** Milliseconds since 1970: included, excluded. */
  from: number
  to: number
  /** IANA zone of the days. */
  zone: string
  /** One device alone. */
  thing?: string | undefined
}

const MINUTE_MS = 60_000
/** Spans up to which a resolution is chosen: some 750 points each. */
const SPANS: readonly [Resolution, spanMs: number, bucketMs: number][] = [
  ['minute', 12.5 * HOUR_MS, MINUTE_MS],
  ['five-minutes', 62 * HOUR_MS, 5 * MINUTE_MS],
  ['hour', 32 * 24 * HOUR_MS, HOUR_MS],
  ['day', Number.POSITIVE_INFINITY, 24 * HOUR_MS],
]
/** Raw rows that one question may read; for more, hours have to do. */
const RAW_ROWS_MAX = 20_000

/** Answers what a field was over a time. `now`: milliseconds since 1970. */
export async function readHistory(db: Database, question: HistoryQuestion, now: number): Promise<History> {
  const to = Math.min(question.to, now)
  const asked = { ...question, to }
  const [resolution, , bucketMs] = SPANS.find(([, span]) => to - question.from <= span)!
  const raw = bucketMs < HOUR_MS && question.from >= rawSince(now) ? await readRaw(db, asked) : undefined
  const { samples, heard } = raw ?? (await readHours(db, asked))
  const chosen = raw === undefined && bucketMs < HOUR_MS ? 'hour' : resolution
  const shortest = chosen === 'hour' ? HOUR_MS : bucketMs
  const startOf =
    chosen === 'day' ? dayStarts(asked) : (at: number): number => Math.floor(at / shortest) * shortest
  const gaps = findGaps(heard, { from: question.from, to, now, shortest })
  return {
    field: question.field,
    from: question.from,
    to,
    resolution: chosen,
    points: toPoints(gather(samples, startOf), gaps),
    gaps,
    indexed: await newestReport(db),
  }
}

/** Fields of a horse that can be asked for. */
export async function readFields(db: Database, horse: string): Promise<HistoryFields> {
  const rows = await db.sql
    .selectFrom('series')
    .innerJoin('roll_ups', 'roll_ups.series_id', 'series.id')
    .select('field')
    .select((eb) => [eb.fn.min('roll_ups.hour').as('from'), eb.fn.max('roll_ups.last_at').as('to')])
    .where('horse_id', '=', horse)
    .where('field', '!=', PRESENCE)
    .groupBy('field')
    .orderBy('field')
    .execute()
  return rows
}

/** When the newest report was taken that the index has; null when it has none. */
async function newestReport({ sql }: Database): Promise<number | null> {
  const row = await sql
    .selectFrom('thing_numbers')
    .select((eb) => eb.fn.max('received').as('newest'))
    .executeTakeFirst()
  return row?.newest ?? null
}

type Read = { samples: Sample[]; heard: Heard[] }

/** Undefined when there is too much of it. */
async function readRaw({ sql }: Database, question: HistoryQuestion): Promise<Read | undefined> {
  const { horse, field, from, to, thing } = question
  const rows = await sql
    .selectFrom('raw_rows')
    .select(['thing', 'at', 'interval_s', 'state'])
    .where('horse_id', '=', horse)
    .where('at', '>=', from)
    .where('at', '<', to)
    .$if(thing !== undefined, (query) => query.where('thing', '=', thing!))
    .orderBy('at')
    .limit(RAW_ROWS_MAX + 1)
    .execute()
  if (rows.length > RAW_ROWS_MAX) return undefined
  const samples: Sample[] = []
  const things = new Set<string>()
  for (const { thing: of, at, state } of rows) {
    const fields = JSON.parse(state) as Fields
    const value = Object.hasOwn(fields, field) ? numberOf(fields[field]) : undefined
    if (value === undefined) continue
    things.add(of)
    samples.push({ at, min: value, max: value, sum: value, count: 1, last: value, last_at: at })
  }
  // A camera that goes on reporting hides no gap of the feeder.
  const heard = rows
    .filter((row) => things.has(row.thing))
    .map(({ at, interval_s }) => ({ at, last: at, interval_s: interval_s ?? 0 }))
  return { samples, heard }
}

async function readHours({ sql }: Database, question: HistoryQuestion): Promise<Read> {
  const { horse, field, from, to, thing } = question
  const series = await sql
    .selectFrom('series')
    .select(['id', 'thing', 'field'])
    .where('horse_id', '=', horse)
    .where('field', 'in', [field, PRESENCE])
    .$if(thing !== undefined, (query) => query.where('thing', '=', thing!))
    .execute()
  const things = new Set(series.filter((one) => one.field === field).map((one) => one.thing))
  const samples: Sample[] = []
  const heard: Heard[] = []
  for (const { id, thing: of, field: name } of series) {
    if (!things.has(of)) continue
    const rows = await sql
      .selectFrom('roll_ups')
      .select(['hour as at', 'min', 'max', 'sum', 'count', 'last', 'last_at'])
      .where('series_id', '=', id)
      .where('hour', '>=', Math.floor(from / HOUR_MS) * HOUR_MS)
      .where('hour', '<', to)
      .orderBy('hour')
      .execute()
    if (name === field) samples.push(...rows)
    else heard.push(...rows.map(({ at, last_at, last }) => ({ at, last: last_at, interval_s: last })))
  }
  if (things.size > 1) heard.sort((a, b) => a.at - b.at)
  return { samples, heard }
}

/** Where the local day of a time begins. */
function dayStarts({ from, to, zone }: HistoryQuestion): (at: number) => number {
  const starts: number[] = []
  const firstDay = Math.floor(localMinute(zone, Math.floor(from / HOUR_MS) * HOUR_MS) / DAY_MINUTES)
  for (let day = firstDay; ; day++) {
    const start = instantOf(zone, day * DAY_MINUTES)
    if (start >= to) break
    starts.push(start)
  }
  let day = 0
  return (at) => {
    if (starts[day]! > at) day = 0
    while (day + 1 < starts.length && starts[day + 1]! <= at) day++
    return starts[day] ?? at
  }
}
