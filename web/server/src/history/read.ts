import type { History, HistoryFields, Resolution } from '@pesebre/contract/api/history'
import { HOUR_MS } from '@pesebre/contract/archive'
import { sql } from 'kysely'
import type { Database } from '../db/database.ts'
import { type LocalDays, localDays } from './days.ts'
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
  const chosen = raw === undefined && bucketMs < HOUR_MS ? 'hour' : resolution
  const shortest = Math.max(bucketMs, raw === undefined ? HOUR_MS : 0)
  const days = chosen === 'day' ? localDays(question.zone, hoursOf(asked)) : undefined
  const { samples, heard } = raw ?? (await readHours(db.sql, asked, { days, shortest }))
  const startOf = days?.startOf ?? ((at: number): number => Math.floor(at / shortest) * shortest)
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
/** Days, where a point is one; and how long a gap must be to be shown, milliseconds. */
type Scale = { days: LocalDays | undefined; shortest: number }

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

/** Hours, or whole days that the database adds up: a year has 8,760 hours, and nobody should wait for so many rows. */
async function readHours(db: Database['sql'], question: HistoryQuestion, scale: Scale): Promise<Read> {
  const { horse, field, thing } = question
  const series = await db
    .selectFrom('series')
    .select(['id', 'thing', 'field'])
    .where('horse_id', '=', horse)
    .where('field', 'in', [field, PRESENCE])
    .$if(thing !== undefined, (query) => query.where('thing', '=', thing!))
    .execute()
  const measured = series.filter((one) => one.field === field)
  const things = new Set(measured.map((one) => one.thing))
  // A camera that goes on reporting hides no gap of the feeder.
  const heardOf = series.filter((one) => one.field === PRESENCE && things.has(one.thing))
  const span = hoursOf(question)
  const parts = scale.days?.parts ?? [span]
  const samples: Sample[] = []
  for (const { id } of measured) for (const part of parts) samples.push(...(await readSums(db, id, part)))
  const heard: Heard[] = []
  for (const { id } of heardOf) heard.push(...(await readRuns(db, { id, ...span, shortest: scale.shortest })))
  heard.sort((one, other) => one.at - other.at)
  return { samples, heard }
}

/** From the beginning of the first hour. */
function hoursOf({ from, to }: HistoryQuestion): { from: number; to: number } {
  return { from: Math.floor(from / HOUR_MS) * HOUR_MS, to }
}

/** `offsetMs`: they are added up to days that are so far from those of UTC. */
type Hours = { from: number; to: number; offsetMs?: number }

/** Roll-ups of one series, added up. What a bucket held last stands in the hour in which it was reported. */
async function readSums(db: Database['sql'], id: number, { from, to, offsetMs }: Hours): Promise<Sample[]> {
  const hours = db
    .selectFrom('roll_ups')
    .where('series_id', '=', id)
    .where('hour', '>=', from)
    .where('hour', '<', to)
  if (offsetMs === undefined)
    return hours
      .select(['hour as at', 'min', 'max', 'sum', 'count', 'last', 'last_at'])
      .orderBy('hour')
      .execute()
  const sums = await hours
    .select((eb) => [
      eb.fn.min('hour').as('at'),
      eb.fn.min('min').as('min'),
      eb.fn.max('max').as('max'),
      eb.fn.sum<number>('sum').as('sum'),
      eb.fn.sum<number>('count').as('count'),
      eb.fn.max('last_at').as('last_at'),
    ])
    .groupBy(sql`(hour + ${sql.lit(offsetMs)}) - (hour + ${sql.lit(offsetMs)}) % ${sql.lit(24 * HOUR_MS)}`)
    .orderBy('at')
    .execute()
  const lastHours = sums.map(({ last_at }) => Math.floor(last_at / HOUR_MS) * HOUR_MS)
  if (lastHours.length === 0) return []
  const lasts = await hours.select(['hour', 'last']).where('hour', 'in', lastHours).execute()
  const lastOf = new Map(lasts.map(({ hour, last }) => [hour, last]))
  return sums.map((row, i) => ({ ...row, count: Number(row.count), last: lastOf.get(lastHours[i]!)! }))
}

type Runs = { id: number; from: number; to: number; shortest: number }

/** Reports of one device in runs without a gap that would be shown: the database finds the few hours after which there is one. */
async function readRuns(db: Database['sql'], { id, from, to, shortest }: Runs): Promise<Heard[]> {
  const hours = db
    .selectFrom('roll_ups')
    .where('series_id', '=', id)
    .where('hour', '>=', from)
    .where('hour', '<', to)
  const first = await hours.select('hour').orderBy('hour').limit(1).executeTakeFirst()
  const ends = await db
    .with('followed', () =>
      hours.select(['hour', 'last_at', 'last']).select((eb) =>
        eb.fn
          .agg<number | null>('lead', ['hour'])
          .over((over) => over.orderBy('hour'))
          .as('next'),
      ),
    )
    .selectFrom('followed')
    .selectAll()
    .where((eb) => eb.or([eb('next', 'is', null), eb(eb('next', '-', eb.ref('last_at')), '>=', shortest)]))
    .orderBy('hour')
    .execute()
  let at = first?.hour ?? 0
  return ends.map(({ last_at, last, next }) => {
    const run = { at, last: last_at, interval_s: last }
    at = next ?? at
    return run
  })
}
