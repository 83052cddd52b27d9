import type { Transaction } from 'kysely'
import { type Database, isDuplicate } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Assignments } from './assignments.ts'
import { flatten } from './fields.ts'
import { insertMeals, type MealOf, mealsToTake } from './meals.ts'
import type { ArchivedReport } from './parquet.ts'
import { createRollUps, type Measured } from './roll-ups.ts'
import { applyRules, type Rule } from './rules.ts'
import { CHUNK_ROWS, upsert } from './upsert.ts'

/** An object of the archive on its way into the database. */
export type Taking = {
  readonly key: string
  readonly gateway: string
  readonly reports: readonly ArchivedReport[]
  /** Whether its reports are kept as raw rows, and known from them. */
  readonly isRecent: boolean
  /** Reports that are in the index already, where raw rows cannot tell: by keyOf. */
  readonly known: ReadonlySet<string>
}

export type TakeSettings = {
  db: Database
  rules: readonly Rule[]
  assignments: Assignments
  now: () => number
}

/** What has become of it. */
export type Taken = {
  /** Reports that were not in the index before. */
  readonly rows: number
  /** Things that they are of. */
  readonly things: readonly string[]
  /** Meals that the ledger did not have. */
  readonly meals: readonly MealOf[]
}

type Kept = ArchivedReport & Measured

/** The key by which repeats are known. */
export function keyOf({ thing, seq }: { thing: string; seq: number }): string {
  return `${thing}\n${seq}`
}

/** Brings one object into the database, all of it or nothing. Undefined when somebody else has done so meanwhile. */
export async function takeObject(taking: Taking, settings: TakeSettings): Promise<Taken | undefined> {
  const { db, rules, assignments, now } = settings
  const fresh = new Map<string, Kept>()
  for (const report of taking.reports) {
    const key = keyOf(report)
    if (taking.known.has(key) || fresh.has(key)) continue
    const ruled = applyRules(rules, report, flatten(report.state))
    if (ruled === undefined) continue
    const horse = ruled.addHorse ? assignments.horseAt(report.thing, report.at) : ''
    fresh.set(key, { ...report, fields: ruled.fields, horse })
  }
  const told = await mealsToTake(db, taking.reports, assignments)
  try {
    return await db.write(async (tx) => {
      const entry = { object: taking.key, rows_taken: 0, done_at: now() }
      await tx.insertInto('archive_index').values(entry).execute()
      const meals = await insertMeals(tx, db.flavor, told)
      const left = new Map(fresh)
      if (taking.isRecent) for (const key of await present(tx, [...left.values()])) left.delete(key)
      const reports = [...left.values()]
      if (reports.length === 0) return { rows: 0, things: [], meals }
      if (taking.isRecent) await insertRaw(tx, reports)
      const rollUps = createRollUps()
      for (const report of reports) rollUps.add(report)
      await rollUps.write(tx, db.flavor)
      await count(tx, db.flavor, { reports, gateway: taking.gateway })
      await tx
        .updateTable('archive_index')
        .set({ rows_taken: reports.length })
        .where('object', '=', taking.key)
        .execute()
      return { rows: reports.length, things: [...new Set(reports.map(({ thing }) => thing))], meals }
    })
  } catch (error) {
    if (isDuplicate(error)) return undefined
    throw error
  }
}

/** Keys of those reports that are among the raw rows. */
async function present(tx: Transaction<Tables>, reports: readonly Kept[]): Promise<string[]> {
  const found: string[] = []
  for (const [thing, of] of Map.groupBy(reports, ({ thing }) => thing)) {
    for (let from = 0; from < of.length; from += CHUNK_ROWS) {
      const seqs = of.slice(from, from + CHUNK_ROWS).map(({ seq }) => seq)
      const rows = await tx
        .selectFrom('raw_rows')
        .select(['thing', 'seq'])
        .where('thing', '=', thing)
        .where('seq', 'in', seqs)
        .execute()
      found.push(...rows.map(keyOf))
    }
  }
  return found
}

async function insertRaw(tx: Transaction<Tables>, reports: readonly Kept[]): Promise<void> {
  const rows = reports.map(({ thing, seq, at, received, horse, interval_s, fields }) => ({
    thing,
    seq,
    at,
    received,
    horse_id: horse,
    interval_s,
    state: JSON.stringify(fields),
  }))
  for (let from = 0; from < rows.length; from += CHUNK_ROWS)
    await tx
      .insertInto('raw_rows')
      .values(rows.slice(from, from + CHUNK_ROWS))
      .execute()
}

async function count(
  tx: Transaction<Tables>,
  flavor: Database['flavor'],
  { reports, gateway }: { reports: readonly Kept[]; gateway: string },
): Promise<void> {
  const rows = [...Map.groupBy(reports, ({ thing }) => thing)].map(([thing, of]) => {
    const newest = of.reduce((one, other) => (other.seq >= one.seq ? other : one))
    const { type, seq, at, received, fields } = newest
    return { thing, type, reports: of.length, seq, received, gateway, state: JSON.stringify(fields), at }
  })
  await upsert(tx, flavor, {
    table: 'thing_numbers',
    keys: ['thing'],
    rows,
    merges: {
      reports: 'sum',
      type: { newerBy: 'seq' },
      at: { newerBy: 'seq' },
      received: { newerBy: 'seq' },
      gateway: { newerBy: 'seq' },
      state: { newerBy: 'seq' },
      seq: 'greatest',
    },
  })
}
