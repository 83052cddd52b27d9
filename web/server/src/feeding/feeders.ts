import type { Database } from '../db/database.ts'
import type { HorseLimits } from './caps.ts'

/** A horse, and what feeds it. */
export type FedHorse = HorseLimits & {
  readonly id: string
  readonly stable_id: string
  readonly name: string
  /** IANA zone of its stable. */
  readonly zone: string
  /** Thing name; null: nothing feeds it. */
  readonly feeder: string | null
}

/** Undefined: there is no such horse. */
export async function fedHorse({ sql }: Database, horse: string): Promise<FedHorse | undefined> {
  return sql
    .selectFrom('horses')
    .innerJoin('stables', 'stables.id', 'horses.stable_id')
    .leftJoin('devices', (join) =>
      join.onRef('devices.horse_id', '=', 'horses.id').on('devices.kind', '=', 'feeder'),
    )
    .select([
      'horses.id',
      'horses.stable_id',
      'horses.name',
      'horses.weight_kg',
      'horses.meal_max_g',
      'horses.day_max_g',
      'stables.zone',
      'devices.thing as feeder',
    ])
    .where('horses.id', '=', horse)
    .executeTakeFirst()
}

/** Where a device is: its own name, its horse, its stable. */
export type Place = {
  readonly thing: string
  readonly kind: string
  readonly name: string
  readonly horse: { readonly id: string; readonly name: string } | null
  readonly stable: string | null
}

/** Every device that is in use. */
export async function places({ sql }: Database): Promise<Place[]> {
  const rows = await sql
    .selectFrom('devices')
    .leftJoin('horses', 'horses.id', 'devices.horse_id')
    .select([
      'devices.thing',
      'devices.kind',
      'devices.name',
      'horses.id',
      'horses.name as horse',
      'horses.stable_id',
    ])
    .where('devices.state', 'in', ['active', 'disabled'])
    .execute()
  return rows.map(({ thing, kind, name, id, horse, stable_id }) => ({
    thing,
    kind,
    name,
    horse: id === null || horse === null ? null : { id, name: horse },
    stable: stable_id,
  }))
}

/** Remembers where devices are, so that what they say can be told to whom it concerns without asking the database each time. */
export function createPlaces(db: Database, now: () => number, keepMs = 15_000) {
  let known = new Map<string, Place>()
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined

  async function read(): Promise<void> {
    const all = await places(db)
    known = new Map(all.map((place) => [place.thing, place]))
    readAt = now()
  }

  async function all(): Promise<ReadonlyMap<string, Place>> {
    if (now() - readAt > keepMs) {
      reading ??= read().finally(() => {
        reading = undefined
      })
      await reading
    }
    return known
  }

  return {
    all,
    /** Undefined: not registered here. */
    of: async (thing: string): Promise<Place | undefined> => (await all()).get(thing),
    forget(): void {
      readAt = Number.NEGATIVE_INFINITY
    },
  }
}
export type Places = ReturnType<typeof createPlaces>
