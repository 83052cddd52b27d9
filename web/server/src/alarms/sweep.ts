import type { FeederSummary } from '@pesebre/contract/api/horse'
import { LEASE_HOLDS_MS, type Presence, presenceOf } from '@pesebre/contract/presence'
import type { Database } from '../db/database.ts'
import type { Place, Places } from '../feeding/feeders.ts'
import { GATEWAY_THING, type Leases } from '../hops/leases.ts'
import type { Shadows } from '../iot/shadows.ts'
import { type StateEvent, stateOf } from '../live/documents.ts'
import type { Alarms } from './alarms.ts'
import { type Signal, signalsOfState } from './signals.ts'

export type SweepOptions = {
  readonly db: Database
  readonly shadows: Pick<Shadows, 'read'>
  readonly leases: Leases
  readonly places: Places
  readonly alarms: Pick<Alarms, 'take' | 'refresh' | 'retain' | 'kindsOf'>
  readonly now: () => number
  /** When the feeder said anything else that is known here; 0: nothing. */
  readonly heard?: (thing: string) => number
  /** Whether something is being given, and whether the device may speak at all. */
  readonly standing: (thing: string) => { isFeeding: boolean; isEnabled: boolean }
}

type Known = {
  readonly state: Readonly<Record<string, unknown>>
  readonly link: Omit<StateEvent, 'state' | 'kind'>
}

/** A gateway that renews its lease late, once, is no alarm yet, milliseconds. */
const GATEWAY_GONE_MS = LEASE_HOLDS_MS + 30_000
/** Reads at a time. */
const READS_AT_ONCE = 8
/** A cell at rest, millivolts: full and empty. */
const BATTERY_FULL_MV = 4_200
const BATTERY_EMPTY_MV = 3_300

/** Looks at every device's shadow now and then: battery, hopper, and whether it is late, or its gateway has gone. */
export function createSweep({ db, shadows, leases, places, alarms, now, heard, standing }: SweepOptions) {
  const known = new Map<string, Known | null>()
  let archived: ReadonlyMap<string, number> = new Map()

  async function sweep(): Promise<void> {
    await alarms.refresh()
    const all = await places.all()
    await alarms.retain((thing) => all.has(thing) || thing.startsWith(GATEWAY_THING))
    const feeders = [...all.values()].filter(({ kind }) => kind === 'feeder')
    const queue = [...feeders]
    const errors: unknown[] = []
    await Promise.all(
      Array.from({ length: READS_AT_ONCE }, async () => {
        for (let place = queue.shift(); place !== undefined; place = queue.shift())
          await read(place.thing).catch((error: unknown) => errors.push(error))
      }),
    )
    await leases.look([...known.values()].flatMap((one) => one?.link.gateway ?? []))
    archived = await readArchived(db)
    for (const [id, at] of leases.seen()) {
      const thing = `${GATEWAY_THING}${id}`
      const isGone = at > 0 && now() - at > GATEWAY_GONE_MS
      await alarms.take(thing, [{ kind: 'gateway', isOn: isGone, detail: { seen: at } }])
    }
    for (const place of feeders) await look(place)
    if (errors.length > 0) throw errors[0]
  }

  async function read(thing: string): Promise<void> {
    const { event } = stateOf(thing, await shadows.read(thing))
    hear(event)
  }

  /** A state that came by itself: somebody watches it. */
  function hear(event: StateEvent): void {
    const { kind: _, state, ...link } = event
    known.set(event.thing, state === null || link.seq === null ? null : { state, link })
  }

  async function look(place: Place): Promise<void> {
    const { thing } = place
    const one = known.get(thing)
    if (one == null || !standing(thing).isEnabled) {
      await alarms.take(thing, [{ kind: 'late', isOn: false }])
      return
    }
    const presence = presenceFor(thing)
    const late: Signal[] =
      presence.state === 'late' || presence.state === 'silent'
        ? [
            {
              kind: 'late',
              isOn: true,
              detail: { seen: presence.at ?? 0, interval_s: one.link.interval_s ?? 0 },
            },
          ]
        : presence.state === 'seen'
          ? [{ kind: 'late', isOn: false }]
          : []
    await alarms.take(thing, [...signalsOfState(one.state), ...late])
  }

  /** How a device stands, by everything that is known of it. */
  function presenceFor(thing: string): Presence {
    const one = known.get(thing)
    const { at, interval_s, gateway } = one?.link ?? { at: null, interval_s: null, gateway: null }
    return presenceOf({
      now: now(),
      ...(at !== null && {
        link: { at, interval_s: interval_s ?? undefined, gateway: gateway ?? undefined },
      }),
      heard: Math.max(heard?.(thing) ?? 0, archived.get(thing) ?? 0),
      completeTo: leases.completeTo(),
      gateways: leases.seen(),
      back: leases.back(gateway),
    })
  }

  /** Feeders of these horses, for the cards. */
  async function cards(horses: readonly string[]): Promise<ReadonlyMap<string, FeederSummary>> {
    const wanted = new Set(horses)
    const found = new Map<string, FeederSummary>()
    for (const place of (await places.all()).values()) {
      if (place.kind !== 'feeder' || place.horse === null || !wanted.has(place.horse.id)) continue
      if (!known.has(place.thing)) await read(place.thing).catch(() => undefined)
      found.set(place.horse.id, summaryOf(place))
    }
    return found
  }

  function summaryOf({ thing, name }: Place): FeederSummary {
    const state = known.get(thing)?.state ?? {}
    const presence = presenceFor(thing)
    const battery = state['battery_mv']
    const hopper = state['hopper_pct']
    return {
      thing,
      name,
      state: wordOf(thing, presence),
      hopperPct: typeof hopper === 'number' ? hopper : null,
      batteryPct: typeof battery === 'number' ? batteryPct(battery) : null,
      lastSeen: presence.at ?? null,
      nextExpected: presence.nextAt ?? null,
    }
  }

  function wordOf(thing: string, presence: Presence): FeederSummary['state'] {
    const { isFeeding, isEnabled } = standing(thing)
    const kinds = new Set(alarms.kindsOf(thing))
    if (!isEnabled) return 'disabled'
    if (presence.at === undefined) return 'new'
    if (kinds.has('jammed')) return 'jammed'
    if (isFeeding) return 'feeding'
    if (presence.state === 'gateway-down') return 'gateway_down'
    if (presence.state === 'silent') return 'offline'
    if (presence.state === 'late') return 'late'
    if (kinds.has('empty')) return 'empty'
    return kinds.has('battery') ? 'low_battery' : 'ok'
  }

  return { sweep, hear, presenceFor, cards }
}

export type Sweep = ReturnType<typeof createSweep>

/** When the index of the archive last has heard of each thing. */
async function readArchived({ sql }: Database): Promise<ReadonlyMap<string, number>> {
  const rows = await sql.selectFrom('thing_numbers').select(['thing', 'at']).execute()
  return new Map(rows.map(({ thing, at }) => [thing, at]))
}

function batteryPct(mv: number): number {
  const part = (mv - BATTERY_EMPTY_MV) / (BATTERY_FULL_MV - BATTERY_EMPTY_MV)
  return Math.round(100 * Math.min(1, Math.max(0, part)))
}
