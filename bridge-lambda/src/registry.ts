import { CallError, codeOf } from './errors.ts'
import { createPace, type Pace } from './pace.ts'
import type { Limits, Ports } from './ports.ts'
import { createRecent } from './recent.ts'
import { retrying } from './retry.ts'

/** Thing types remembered as made. */
const TYPES_MAX = 1_000

/**
 * Sees to it that a thing is in the registry. AWS IoT keeps a shadow for any name, thing or not ("we don't enforce a mapping
 * between a thing's registry name and [...] shadow state", developer guide, "Managing devices with AWS IoT"), so nobody else would.
 */
export type EnsureThing = (thing: string, type: string, limits: Limits) => Promise<void>

/** Calls a second that AWS allows an account (Service Quotas: CreateThing 100, CreateThingType 15; both can be raised). */
export type RegistryRates = { readonly thingsPerSecond: number; readonly typesPerSecond: number }

/** The rates hold for this process: several at once may still be throttled, and then try again. */
export function createRegistry(
  {
    createThing,
    createThingType,
    clock,
    log,
  }: Pick<Ports, 'createThing' | 'createThingType' | 'clock' | 'log'>,
  { thingsPerSecond, typesPerSecond }: RegistryRates,
): EnsureThing {
  const thingPace = createPace(thingsPerSecond)
  const typePace = createPace(typesPerSecond)
  const types = createRecent<Promise<void>>(TYPES_MAX)

  return async (thing, type, limits) => {
    await ensureType(type, limits)
    try {
      await paced(() => createThing(thing, type, limits.signal), {
        pace: thingPace,
        what: `Create thing ${thing}`,
        limits,
      })
    } catch (error) {
      if (codeOf(error) === 'missing') {
        // AWS: a type may take a moment to be known everywhere. If it was deleted, make it again next time.
        types.delete(type)
        throw new CallError('unavailable', (error as Error).message, error)
      }
      if (codeOf(error) !== 'exists') throw error
      log.warn({ thing, type }, 'Thing exists with another type or attributes: kept as it is')
    }
  }

  /** One call per type, however many things wait for it. */
  function ensureType(type: string, limits: Limits): Promise<void> {
    const made = types.get(type)
    if (made !== undefined) return made
    const making = paced(() => createThingType(type, limits.signal), {
      pace: typePace,
      what: `Create thing type ${type}`,
      limits,
    }).catch((error: unknown) => {
      if (codeOf(error) === 'exists') return
      types.delete(type)
      throw error
    })
    types.set(type, making)
    return making
  }

  function paced(
    call: () => Promise<void>,
    { pace, what, limits }: { pace: Pace; what: string; limits: Limits },
  ): Promise<void> {
    const attempt = async () => {
      const wait = pace.reserve(clock.now(), limits.deadline)
      if (wait === undefined) throw new CallError('unavailable', `${what}: too many others wait to be made`)
      if (wait > 0) await clock.sleep(wait)
      await call()
    }
    return retrying(attempt, limits.deadline, clock)
  }
}
