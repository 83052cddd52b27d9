import { type Control, readControl } from '@pesebre/contract/control'
import { concernsControl, foldControl, isNewToControl } from './control-fold.ts'
import { codeOf } from './errors.ts'
import { isJsonObject, type JsonObject } from './json.ts'
import { patchBetween } from './patch.ts'
import type { Limits, Ports } from './ports.ts'
import type { Recent } from './recent.ts'
import { retrying } from './retry.ts'
import { CONFLICTS_MAX, type Refusal } from './settle.ts'
import type { Item } from './translate.ts'

/** A control shadow as it was when we last read or wrote it, and what it means. */
export type ControlDocument = {
  readonly version: number
  readonly state: JsonObject
  readonly control: Control
}

/**
 * Brings what reports of one thing say about commands and configuration into its control shadow. Resolves when the shadow
 * holds it, to the reports that it refused; rejects with CallError when it may work later.
 */
export type SettleControl = (thing: string, items: readonly Item[], limits: Limits) => Promise<Refusal[]>

/**
 * Compare-and-set, as for the classic shadow (settle.ts). A thing without a control shadow was never registered, or is not any
 * more: nothing is written then, since nobody waits for it.
 */
export function createSettleControl(
  { getControl, updateControl, clock, log }: Pick<Ports, 'getControl' | 'updateControl' | 'clock' | 'log'>,
  cache: Recent<ControlDocument>,
): SettleControl {
  return async (thing, items, limits) => {
    const concerned = items.filter(({ report }) => concernsControl(report))
    if (concerned.length === 0) return []
    let known = cache.get(thing)
    for (let conflicts = 0; ; ) {
      try {
        known ??= documentOf(await retrying(() => getControl(thing, limits.signal), limits.deadline, clock))
        const { reported } = known.control
        const isNew = concerned.some(({ report }) => isNewToControl(reported, report))
        cache.set(thing, isNew ? await write(thing, { known, items: concerned, limits }) : known)
        return []
      } catch (error) {
        cache.delete(thing)
        known = undefined
        const code = codeOf(error)
        if (code === 'missing') {
          log.warn({ thing, reports: concerned.length }, 'No control shadow: outcomes not kept')
          return []
        }
        if (code === 'refused') return concerned.map((item) => ({ item, reason: (error as Error).message }))
        if (code !== 'conflict' || ++conflicts > CONFLICTS_MAX) throw error
        const wait = clock.random() * 2 ** Math.min(conflicts, 8)
        if (clock.now() + wait >= limits.deadline) throw error
        await clock.sleep(wait)
      }
    }
  }

  /** Writes what is new, and returns the document as it is then. */
  async function write(
    thing: string,
    { known, items, limits }: { known: ControlDocument; items: readonly Item[]; limits: Limits },
  ): Promise<ControlDocument> {
    const folded = foldControl(
      known.control,
      items.map(({ report }) => report),
    )
    const before = isJsonObject(known.state['reported']) ? known.state['reported'] : {}
    // Through JSON: what is compared is what would be written.
    const reported: JsonObject = { ...before, ...JSON.parse(JSON.stringify(folded)) }
    const patch = patchBetween(before, reported)
    if (patch === undefined) return known
    const update = () => updateControl(thing, { reported: patch, version: known.version }, limits.signal)
    const version = await retrying(update, limits.deadline, clock)
    return documentOf({ version, state: { ...known.state, reported } })
  }
}

function documentOf({ version, state }: Pick<ControlDocument, 'version' | 'state'>): ControlDocument {
  return { version, state, control: readControl(state) }
}
