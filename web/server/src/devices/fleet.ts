import {
  DEVICE_STANDINGS,
  type Device,
  type DeviceStanding,
  type FleetQuery,
} from '@pesebre/contract/api/device'
import { deviceOfThing } from '@pesebre/contract/kid'
import { presenceOf } from '@pesebre/contract/presence'
import type { Database } from '../db/database.ts'
import type { Leases } from '../hops/leases.ts'
import type { StateEvent } from '../live/documents.ts'
import type { States } from '../live/states.ts'
import type { Peek } from './peek.ts'
import type { Registry } from './registry.ts'

/**
 * Every device: those that are registered, those whose reports are in the archive, and those that AWS IoT knows beside them.
 * What they said last, and how often, comes from the index of the archive: that costs nothing at AWS, and is complete to within
 * a minute or two. What a page shows at this moment is newer (live/states.ts).
 */
export type Fleet = {
  list(query: FleetQuery): Promise<{ devices: Device[]; total: number }>
  /** Devices by standing. */
  standings(): Promise<Record<DeviceStanding, number>>
  /** These devices, as far as they are there. */
  rows(things: readonly string[]): Promise<Device[]>
}

export type FleetOptions = {
  readonly db: Database
  readonly now: () => number
  readonly states: Pick<States, 'current'>
  readonly registry: Pick<Registry, 'listThings'>
  /** For things that the archive knows nothing of. */
  readonly peek: Peek
  readonly onError: (error: unknown) => void
  /** Whether a camera is connected; null: not known. */
  readonly isConnected?: (thing: string) => boolean | null
  /** Which gateways run, and how complete the index is. */
  readonly leases: Pick<Leases, 'seen' | 'back' | 'completeTo'>
}

/** Things of AWS IoT that are looked through for devices that nobody has registered here. */
const THINGS_MAX = 5_000
/** The list of AWS IoT's things is read again after this, milliseconds. */
const THINGS_MS = 300_000
const LIMIT = 200
/** Devices are counted anew after this, milliseconds: a page that stays open asks all the time. */
const COUNT_MS = 10_000
/** Things of our own, which are no devices. */
const OWN = /^pesebre-/

export function createFleet(options: FleetOptions): Fleet {
  const { db, now, states, registry, peek, leases, onError } = options
  let things: ReadonlyMap<string, string | undefined> = new Map()
  let readAt = Number.NEGATIVE_INFINITY
  let counts: Promise<Record<DeviceStanding, number>> | undefined
  let countedAt = Number.NEGATIVE_INFINITY

  async function known(): Promise<ReadonlyMap<string, string | undefined>> {
    if (performance.now() - readAt < THINGS_MS) return things
    readAt = performance.now()
    try {
      const found = await registry.listThings(THINGS_MAX)
      things = new Map(found.filter(({ thing }) => !OWN.test(thing)).map(({ thing, kind }) => [thing, kind]))
    } catch (error) {
      onError(error)
    }
    return things
  }

  async function all(only?: readonly string[]): Promise<Device[]> {
    if (only?.length === 0) return []
    const { sql } = db
    const [registered, numbers, alarms, others] = await Promise.all([
      sql
        .selectFrom('devices')
        .leftJoin('horses', 'horses.id', 'devices.horse_id')
        .leftJoin('stables', 'stables.id', 'horses.stable_id')
        .selectAll('devices')
        .select(['horses.name as horse', 'stables.id as stable_id', 'stables.name as stable'])
        .$if(only !== undefined, (query) => query.where('devices.thing', 'in', only!))
        .execute(),
      sql
        .selectFrom('thing_numbers')
        .leftJoin('raw_rows', (join) =>
          join
            .onRef('raw_rows.thing', '=', 'thing_numbers.thing')
            .onRef('raw_rows.seq', '=', 'thing_numbers.seq'),
        )
        .selectAll('thing_numbers')
        .select('raw_rows.interval_s')
        .$if(only !== undefined, (query) => query.where('thing_numbers.thing', 'in', only!))
        .execute(),
      sql
        .selectFrom('alarms')
        .select(['thing', 'kind'])
        .where('active_key', 'is not', null)
        .$if(only !== undefined, (query) => query.where('thing', 'in', only!))
        .execute(),
      only === undefined ? known() : things,
    ])
    const rows = new Map(registered.map((row) => [row.thing, row]))
    const counted = new Map(numbers.map((row) => [row.thing, row]))
    const alarmed = Map.groupBy(alarms, ({ thing }) => thing)
    const names = new Set([...rows.keys(), ...counted.keys(), ...others.keys()])
    const asked = only === undefined ? names : new Set(only.filter((thing) => names.has(thing)))
    const isHeard = (thing: string) => counted.has(thing) || states.current(thing) !== undefined
    const peeked = await peek(
      [...asked].filter((thing) => !isHeard(thing) && rows.get(thing)?.kind !== 'camera'),
    )
    return [...asked].map((thing) =>
      deviceOf(thing, {
        row: rows.get(thing),
        numbers: counted.get(thing),
        alarms: (alarmed.get(thing) ?? []).map(({ kind }) => kind),
        kind: others.get(thing),
        shadow: states.current(thing) ?? peeked.get(thing),
      }),
    )
  }

  function deviceOf(thing: string, { row, numbers, alarms, kind, shadow }: Known): Device {
    const live = shadow !== undefined && (shadow.at ?? 0) >= (numbers?.at ?? 0) ? shadow : undefined
    const at = live === undefined ? (numbers?.at ?? null) : live.at
    const interval_s = live?.interval_s ?? numbers?.interval_s ?? null
    const gateway = live?.gateway ?? numbers?.gateway ?? null
    const type = row?.kind ?? kind ?? numbers?.type ?? ''
    const named = deviceOfThing(thing)
    return {
      thing,
      kind: type,
      isRegistered: row !== undefined,
      speaks:
        type === 'camera' || (gateway === null && (row?.certificate_id ?? null) !== null) ? 'mqtt' : 'coap',
      name: row?.name ?? null,
      standing: standingOf({ state: row?.state, alarms, thing, type, at, interval_s, gateway }),
      alarms,
      horse: row?.horse_id == null ? null : { id: row.horse_id, name: row.horse ?? '' },
      stable: row?.stable_id == null ? null : { id: row.stable_id, name: row.stable ?? '' },
      created: row?.registered_at ?? null,
      at: at ?? row?.last_seen_at ?? null,
      interval_s,
      gateway,
      isSecure: named !== undefined || type === 'camera',
      state: live?.state ?? (numbers === undefined ? null : JSON.parse(numbers.state)),
      count: numbers === undefined ? null : { reports: numbers.reports, to: numbers.received },
      replacedBy: row?.replaced_by ?? null,
    }
  }

  function standingOf(o: {
    state: string | undefined
    alarms: readonly string[]
    thing: string
    type: string
    at: number | null
    interval_s: number | null
    gateway: string | null
  }): DeviceStanding {
    if (o.state === 'revoked' || o.state === 'replaced') return 'revoked'
    if (o.state === 'disabled') return 'disabled'
    if (o.alarms.length > 0) return 'alarm'
    if (o.type === 'camera') {
      const connected = options.isConnected?.(o.thing) ?? null
      if (connected === false) return 'silent'
      return connected === null && o.at === null ? 'new' : 'good'
    }
    if (o.at === null) return 'new'
    const { state } = presenceOf({
      now: now(),
      link: {
        at: o.at,
        interval_s: o.interval_s ?? undefined,
        ...(o.gateway !== null && { gateway: o.gateway }),
      },
      completeTo: leases.completeTo(),
      gateways: leases.seen(),
      back: leases.back(o.gateway),
    })
    // Without a promise of its own nobody can say that it is late.
    return state === 'seen' || state === 'never' ? 'good' : state
  }

  async function count(): Promise<Record<DeviceStanding, number>> {
    const found = Object.fromEntries(DEVICE_STANDINGS.map((one) => [one, 0]))
    for (const { standing } of await all()) found[standing]!++
    return found as Record<DeviceStanding, number>
  }

  return {
    async list({ kind, standing, search = '', offset = 0, limit = LIMIT }) {
      const wanted = search.trim().toLowerCase()
      const found = (await all())
        .filter((one) => kind === undefined || one.kind === kind)
        .filter((one) => standing === undefined || one.standing === standing)
        .filter((one) => wanted === '' || textOf(one).includes(wanted))
        .sort(byTrouble)
      return { devices: found.slice(offset, offset + limit), total: found.length }
    },
    standings() {
      if (counts === undefined || performance.now() - countedAt > COUNT_MS) {
        countedAt = performance.now()
        counts = count()
        // Not remembered: the next one asks anew.
        counts.catch(() => {
          counts = undefined
        })
      }
      return counts
    },
    rows: all,
  }
}

type Known = {
  readonly row:
    | {
        readonly kind: string
        readonly name: string
        readonly state: string
        readonly horse_id: string | null
        readonly horse: string | null
        readonly stable_id: string | null
        readonly stable: string | null
        readonly registered_at: number
        readonly last_seen_at: number | null
        readonly certificate_id: string | null
        readonly replaced_by: string | null
      }
    | undefined
  readonly numbers:
    | {
        readonly type: string
        readonly reports: number
        readonly at: number
        readonly received: number
        readonly gateway: string
        readonly interval_s: number | null
        readonly state: string
      }
    | undefined
  readonly alarms: string[]
  readonly kind: string | undefined
  readonly shadow: StateEvent | undefined
}

function byTrouble(a: Device, b: Device): number {
  const worse = DEVICE_STANDINGS.indexOf(a.standing) - DEVICE_STANDINGS.indexOf(b.standing)
  return worse || labelOf(a).localeCompare(labelOf(b)) || a.thing.localeCompare(b.thing)
}

function labelOf({ name, thing }: Device): string {
  return name ?? thing
}

function textOf({ thing, name, horse, stable }: Device): string {
  return [thing, name, horse?.name, stable?.name].filter(Boolean).join('\n').toLowerCase()
}
