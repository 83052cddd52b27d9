import type { Horse } from '@pesebre/contract/api/horse'
import type { Database } from './db/database.ts'

/** A horse as the API shows it; undefined when there is none, or it was given away. */
export async function readHorse(sql: Database['sql'], id: string): Promise<Horse | undefined> {
  const [horse] = await readHorses(sql, { horse: id })
  return horse
}

/** The horses of a stable by name, or one horse. */
export async function readHorses(
  sql: Database['sql'],
  { stable, horse }: { stable: string; horse?: never } | { horse: string; stable?: never },
): Promise<Horse[]> {
  const rows = await sql
    .selectFrom('horses')
    .leftJoin('devices as feeders', (join) =>
      join.onRef('feeders.horse_id', '=', 'horses.id').on('feeders.kind', '=', 'feeder'),
    )
    .leftJoin('devices as cameras', (join) =>
      join.onRef('cameras.horse_id', '=', 'horses.id').on('cameras.kind', '=', 'camera'),
    )
    .selectAll('horses')
    .select(['feeders.thing as feeder', 'cameras.thing as camera'])
    .where('horses.archived_at', 'is', null)
    .$if(stable !== undefined, (query) => query.where('horses.stable_id', '=', stable!))
    .$if(horse !== undefined, (query) => query.where('horses.id', '=', horse!))
    .orderBy('horses.name')
    .execute()
  return rows.map((row) => ({
    id: row.id,
    stable: row.stable_id,
    name: row.name,
    weightKg: row.weight_kg,
    born: row.born,
    notes: row.notes,
    pictureAt: row.picture_at,
    limits: { mealMaxG: row.meal_max_g, dayMaxG: row.day_max_g },
    feeder: row.feeder,
    camera: row.camera,
    createdAt: row.created_at,
  }))
}
