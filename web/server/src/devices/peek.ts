import type { Shadows } from '../iot/shadows.ts'
import { type StateEvent, stateOf } from '../live/documents.ts'

/** Looks at the shadows of things of which the archive has nothing: those that speak MQTT to AWS IoT themselves. */
export type Peek = (things: readonly string[]) => Promise<ReadonlyMap<string, StateEvent>>

/** What was read is good for so long, milliseconds: AWS bills each look. */
const GOOD_MS = 60_000
const AT_ONCE = 16
/** Things looked at for one answer. */
export const PEEKED_MAX = 200

export function createPeek(shadows: Pick<Shadows, 'read'>, onError: (error: unknown) => void): Peek {
  const seen = new Map<string, { readonly event: StateEvent; readonly readAt: number }>()

  return async (things) => {
    const now = performance.now()
    const asked = things.slice(0, PEEKED_MAX)
    const stale = asked.filter(
      (thing) => now - (seen.get(thing)?.readAt ?? Number.NEGATIVE_INFINITY) > GOOD_MS,
    )
    const read = async (): Promise<void> => {
      for (let thing = stale.pop(); thing !== undefined; thing = stale.pop()) {
        try {
          const { event } = stateOf(thing, await shadows.read(thing).catch(unlessForbidden))
          seen.set(thing, { event, readAt: now })
        } catch (error) {
          onError(error)
        }
      }
    }
    // What cannot be read is shown as it was, if it was.
    await Promise.all(Array.from({ length: AT_ONCE }, read))
    return new Map(asked.flatMap((thing) => (seen.has(thing) ? [[thing, seen.get(thing)!.event]] : [])))
  }
}

/** Things that are none of ours are in the same registry. On AWS their shadows are not for us to read, which is no failure. */
function unlessForbidden(error: unknown): undefined {
  if ((error as { name?: string }).name !== 'ForbiddenException') throw error
}
