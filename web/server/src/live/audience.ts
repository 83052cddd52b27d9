import type { Watch } from '@pesebre/contract/api/live'
import { allows } from '../access.ts'
import type { SignedIn } from '../auth/sessions.ts'
import type { Database } from '../db/database.ts'

/** What a reader may be told, of what they wish to be told. */
export type Granted = {
  /** Keys of the hub. */
  readonly audiences: ReadonlySet<string>
  /** Things whose state they hear, and the stable of each that has one. */
  readonly things: ReadonlyMap<string, string | null>
  /** What was asked for and is not theirs, or is nothing. */
  readonly refused: readonly string[]
}

export const FLEET = 'fleet'
export const HOPS_PAGE = 'hops'

export function stableKey(stable: string): string {
  return `stable:${stable}`
}

export function thingKey(thing: string): string {
  return `thing:${thing}`
}

/** Decides by the same table as the routes. Three queries, however much is watched. */
export async function grant(db: Database, user: SignedIn, { watch }: Watch): Promise<Granted> {
  const isAdmin = user.role === 'admin'
  const stables = new Set(watch.stables ?? [])
  const asked = new Set(watch.things ?? [])
  const readable = await readableStables(db, user)
  const places = await placesOf(db, { stables: [...stables], things: [...asked] })

  const audiences = new Set<string>()
  const things = new Map<string, string | null>()
  const refused: string[] = []
  for (const stable of stables) {
    if (readable.has(stable)) audiences.add(stableKey(stable))
    else refused.push(stable)
  }
  for (const [thing, stable] of places) {
    if (readable.has(stable) && stables.has(stable)) things.set(thing, stable)
  }
  for (const thing of asked) {
    const stable = places.get(thing) ?? null
    // An admin may see every device, also one that nobody has registered.
    if (!isAdmin && (stable === null || !readable.has(stable))) {
      refused.push(thing)
      continue
    }
    audiences.add(thingKey(thing))
    things.set(thing, stable)
  }
  for (const [name, wanted] of [
    [FLEET, watch.fleet],
    [HOPS_PAGE, watch.hops],
  ] as const) {
    if (!wanted) continue
    if (isAdmin) audiences.add(name)
    else refused.push(name)
  }
  return { audiences, things, refused }
}

async function readableStables({ sql }: Database, user: SignedIn): Promise<ReadonlySet<string>> {
  const there = sql.selectFrom('stables').select('stables.id').where('archived_at', 'is', null)
  if (user.role === 'admin') return new Set((await there.execute()).map(({ id }) => id))
  const rows = await there
    .innerJoin('members', 'members.stable_id', 'stables.id')
    .select('members.role')
    .where('members.user_id', '=', user.id)
    .execute()
  return new Set(rows.filter(({ role }) => allows('horse.read', role)).map(({ id }) => id))
}

/** Things with a horse: their stable. */
async function placesOf(
  { sql }: Database,
  { stables, things }: { stables: readonly string[]; things: readonly string[] },
): Promise<ReadonlyMap<string, string>> {
  if (stables.length === 0 && things.length === 0) return new Map()
  const rows = await sql
    .selectFrom('devices')
    .innerJoin('horses', 'horses.id', 'devices.horse_id')
    .select(['devices.thing', 'horses.stable_id'])
    .where('horses.archived_at', 'is', null)
    .where((or) =>
      or.or([
        ...(stables.length > 0 ? [or('horses.stable_id', 'in', stables)] : []),
        ...(things.length > 0 ? [or('devices.thing', 'in', things)] : []),
      ]),
    )
    .execute()
  return new Map(rows.map(({ thing, stable_id }) => [thing, stable_id]))
}
