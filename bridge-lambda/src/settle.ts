import { LINK_KEY } from '@pesebre/contract/limits'
import { CallError, codeOf } from './errors.ts'
import { fold, type Held, heldBy, isNewest, isNews, reportedOf } from './fold.ts'
import type { JsonObject } from './json.ts'
import { type Missed, seeAll } from './missed.ts'
import { patchBetween } from './patch.ts'
import type { Limits, Ports } from './ports.ts'
import type { Recent } from './recent.ts'
import type { EnsureThing } from './registry.ts'
import { retrying } from './retry.ts'
import type { Item } from './translate.ts'

/** A report that says "unchanged" is written when this much time lies between it and the shadow's `link.at`, in milliseconds. */
export const UNCHANGED_WRITE_MS = 3_600_000

/** How long our memory of a shadow is believed when it says that a report is old news, in milliseconds. */
export const TRUST_MS = 60_000

/** Versions of a shadow that others may get in before us; then its messages go back to the queue. */
export const CONFLICTS_MAX = 12

/** What we know of a shadow. */
export type Shadow = {
  readonly version: number
  /** The document of that version. */
  readonly reported: JsonObject
  /** What it means. */
  readonly written: Held
  /** The same, and beyond it the unchanged reports that were not worth a write: they still outrank what comes late. */
  readonly held: Held
  /** When AWS last told us the version, by the clock. */
  readonly confirmedAt: number
}

/** A report that can never be written, and why. */
export type Refusal = { readonly item: Item; readonly reason: string }

/**
 * Brings the reports of one thing into its shadow. Resolves when the shadow holds them, to those that it refused;
 * rejects with CallError when it may work later.
 */
export type Settle = (thing: string, items: readonly Item[], limits: Limits) => Promise<Refusal[]>

type SettlePorts = Pick<Ports, 'getShadow' | 'updateShadow' | 'clock'> & { readonly ensureThing: EnsureThing }

/**
 * The write is a compare-and-set on the shadow's version: it is made from a document that we know whole, and AWS takes it
 * only if that is still the document. Whoever loses reads again and folds again; as folding never lets an old report
 * win, no order of bridges, batches and repetitions moves a shadow back.
 *
 * A shadow that does not exist has no version to compare. So it is made first, by a write of nothing, which
 * changes nothing if somebody else was faster; then it is read, and written like any other. A shadow that was
 * deleted behind our back is a conflict too (AWS answers 409 to a version it no longer has).
 */
export function createSettle(
  { getShadow, updateShadow, ensureThing, clock }: SettlePorts,
  cache: Recent<Shadow>,
): Settle {
  return settle

  async function settle(thing: string, items: readonly Item[], limits: Limits): Promise<Refusal[]> {
    let known = cache.get(thing)
    const remembered = known?.held.missed
    for (let conflicts = 0; ; ) {
      let shadow: Shadow
      try {
        shadow = known ?? withMissed(await load(thing, items.at(-1)!.report.type, limits), remembered)
      } catch (error) {
        if (codeOf(error) !== 'refused') throw error
        return items.map((item) => ({ item, reason: (error as Error).message }))
      }
      const held = fold(shadow.held, items)
      const reported = reportedOf(held)
      const patch = patchBetween(shadow.reported, reported)
      if (patch === undefined || !isWorthWriting(shadow, { held, patch, items })) {
        const isLate = items.some(({ report }) => !isNewest(shadow.held, report.seq))
        if (known !== undefined && isLate && clock.now() - known.confirmedAt > TRUST_MS) {
          // Old by our memory. But the shadow may have been deleted to let a device start over: look.
          known = undefined
          continue
        }
        cache.set(thing, { ...shadow, held })
        return []
      }
      try {
        const write = () => updateShadow(thing, { reported: patch, version: shadow.version }, limits.signal)
        const version = await retrying(write, limits.deadline, clock)
        cache.set(thing, shadowOf({ version, reported, held }))
        return []
      } catch (error) {
        cache.delete(thing)
        known = undefined
        const code = codeOf(error)
        if (code === 'refused') return refuse(thing, { items, reason: (error as Error).message, limits })
        if ((code !== 'conflict' && code !== 'missing') || ++conflicts > CONFLICTS_MAX) throw error
        const wait = clock.random() * 2 ** Math.min(conflicts, 8)
        if (clock.now() + wait >= limits.deadline) throw error
        await clock.sleep(wait)
      }
    }
  }

  /** The shadow said no: to one report, then that is the one; to several, then halve until it is found. */
  async function refuse(
    thing: string,
    { items, reason, limits }: { items: readonly Item[]; reason: string; limits: Limits },
  ): Promise<Refusal[]> {
    if (items.length === 1) return [{ item: items[0]!, reason }]
    const middle = items.length >> 1
    const first = await settle(thing, items.slice(0, middle), limits)
    return [...first, ...(await settle(thing, items.slice(middle), limits))]
  }

  /** Reads the shadow; makes it, and its thing, if no report has ever been written there. */
  async function load(thing: string, type: string, limits: Limits): Promise<Shadow> {
    const found = await read(thing, limits)
    if (found?.held.newest !== undefined) return found
    // We write `link` only after this. So where there is a `link`, the thing has been seen to, and a cold start costs no more.
    await ensureThing(thing, type, limits)
    if (found !== undefined) return found
    await retrying(() => updateShadow(thing, { reported: {} }, limits.signal), limits.deadline, clock)
    const made = await read(thing, limits)
    if (made === undefined)
      throw new CallError('unavailable', `Make shadow of ${thing}: gone after its first write`)
    return made
  }

  function shadowOf({ version, reported, held }: Pick<Shadow, 'version' | 'reported' | 'held'>): Shadow {
    return { version, reported, written: held, held, confirmedAt: clock.now() }
  }

  async function read(thing: string, limits: Limits): Promise<Shadow | undefined> {
    try {
      const { reported, version } = await retrying(
        () => getShadow(thing, limits.signal),
        limits.deadline,
        clock,
      )
      return shadowOf({ version, reported, held: heldBy(reported) })
    } catch (error) {
      if (codeOf(error) === 'missing') return undefined
      throw error
    }
  }
}

/** Keeps in mind, over a conflict, which numbers have come in reports that were not worth a write. */
function withMissed(shadow: Shadow, remembered: Missed | undefined): Shadow {
  const { missed } = shadow.held
  if (remembered === undefined || missed === undefined) return shadow
  return { ...shadow, held: { ...shadow.held, missed: seeAll(missed, remembered) } }
}

/**
 * Whether a write is worth what it costs. Reports of which the device says `changed: false` carry nothing that an earlier,
 * answered report did not carry, and that one is on its way, whatever happens. They are written only
 * - if they do differ from what we know of the shadow: then the earlier report is not there yet, or the device is mistaken;
 * - once an hour, by the devices' own times, so that `link` shows that the device lives.
 *
 * So nothing is lost by leaving them out, as long as a device whose report went unanswered says "changed" until one is answered.
 * One that compares only with its last *answered* report can mislead us in one way: A was answered, B got through but
 * its answer did not, A again is called unchanged. A bridge that has seen B writes the second A at once; one whose memory is
 * older than B leaves it out, and the shadow shows B until the next change, or for an hour.
 */
function isWorthWriting(
  { written }: Shadow,
  { held, patch, items }: { held: Held; patch: JsonObject; items: readonly Item[] },
): boolean {
  // Asked of the document, not of `held`: what only our memory has outranked must still be written, for other bridges.
  if (items.some(({ report }) => report.changed !== false && isNews(written, report))) return true
  if (Object.keys(patch).some((key) => key !== LINK_KEY)) return true
  if (written.newest === undefined || held.newest === undefined) return true
  return Math.abs(held.newest.at - written.newest.at) >= UNCHANGED_WRITE_MS
}
