import type { Database } from '../db/database.ts'

/** Which horse a device was at. */
export type Assignments = {
  /** Empty: at none, or nobody knows the device. */
  horseAt(thing: string, at: number): string
}

/**
 * Notes which devices have changed horses since it was last asked, and tells where each was when. A report then belongs to the
 * horse that the device was at, also after it was moved, and also when the history is rebuilt.
 * @param now milliseconds since 1970: since when the changes hold
 */
export async function readAssignments({ sql }: Database, now: number): Promise<Assignments> {
  const seen = await sql.selectFrom('assignments_seen').selectAll().orderBy('since').execute()
  const devices = await sql.selectFrom('devices').select(['thing', 'horse_id']).execute()
  const byThing = Map.groupBy(seen, ({ thing }) => thing)
  const changes = devices.flatMap(({ thing, horse_id }) => {
    const last = byThing.get(thing)?.at(-1)
    const horse = horse_id ?? ''
    if (last?.horse_id === horse) return []
    // The first time that a device is seen, it has been there since ever. Two changes at one time are none.
    return [{ thing, horse_id: horse, since: last === undefined ? 0 : Math.max(now, last.since + 1) }]
  })
  for (const change of changes) {
    await sql.insertInto('assignments_seen').values(change).execute()
    byThing.set(change.thing, [...(byThing.get(change.thing) ?? []), change])
  }
  return {
    horseAt: (thing, at) => byThing.get(thing)?.findLast(({ since }) => since <= at)?.horse_id ?? '',
  }
}
