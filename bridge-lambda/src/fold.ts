import { isSecureName } from '@pesebre/contract/kid'
import { LINK_KEY } from '@pesebre/contract/limits'
import type { Report } from '@pesebre/contract/report'
import type { ShadowLink } from '@pesebre/contract/shadow'
import { emptyObject, isHollow, isJsonObject, type JsonObject, withoutNulls } from './json.ts'
import { firstSeen, lostIn, type Missed, missedOf, see, windowOf } from './missed.ts'

/**
 * What a shadow's `reported` section means: a map in which each top-level key remembers the `seq` of the report
 * that last decided it. Taking a report in is a merge by the highest `seq` per key: it gives the same result in
 * any order, however often, and in however many pieces. That is promise D4.
 */
export type Held = {
  /** Every key of which a report is known, the removed ones (value undefined) included. */
  readonly cells: ReadonlyMap<string, Cell>
  /** The newest report, undefined when no report was ever taken in. */
  readonly newest: Newest | undefined
  /** Of a secure device: which numbers have come. Others have their numbers from the gateway, and miss none. */
  readonly missed: Missed | undefined
}

export type Cell = { readonly seq: number; readonly value: unknown }

/** Who said what last; becomes `link`. Times in milliseconds since 1970. */
export type Newest = Pick<ShadowLink, 'at' | 'seq' | 'gateway' | 'interval_s'>

/** A report, and the gateway that took it. */
export type Taken = { readonly report: Report; readonly gateway: string }

/** `seq` of keys that no report has set: somebody else wrote them. Any report is newer. */
const FOREIGN = -1

/** Reads a `reported` section. What is not ours in it is kept until a report sets that key. */
export function heldBy(reported: JsonObject): Held {
  const link = linkOf(reported)
  const older = link?.older
  const cells = new Map<string, Cell>()
  for (const key of Object.keys(reported)) {
    if (key === LINK_KEY) continue
    const seq = older !== undefined && Object.hasOwn(older, key) ? older[key] : link?.seq
    cells.set(key, { seq: seq ?? FOREIGN, value: reported[key] })
  }
  for (const [key, seq] of Object.entries(older ?? {})) {
    if (!cells.has(key)) cells.set(key, { seq, value: undefined })
  }
  if (link === undefined) return { cells, newest: undefined, missed: undefined }
  const { at, seq, gateway, interval_s } = link
  return {
    cells,
    newest: { at, seq, gateway, ...(interval_s !== undefined && { interval_s }) },
    missed: missedOf(link.window),
  }
}

/** Writes a `reported` section: what `heldBy` reads back as the same. */
export function reportedOf(held: Held): JsonObject {
  const reported = emptyObject()
  const older = emptyObject()
  for (const [key, { seq, value }] of held.cells) {
    if (value !== undefined) reported[key] = value
    // A key that is gone needs its seq kept, or a late report would bring it back. So does one that holds
    // nothing but empty objects: it must not matter whether the shadow keeps those.
    if (seq !== held.newest?.seq || value === undefined || isHollow(value)) older[key] = seq
  }
  if (held.newest === undefined) return reported
  reported[LINK_KEY] = {
    ...held.newest,
    ...(held.missed && { lost: lostIn(held.missed), window: windowOf(held.missed) }),
    ...(Object.keys(older).length > 0 && { older }),
  }
  return reported
}

/**
 * Takes reports in. A key that a report carries is decided by it if the report's `seq` is higher than that of the
 * report which decided it so far; null removes. A report with the `seq` of one that is held adds nothing.
 */
export function fold(held: Held, reports: Iterable<Taken>): Held {
  const cells = new Map(held.cells)
  let { newest, missed } = held
  for (const { report, gateway } of reports) {
    for (const key of Object.keys(report.state ?? {})) {
      const cell = cells.get(key)
      if (cell !== undefined && cell.seq >= report.seq) continue
      const value = report.state?.[key]
      cells.set(key, { seq: report.seq, value: value === null ? undefined : withoutNulls(value) })
    }
    if (isSecureName(report.thing)) missed = missed ? see(missed, report.seq) : firstSeen(report.seq)
    if (newest === undefined || report.seq > newest.seq) newest = newestOf(report, gateway)
  }
  return { cells, newest, missed }
}

/**
 * Whether a report would add to what is held: it is newer than all of it, or than what decided one of its keys, or was
 * counted as missing.
 */
export function isNews(held: Held, { seq, state }: Report): boolean {
  if (isNewest(held, seq)) return true
  if (held.missed !== undefined && see(held.missed, seq) !== held.missed) return true
  return Object.keys(state ?? {}).some((key) => seq > (held.cells.get(key)?.seq ?? FOREIGN))
}

/** Whether a report of this `seq` would be the newest. */
export function isNewest({ newest }: Held, seq: number): boolean {
  return newest === undefined || seq > newest.seq
}

function newestOf({ at, seq, link }: Report, gateway: string): Newest {
  return { at, seq, gateway, ...(link?.interval_s !== undefined && { interval_s: link.interval_s }) }
}

/** `link`, if it is one of ours: whatever else stands there counts as none. */
function linkOf(reported: JsonObject): ShadowLink | undefined {
  const link = Object.hasOwn(reported, LINK_KEY) ? reported[LINK_KEY] : undefined
  if (!isJsonObject(link)) return undefined
  const { at, seq, gateway, interval_s, window, older } = link
  if (!Number.isSafeInteger(at) || !Number.isSafeInteger(seq) || typeof gateway !== 'string') return undefined
  return {
    at: at as number,
    seq: seq as number,
    gateway,
    ...(typeof interval_s === 'number' && { interval_s }),
    ...(isJsonObject(window) && { window: window as ShadowLink['window'] & JsonObject }),
    ...(isJsonObject(older) && { older: onlySeqs(older) }),
  }
}

function onlySeqs(older: JsonObject): Record<string, number> {
  const seqs = Object.create(null)
  for (const [key, seq] of Object.entries(older)) {
    if (Number.isSafeInteger(seq)) seqs[key] = seq
  }
  return seqs
}
