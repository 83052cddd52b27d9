import type { Alarm, AlarmKind } from '@pesebre/contract/api/alarm'
import type { Selectable } from 'kysely'
import { type Actor, audit } from '../audit.ts'
import { type Database, isDuplicate } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { newId } from '../ids.ts'

/** An alarm, with what it is of as people call it. */
export type AlarmRow = Selectable<Tables['alarms']> & {
  readonly name: string | null
  readonly horse: string | null
  readonly acknowledger: string | null
}

export type NewAlarm = {
  readonly thing: string
  readonly kind: AlarmKind
  readonly at: number
  readonly horse: string | null
  readonly stable: string | null
  readonly detail: Readonly<Record<string, number | string>>
}

const LIST_MAX = 100

/** Alarms in the database. At most one of a kind is active per thing: the column `active_key` is unique. */
export function openAlarmStore(db: Database) {
  function select() {
    return db.sql
      .selectFrom('alarms')
      .leftJoin('devices', 'devices.thing', 'alarms.thing')
      .leftJoin('horses', 'horses.id', 'alarms.horse_id')
      .leftJoin('users', 'users.id', 'alarms.acknowledged_by')
      .selectAll('alarms')
      .select(['devices.name', 'horses.name as horse', 'users.name as acknowledger'])
  }

  const byId = (id: string): Promise<AlarmRow | undefined> =>
    select().where('alarms.id', '=', id).executeTakeFirst()

  /** Undefined: there is one already, of which another server knew first. */
  async function raise({ thing, kind, at, horse, stable, detail }: NewAlarm): Promise<AlarmRow | undefined> {
    const id = newId('alm')
    const row = { id, thing, kind, horse_id: horse, stable_id: stable, detail: JSON.stringify(detail) }
    try {
      await db.sql
        .insertInto('alarms')
        .values({ ...row, active_key: keyOf(thing, kind), raised_at: at, updated_at: at })
        .execute()
    } catch (error) {
      if (isDuplicate(error)) return undefined
      throw error
    }
    return byId(id)
  }

  /** It happened again: to be acknowledged once more. */
  async function again(id: string, at: number, detail: NewAlarm['detail']): Promise<AlarmRow | undefined> {
    await db.sql
      .updateTable('alarms')
      .set((row) => ({
        count: row('count', '+', 1),
        detail: JSON.stringify(detail),
        updated_at: at,
        acknowledged_at: null,
        acknowledged_by: null,
      }))
      .where('id', '=', id)
      .execute()
    return byId(id)
  }

  async function clear(id: string, at: number): Promise<AlarmRow | undefined> {
    const { numUpdatedRows } = await db.sql
      .updateTable('alarms')
      .set({ active_key: null, cleared_at: at, updated_at: at })
      .where('id', '=', id)
      .where('active_key', 'is not', null)
      .executeTakeFirst()
    return numUpdatedRows > 0n ? byId(id) : undefined
  }

  /** @returns undefined when there is none; one that was acknowledged before stays as it was */
  async function acknowledge(id: string, actor: Actor): Promise<AlarmRow | undefined> {
    await db.write(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('alarms')
        .set({ acknowledged_at: actor.at, acknowledged_by: actor.user?.id ?? null })
        .where('id', '=', id)
        .where('acknowledged_at', 'is', null)
        .executeTakeFirst()
      if (numUpdatedRows === 0n) return
      const row = await tx.selectFrom('alarms').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
      const entry = { action: 'alarm.acknowledge', subject: id, detail: { kind: row.kind, thing: row.thing } }
      await audit(tx, actor, { ...entry, ...(row.stable_id !== null && { stable: row.stable_id }) })
    })
    return byId(id)
  }

  /** Takes it upon this server to tell people of an alarm. False: another one has just done so. */
  async function claim({ id, notified_at }: AlarmRow, at: number): Promise<boolean> {
    const { numUpdatedRows } = await db.sql
      .updateTable('alarms')
      .set({ notified_at: at })
      .where('id', '=', id)
      .where('notified_at', notified_at === null ? 'is' : '=', notified_at)
      .executeTakeFirst()
    return numUpdatedRows > 0n
  }

  /** The newest alarm of this kind, active or not. */
  function last(thing: string, kind: string): Promise<AlarmRow | undefined> {
    return select()
      .where('alarms.thing', '=', thing)
      .where('alarms.kind', '=', kind)
      .orderBy('alarms.updated_at', 'desc')
      .limit(1)
      .executeTakeFirst()
  }

  function active(): Promise<AlarmRow[]> {
    return select().where('alarms.active_key', 'is not', null).execute()
  }

  /** Of a stable: what is active or not acknowledged yet, or the last hundred. The newest first. */
  function list(stable: string, isAll: boolean): Promise<AlarmRow[]> {
    return select()
      .where('alarms.stable_id', '=', stable)
      .$if(!isAll, (query) =>
        query.where((row) =>
          row.or([row('alarms.active_key', 'is not', null), row('alarms.acknowledged_at', 'is', null)]),
        ),
      )
      .orderBy('alarms.raised_at', 'desc')
      .orderBy('alarms.id')
      .limit(LIST_MAX)
      .execute()
  }

  return { raise, again, clear, acknowledge, claim, last, active, list, byId }
}

export type AlarmStore = ReturnType<typeof openAlarmStore>

export function keyOf(thing: string, kind: string): string {
  return `${thing}/${kind}`
}

/** An alarm as the API shows it. */
export function alarmOf(row: AlarmRow): Alarm {
  return {
    id: row.id,
    kind: row.kind as AlarmKind,
    thing: row.thing,
    ...(row.name !== null && { name: row.name }),
    ...(row.horse_id !== null && row.horse !== null && { horse: { id: row.horse_id, name: row.horse } }),
    ...(row.stable_id !== null && { stable: row.stable_id }),
    since: row.raised_at,
    at: row.updated_at,
    ...(row.cleared_at !== null && { cleared: row.cleared_at }),
    ...(row.acknowledged_at !== null && {
      acknowledged: { at: row.acknowledged_at, by: row.acknowledger ?? '' },
    }),
    count: row.count,
    detail: JSON.parse(row.detail) as Alarm['detail'],
  }
}
