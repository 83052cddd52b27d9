import type { ScheduleSlot } from '@pesebre/contract/check-in'
import type { Control } from '@pesebre/contract/control'
import { type Database, isDuplicate } from '../db/database.ts'
import type { ScheduleSince } from './day.ts'

/** Since when each feeder was wanted to feed by which schedule, in the database: what was planned for a day stays known. */
export function openSchedules(db: Database) {
  /** The newest version that is known to be written down, by thing. */
  const noted = new Map<string, number>()

  /** Writes down a schedule that came about elsewhere: from the command line, or when this server was about to stop. */
  async function note(thing: string, { desired }: Control, now: number): Promise<void> {
    const { version, zone = 'UTC', schedule = [] } = desired.config ?? {}
    if (version === undefined || (noted.get(thing) ?? -1) >= version) return
    const last = await db.sql
      .selectFrom('schedules')
      .select(['version', 'zone', 'slots'])
      .where('thing', '=', thing)
      .orderBy('version', 'desc')
      .limit(1)
      .executeTakeFirst()
    const slots = slotsOf(schedule)
    const isKnown =
      last === undefined ? schedule.length === 0 : last.zone === zone && sameSlots(last.slots, slots)
    if (!isKnown && (last?.version ?? -1) < version) {
      try {
        await db.sql
          .insertInto('schedules')
          .values({ thing, version, zone, slots, created_at: now })
          .execute()
      } catch (error) {
        // Another server has just written the same.
        if (!isDuplicate(error)) throw error
      }
    }
    noted.set(thing, version)
  }

  /** The oldest first. */
  async function of(thing: string): Promise<ScheduleSince[]> {
    const rows = await db.sql
      .selectFrom('schedules')
      .select(['zone', 'slots', 'created_at'])
      .where('thing', '=', thing)
      .orderBy('version')
      .execute()
    return rows.map(({ zone, slots, created_at }) => ({
      zone,
      schedule: (JSON.parse(slots) as { minute: number; grams: number; days: number }[]).map(
        ({ minute, grams, days }): ScheduleSlot => [minute, grams, days],
      ),
      since: created_at,
    }))
  }

  return { note, of }
}

export type Schedules = ReturnType<typeof openSchedules>

function slotsOf(schedule: readonly ScheduleSlot[]): string {
  return JSON.stringify(schedule.map(([minute, grams, days]) => ({ minute, grams, days })))
}

/** Whether both have the same meals, in whatever order. */
function sameSlots(a: string, b: string): boolean {
  const sorted = (text: string): string =>
    JSON.stringify((JSON.parse(text) as object[]).map((slot) => JSON.stringify(slot)).sort())
  return sorted(a) === sorted(b)
}
