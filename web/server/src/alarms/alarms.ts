import type { Alarm, AlarmKind } from '@pesebre/contract/api/alarm'
import type { AlarmSummary } from '@pesebre/contract/api/horse'
import type { LiveEvent } from '@pesebre/contract/api/live'
import type { Actor } from '../audit.ts'
import type { Database } from '../db/database.ts'
import type { Places } from '../feeding/feeders.ts'
import type { Signal } from './signals.ts'
import { type AlarmRow, alarmOf, keyOf, openAlarmStore } from './store.ts'

export type AlarmsOptions = {
  readonly db: Database
  readonly places: Pick<Places, 'of'>
  readonly now: () => number
  /** To the browsers; without a stable, to those who look at the fleet. */
  readonly publish: (event: LiveEvent, stable: string | null) => void
  /** Told of alarms that are new, or happened again. */
  readonly onAlarm?: (row: AlarmRow) => void
}

/** One alarm per device and kind: raised, updated, cleared; acknowledged or not. */
export function openAlarms({ db, places, now, publish, onAlarm }: AlarmsOptions) {
  const store = openAlarmStore(db)
  /** What is active, as far as this server knows: saves the database a question for each report that says nothing new. */
  let known = new Map<string, AlarmRow>()
  let turn: Promise<unknown> = Promise.resolve()

  /** One after the other: two words about one device must not raise the same alarm twice. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = turn.then(work)
    turn = next.catch(() => undefined)
    return next
  }

  /** What another server has raised or cleared meanwhile. */
  async function read(): Promise<void> {
    known = new Map((await store.active()).map((row) => [keyOf(row.thing, row.kind), row]))
  }

  function refresh(): Promise<void> {
    return inTurn(read)
  }

  /** @param at when it was so: of a feeding, by the feeder's word */
  function take(thing: string, signals: readonly Signal[], at = now()): Promise<void> {
    return inTurn(async () => {
      for (const signal of signals)
        await (signal.isOn ? raise(thing, signal, at) : clear(thing, signal.kind, at))
    })
  }

  async function raise(
    thing: string,
    { kind, detail = {}, isAnew = false }: Signal,
    at: number,
  ): Promise<void> {
    const before = known.get(keyOf(thing, kind))
    if (before === undefined) {
      // After a start, what everybody was told of is found again.
      const last = isAnew ? await store.last(thing, kind) : undefined
      if (last !== undefined && isTold(last, detail)) return
      const place = await places.of(thing)
      const of = { horse: place?.horse?.id ?? null, stable: place?.stable ?? null }
      const row = await store.raise({ thing, kind, at, detail, ...of })
      if (row === undefined) return read()
      changed(row)
      onAlarm?.(row)
    } else if (isAnew && !isTold(before, detail)) {
      const row = await store.again(before.id, at, detail)
      if (row === undefined) return
      changed(row)
      onAlarm?.(row)
    }
  }

  async function clear(thing: string, kind: AlarmKind, at: number): Promise<void> {
    const before = known.get(keyOf(thing, kind))
    // What was good before it went wrong clears nothing: words may come late, and in any order.
    if (before === undefined || at < before.updated_at) return
    known.delete(keyOf(thing, kind))
    const row = await store.clear(before.id, at)
    if (row !== undefined) tell(row)
  }

  async function acknowledge(id: string, actor: Actor): Promise<Alarm | undefined> {
    const row = await store.acknowledge(id, actor)
    if (row === undefined) return undefined
    if (row.active_key === null) tell(row)
    else changed(row)
    return alarmOf(row)
  }

  function changed(row: AlarmRow): void {
    known.set(keyOf(row.thing, row.kind), row)
    tell(row)
  }

  function tell(row: AlarmRow): void {
    publish({ kind: 'alarm', stable: row.stable_id, alarm: alarmOf(row) }, row.stable_id)
  }

  /** Alarms of devices that are not in use any more go with them. */
  async function retain(isInUse: (thing: string) => boolean): Promise<void> {
    for (const { thing, kind } of [...known.values()])
      if (!isInUse(thing)) await take(thing, [{ kind: kind as AlarmKind, isOn: false }])
  }

  /** Active ones of these horses, for the cards. */
  async function ofHorses(horses: readonly string[]): Promise<ReadonlyMap<string, AlarmSummary[]>> {
    const found = new Map<string, AlarmSummary[]>(horses.map((horse) => [horse, []]))
    for (const { id, kind, horse_id, raised_at, acknowledged_at } of known.values())
      found.get(horse_id ?? '')?.push({ id, kind, since: raised_at, acknowledged: acknowledged_at !== null })
    return found
  }

  return {
    take,
    retain,
    refresh,
    acknowledge,
    ofHorses,
    list: async (stable: string, isAll: boolean) => (await store.list(stable, isAll)).map(alarmOf),
    /** Active alarms of a thing. */
    kindsOf: (thing: string): AlarmKind[] =>
      [...known.values()].filter((row) => row.thing === thing).map(({ kind }) => kind as AlarmKind),
    /** Active, and not acknowledged: to be told again. */
    open: (): AlarmRow[] => [...known.values()].filter(({ acknowledged_at }) => acknowledged_at === null),
    claim: async (row: AlarmRow, at: number): Promise<boolean> => {
      const isOurs = await store.claim(row, at)
      const current = known.get(keyOf(row.thing, row.kind))
      if (isOurs && current?.id === row.id)
        known.set(keyOf(row.thing, row.kind), { ...current, notified_at: at })
      return isOurs
    },
  }
}

export type Alarms = ReturnType<typeof openAlarms>

/** Whether an alarm was about this very event already, or a later one: commands and meals have numbers that rise. */
function isTold({ detail }: AlarmRow, next: NonNullable<Signal['detail']>): boolean {
  const before = JSON.parse(detail) as Record<string, unknown>
  return ['n', 'occurrence'].some((name) => {
    const [told, asked] = [before[name], next[name]]
    return typeof told === 'number' && typeof asked === 'number' && told >= asked
  })
}
