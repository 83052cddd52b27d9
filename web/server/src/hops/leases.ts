import { LEASE_HOLDS_MS } from '@pesebre/contract/presence'
import type { Database } from '../db/database.ts'
import type { Shadows } from '../iot/shadows.ts'

/**
 * Which gateways run, by the leases that they keep (gateway/src/lease.ts), and how far the archive's index can be believed because of it.
 * Alarms, cards, the fleet and the hops all ask here, so that no two pages say different things of one gateway.
 */
export type Leases = {
  /** Reads every lease. @param others ids of gateways that the caller has heard of. Rejects when AWS IoT or the database fails */
  look(others?: Iterable<string>): Promise<void>
  /** When each gateway last said that it runs, milliseconds since 1970; 0: it said that it stops. Those without a lease are not in it. */
  seen(): ReadonlyMap<string, number>
  /** When a gateway was found to be back, and for how long it had been away, milliseconds. Undefined: it was never away. */
  back(id: string | null): Return | undefined
  /** Up to here the archive's index has every report that came at all. Undefined: nobody knows. */
  completeTo(): number | undefined
}

export type Return = { readonly at: number; readonly away: number }

/** A lease is the shadow of this name, of a thing whose name is the gateway's id after this. */
export const GATEWAY_THING = 'pesebre-gateway-'
const GATEWAY_SHADOW = 'gateway'
/** A gateway that said that it stops: since when, nobody knows. More than any back-off, milliseconds. */
const FOREVER_MS = 86_400_000
/** A gateway puts what it took into the archive each minute; a row may be in the next object, milliseconds. */
const ARCHIVE_LAG_MS = 3 * 60_000

export type LeasesOptions = {
  readonly db: Pick<Database, 'sql'>
  readonly shadows: Pick<Shadows, 'read'>
  readonly now: () => number
  /** Gateways that are set up: known before any device has named them. */
  readonly ids?: readonly string[]
}

export function createLeases({ db, shadows, now, ids = [] }: LeasesOptions): Leases {
  const known = new Set(ids)
  const back = new Map<string, Return>()
  let seen: ReadonlyMap<string, number> = new Map()
  let completeTo: number | undefined
  let lookedAt = 0
  let turn: Promise<unknown> = Promise.resolve()

  async function look(others: Iterable<string>): Promise<void> {
    for (const id of others) known.add(id)
    const rows = await db.sql
      .selectFrom('thing_numbers')
      .select((eb) => ['gateway', eb.fn.max('received').as('received')])
      .groupBy('gateway')
      .execute()
    const archived = new Map(rows.map(({ gateway, received }) => [gateway, Number(received)]))
    for (const id of archived.keys()) known.add(id)
    const found = new Map<string, number>()
    for (const id of known) {
      const document = await shadows.read(`${GATEWAY_THING}${id}`, GATEWAY_SHADOW)
      const { reported } = (document?.state ?? {}) as { reported?: { at?: unknown } }
      // Of one that keeps no lease nothing is known.
      if (typeof reported?.at === 'number') found.set(id, reported.at)
    }
    noteReturns(found)
    completeTo = completeIn(archived, found)
    seen = found
    lookedAt = now()
  }

  /** Which gateways were away at the last look, or are seen for the first time: their devices may need a while. */
  function noteReturns(found: ReadonlyMap<string, number>): void {
    for (const [id, at] of found) {
      if (now() - at > LEASE_HOLDS_MS) continue
      const last = seen.get(id)
      if (last === undefined) back.set(id, { at: now(), away: 0 })
      else if (lookedAt - last > LEASE_HOLDS_MS)
        back.set(id, { at: now(), away: last === 0 ? FOREVER_MS : at - last })
    }
  }

  /**
   * The index is complete up to what every gateway that runs has put into the archive lately: one that has put nothing there for long
   * makes it say little, and then the shadows' slower measure holds (contract/src/presence.ts).
   */
  function completeIn(archived: ReadonlyMap<string, number>, found: ReadonlyMap<string, number>) {
    const ends = [...found]
      .filter(([, at]) => now() - at <= LEASE_HOLDS_MS)
      .map(([id]) => archived.get(id) ?? 0)
    return ends.length === 0 ? undefined : Math.min(...ends) - ARCHIVE_LAG_MS
  }

  return {
    // One after the other, so that an absence is seen once.
    look: (others = []) => {
      const next = turn.then(() => look(others))
      turn = next.catch(() => undefined)
      return next
    },
    seen: () => seen,
    back: (id) => (id === null ? undefined : back.get(id)),
    completeTo: () => completeTo,
  }
}
