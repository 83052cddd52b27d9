import { HOUR_MS } from '@pesebre/contract/archive'
import type { Transaction } from 'kysely'
import type { Flavor } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { numberOf } from './fields.ts'
import type { Fields } from './rules.ts'
import { CHUNK_ROWS, upsert } from './upsert.ts'

/** Fields of a thing that are kept by the hour; what a device makes up beyond that is left out. */
export const SERIES_MAX = 256
/** The series of the reports themselves: how many came, when the last one did, and what interval it promised. */
export const PRESENCE = ''

/** One report, as the rules left it. */
export type Measured = {
  readonly thing: string
  /** Empty: at no horse. */
  readonly horse: string
  readonly at: number
  readonly interval_s: number | null
  readonly fields: Fields
}

type Hour = { min: number; max: number; sum: number; count: number; last: number; last_at: number }
type Series = { thing: string; horse: string; field: string; hours: Map<number, Hour> }

/** Adds up reports by thing, horse, field and hour, and writes them on top of what the database has. */
export function createRollUps(): {
  add(report: Measured): void
  write(tx: Transaction<Tables>, flavor: Flavor): Promise<void>
} {
  const all = new Map<string, Series>()

  function add({ thing, horse, at, interval_s, fields }: Measured): void {
    put(seriesOf(thing, horse, PRESENCE), at, interval_s ?? 0)
    for (const [field, value] of Object.entries(fields)) {
      const number = numberOf(value)
      if (number !== undefined) put(seriesOf(thing, horse, field), at, number)
    }
  }

  function seriesOf(thing: string, horse: string, field: string): Series {
    const key = keyOf(thing, horse, field)
    let series = all.get(key)
    if (series === undefined) {
      series = { thing, horse, field, hours: new Map() }
      all.set(key, series)
    }
    return series
  }

  async function write(tx: Transaction<Tables>, flavor: Flavor): Promise<void> {
    const ids = await seriesIds(tx, [...all.values()])
    const rows = [...all].flatMap(([key, { hours }]) => {
      const series_id = ids.get(key)
      return series_id === undefined
        ? []
        : [...hours].map(([hour, values]) => ({ series_id, hour, ...values }))
    })
    await upsert(tx, flavor, {
      table: 'roll_ups',
      keys: ['series_id', 'hour'],
      rows,
      merges: {
        min: 'least',
        max: 'greatest',
        sum: 'sum',
        count: 'sum',
        last: { newerBy: 'last_at' },
        last_at: 'greatest',
      },
    })
  }

  return { add, write }
}

function put({ hours }: Series, at: number, value: number): void {
  const start = Math.floor(at / HOUR_MS) * HOUR_MS
  const hour = hours.get(start)
  if (hour === undefined) {
    hours.set(start, { min: value, max: value, sum: value, count: 1, last: value, last_at: at })
    return
  }
  hour.min = Math.min(hour.min, value)
  hour.max = Math.max(hour.max, value)
  hour.sum += value
  hour.count++
  if (at >= hour.last_at) {
    hour.last = value
    hour.last_at = at
  }
}

/** Ids of series by their key, made where they are missing. */
async function seriesIds(tx: Transaction<Tables>, wanted: Series[]): Promise<Map<string, number>> {
  const things = [...new Set(wanted.map(({ thing }) => thing))]
  const ids = await read(things)
  const counts = new Map<string, number>()
  for (const key of ids.keys()) {
    const thing = key.slice(0, key.indexOf('\n'))
    counts.set(thing, (counts.get(thing) ?? 0) + 1)
  }
  const missing = wanted.filter(({ thing, horse, field }) => {
    if (ids.has(keyOf(thing, horse, field))) return false
    const count = counts.get(thing) ?? 0
    counts.set(thing, count + 1)
    return count < SERIES_MAX
  })
  for (let from = 0; from < missing.length; from += CHUNK_ROWS) {
    const chunk = missing.slice(from, from + CHUNK_ROWS)
    await tx
      .insertInto('series')
      .values(chunk.map(({ thing, horse, field }) => ({ thing, horse_id: horse, field })))
      .execute()
  }
  return missing.length > 0 ? read(things) : ids

  async function read(of: string[]): Promise<Map<string, number>> {
    const found = new Map<string, number>()
    for (let from = 0; from < of.length; from += CHUNK_ROWS) {
      const chunk = of.slice(from, from + CHUNK_ROWS)
      const rows = await tx.selectFrom('series').selectAll().where('thing', 'in', chunk).execute()
      for (const { id, thing, horse_id, field } of rows) found.set(keyOf(thing, horse_id, field), id)
    }
    return found
  }
}

/** None of the three can hold a line break. */
function keyOf(thing: string, horse: string, field: string): string {
  return `${thing}\n${horse}\n${field}`
}
