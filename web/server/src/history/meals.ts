import type { ScheduleSlot } from '@pesebre/contract/check-in'
import type { KeptMeal, KeptWord } from '@pesebre/contract/control'
import type { ReportedMeal } from '@pesebre/contract/report'
import type { Insertable, Transaction } from 'kysely'
import type { Database } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { mealRow } from '../feeding/meals.ts'
import { openSchedules } from '../feeding/schedules.ts'
import { isEnded, isSettled } from '../feeding/timeline.ts'
import type { Assignments } from './assignments.ts'
import type { ArchivedReport } from './parquet.ts'

/**
 * Meals of the schedule, out of the archive into the ledger. A control shadow holds the last MEALS_KEPT of them: of a feeder that was out of
 * coverage for days, or while this server was down, the others are told of in the archive alone. Which word comes first does not
 * matter: a meal is in the ledger once.
 */
export type MealOf = { readonly thing: string; readonly occurrence: number }

type Row = Insertable<Tables['feeds']>

/** Rows for those meals that reports tell the end of and the ledger does not have. Only registered feeders have a ledger. */
export async function mealsToTake(
  db: Database,
  reports: readonly ArchivedReport[],
  assignments: Assignments,
): Promise<Row[]> {
  const rows: Row[] = []
  const speaking = reports.filter(({ outcomes }) => outcomes.length > 0)
  for (const [thing, of] of Map.groupBy(speaking, (report) => report.thing)) {
    const meals = endsOf(of)
    if (meals.length === 0 || !(await isFeeder(db, thing))) continue
    const known = await inLedger(db, thing, meals)
    const news = meals.filter(({ occurrence }) => !known.has(occurrence))
    if (news.length === 0) continue
    const schedules = await openSchedules(db).of(thing)
    for (const meal of news) {
      const schedule: readonly ScheduleSlot[] =
        schedules.findLast(({ since }) => since <= meal.at)?.schedule ?? []
      const config = { version: 0, schedule: [...schedule] }
      const row = mealRow({ thing, meal, config, before: undefined })
      rows.push({ ...row, ...(await placeOf(db, assignments.horseAt(thing, meal.at))) })
    }
  }
  return rows
}

/** Writes them, in the transaction in which their object comes into the index. Returns those that nobody else has written meanwhile. */
export async function insertMeals(
  tx: Transaction<Tables>,
  flavor: Database['flavor'],
  rows: readonly Row[],
): Promise<MealOf[]> {
  const written: MealOf[] = []
  for (const row of rows) {
    const insert = tx.insertInto('feeds').values(row)
    const { numInsertedOrUpdatedRows = 0n } = await (flavor === 'sqlite'
      ? insert.onConflict((on) => on.doNothing())
      : insert.ignore()
    ).executeTakeFirst()
    if (numInsertedOrUpdatedRows > 0n) written.push({ thing: row.thing, occurrence: Number(row.occurrence) })
  }
  return written
}

/** The end of each meal: what moved the motor outranks what did not, then the first report that said so stands. */
function endsOf(reports: readonly ArchivedReport[]): KeptMeal[] {
  const ends = new Map<number, KeptMeal>()
  for (const { seq, outcomes } of reports.toSorted((a, b) => a.seq - b.seq)) {
    for (const outcome of outcomes) {
      if (!('occurrence' in outcome) || !isEnded(outcome.state)) continue
      const held = ends.get(outcome.occurrence)
      if (held === undefined || (isMotor(outcome) && !isMotor(held)))
        ends.set(outcome.occurrence, { ...(outcome as ReportedMeal & KeptWord), seq })
    }
  }
  return [...ends.values()]
}

function isMotor({ state }: KeptWord | ReportedMeal): boolean {
  return isSettled({ state, reason: null })
}

async function isFeeder({ sql }: Database, thing: string): Promise<boolean> {
  const row = await sql.selectFrom('devices').select('kind').where('thing', '=', thing).executeTakeFirst()
  return row?.kind === 'feeder'
}

async function inLedger({ sql }: Database, thing: string, meals: readonly KeptMeal[]): Promise<Set<number>> {
  const occurrences = meals.map(({ occurrence }) => occurrence)
  const rows = await sql
    .selectFrom('feeds')
    .select('occurrence')
    .where('thing', '=', thing)
    .where('source', '=', 'schedule')
    .where('occurrence', 'in', occurrences)
    .execute()
  return new Set(rows.map(({ occurrence }) => Number(occurrence)))
}

/** The horse that the feeder was at; a horse that is gone has no ledger. */
async function placeOf(
  { sql }: Database,
  horse: string,
): Promise<{ horse_id: string | null; stable_id: string | null }> {
  const row = await sql
    .selectFrom('horses')
    .select(['id', 'stable_id'])
    .where('id', '=', horse)
    .executeTakeFirst()
  return { horse_id: row?.id ?? null, stable_id: row?.stable_id ?? null }
}
