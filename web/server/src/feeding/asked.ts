import type { Deps } from '../deps.ts'
import { Problem } from '../problems.ts'
import { type FedHorse, fedHorse } from './feeders.ts'
import type { Feeding } from './feeding.ts'
import type { HorseWithFeeder } from './settings.ts'

/** What routes about a horse's feeding begin with. */

/** @throws Problem 503 where AWS IoT is not set up */
export function feedingOf({ feeding }: Pick<Deps, 'feeding'>): Feeding {
  if (feeding === undefined) throw new Problem('unavailable', { detail: 'AWS IoT is not set up' })
  return feeding
}

/** @throws Problem 404 */
export async function horseOf({ db }: Pick<Deps, 'db'>, id: string): Promise<FedHorse> {
  const horse = await fedHorse(db, id)
  if (horse === undefined) throw new Problem('not-found')
  return horse
}

/** @throws Problem 409 */
export function withFeeder(horse: FedHorse): HorseWithFeeder {
  if (horse.feeder === null) throw new Problem('conflict', { reason: 'no_feeder' })
  return { ...horse, feeder: horse.feeder }
}
