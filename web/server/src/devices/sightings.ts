import type { Database } from '../db/database.ts'

/** When devices were first and last heard of, by their own word, in the table of devices. */
export type Sightings = {
  /** @param at milliseconds since 1970, of what the device said */
  saw(thing: string, at: number): void
}

export type SightingsOptions = {
  readonly db: Database
  /** A registered device has reported for the first time. */
  readonly onFirst: (thing: string) => void
  readonly onError: (error: unknown) => void
}

/** Later times are written down in such steps, milliseconds: a report is not worth a write. */
const STEP_MS = 3_600_000
const KEPT_MAX = 100_000

export function createSightings({ db, onFirst, onError }: SightingsOptions): Sightings {
  const written = new Map<string, number>()

  async function write(thing: string, at: number): Promise<void> {
    const first = await db.sql
      .updateTable('devices')
      .set({ first_seen_at: at, last_seen_at: at })
      .where('thing', '=', thing)
      .where('first_seen_at', 'is', null)
      .executeTakeFirst()
    if (first.numUpdatedRows > 0n) {
      onFirst(thing)
      return
    }
    await db.sql
      .updateTable('devices')
      .set({ last_seen_at: at })
      .where('thing', '=', thing)
      .where((or) => or.or([or('last_seen_at', 'is', null), or('last_seen_at', '<', at)]))
      .execute()
  }

  return {
    saw(thing, at) {
      if (at < (written.get(thing) ?? Number.NEGATIVE_INFINITY) + STEP_MS) return
      if (written.size >= KEPT_MAX) written.clear()
      written.set(thing, at)
      write(thing, at).catch((error: unknown) => {
        written.delete(thing)
        onError(error)
      })
    },
  }
}
