/**
 * Whether a device is silent, and whether that is its own doing (promise D8). Pure: times in milliseconds since 1970.
 *
 * A device is judged by the interval that it promised itself, never by a gateway's traffic or a restart of ours. Two things can
 * hide a device that is well, and must not make it late:
 * - the bridge leaves reports that say "unchanged" unwritten for up to an hour (design/wire.md section 4). So by its shadow alone a
 *   device is late an hour later, unless it reports hourly or less often, when every report is written. Evidence that is complete
 *   up to a time, as the archive's index is, shortens that hour to how far it lies behind
 * - its gateway has gone. Then nobody can know, until the device had time to find another one
 */

/** Late is who has missed two check-ins, and half an interval: single reports may be lost on the way. */
export const LATE_INTERVALS = 2.5
/** After so many nobody should wait any more. */
export const SILENT_INTERVALS = 10
/** A report that says "unchanged" is written when the last one written is so old, milliseconds (bridge-lambda/src/settle.ts). */
const UNCHANGED_WRITE_MS = 3_600_000
/** A gateway's lease is renewed every 30 s; one that is older than this has run out, milliseconds (gateway/src/lease.ts). */
export const LEASE_HOLDS_MS = 90_000
/** From a datagram to its shadow when there is a lot to do, milliseconds. */
const WAY_MS = 60_000
/** A device that fails waits interval * 2^k, at most this, +-25 % (design/feeding.md, Power). */
const BACK_OFF_MAX_MS = 3_600_000
const BACK_OFF_SPREAD = 1.25

export type Evidence = {
  readonly now: number
  /** `reported.link` of the classic shadow; undefined: it has never reported. */
  readonly link?: Link | undefined
  /** When the device said anything else that is known here: an outcome, a row of the archive. */
  readonly heard?: number | undefined
  /** Up to here every report is known that came at all, `heard` being the newest. Undefined: only the shadow is known. */
  readonly completeTo?: number | undefined
  /** When each gateway last said that it runs (`at` of its lease); 0: it said that it stops. */
  readonly gateways?: ReadonlyMap<string, number> | undefined
  /**
   * When the device's gateway was seen to be back, and for how long it had been away, milliseconds. Also when nobody looked before, as
   * after a start: then 0, since nothing is known of an absence.
   */
  readonly back?: { readonly at: number; readonly away: number } | undefined
}

type Link = {
  readonly at: number
  readonly interval_s?: number | undefined
  readonly gateway?: string | undefined
}

/**
 * - `seen`: it has kept its promise, as far as anybody can know
 * - `late`: it has missed more than two of its check-ins. `silent`: more than nine
 * - `gateway-down`: it is overdue, but its gateway has gone, and it has not had the time to find another
 * - `never`: it has not reported yet, or has not promised when it would
 */
export type Presence = {
  readonly state: 'seen' | 'late' | 'silent' | 'gateway-down' | 'never'
  /** When the device last spoke, by all evidence. */
  readonly at?: number
  /** When it promised to speak next. */
  readonly nextAt?: number
  /** From when on it counts as late, if nothing more is heard. */
  readonly lateAt?: number
}

/** How a device stands. It never says `late` or `silent` of one that has kept its promise, whatever else is down. */
export function presenceOf({ now, link, heard = 0, completeTo, gateways, back }: Evidence): Presence {
  if (link === undefined) return { state: 'never' }
  const at = Math.max(link.at, heard)
  if (link.interval_s === undefined) return { state: 'never', at }
  const interval = link.interval_s * 1000
  const hidden = hiddenFor(interval, completeTo === undefined ? undefined : now - completeTo)
  const known = { at, nextAt: at + interval, lateAt: at + LATE_INTERVALS * interval + WAY_MS + hidden }
  if (now <= known.lateAt) return { state: 'seen', ...known }
  if (back !== undefined && now <= back.at + returnWithin(interval, back.away))
    return { state: 'gateway-down', ...known }
  if (isExcused({ at, interval, gateway: link.gateway }, gateways, now))
    return { state: 'gateway-down', ...known }
  const silentAt = known.lateAt + (SILENT_INTERVALS - LATE_INTERVALS) * interval
  return { state: now > silentAt ? 'silent' : 'late', ...known }
}

/** How long a device may take to speak to a gateway that is back: it has tried in vain, with back-off, for as long as that was away. */
function returnWithin(interval: number, away: number): number {
  const wait = BACK_OFF_SPREAD * Math.max(interval, Math.min(away, BACK_OFF_MAX_MS))
  return LATE_INTERVALS * interval + wait + WAY_MS
}

/** How long a report may have been here without being known. */
function hiddenFor(interval: number, behind = UNCHANGED_WRITE_MS): number {
  if (interval >= UNCHANGED_WRITE_MS) return 0
  return Math.min(Math.max(behind, 0), UNCHANGED_WRITE_MS)
}

/** Whether the silence may be the gateway's: all are gone, or its own is and the device had no time to come to another. */
function isExcused(
  { at, interval, gateway }: { at: number; interval: number; gateway: string | undefined },
  gateways: ReadonlyMap<string, number> = new Map(),
  now: number,
): boolean {
  if (gateways.size === 0) return false
  const isUp = (heardAt: number): boolean => now - heardAt <= LEASE_HOLDS_MS
  if (![...gateways.values()].some(isUp)) return true
  const own = gateway === undefined ? undefined : gateways.get(gateway)
  if (own === undefined || isUp(own)) return false
  // It notices with its next check-in, and asks one gateway after the other, with back-off in between.
  let search = 0
  for (let k = 1; k <= gateways.size; k++)
    search += BACK_OFF_SPREAD * Math.max(interval, Math.min(interval * 2 ** k, BACK_OFF_MAX_MS))
  return now <= Math.max(own, at) + LATE_INTERVALS * interval + search + WAY_MS
}
