import type { Quality, Want } from './effects.ts'

/** What each quality asks of a camera. Levels: contract/src/ladder.ts. */
const WANTS: Readonly<Record<Quality, Want>> = {
  /** Three coarse pictures a second: under 50 MB an hour. */
  low: { targetFps: 3, maxFps: 3, maxLevel: 2 },
  /** What the link of the camera gives, fluent before large. */
  auto: { targetFps: 5, maxFps: 8, maxLevel: 5 },
  /** Large before fluent. */
  high: { targetFps: 3, maxFps: 15, maxLevel: 5 },
}

/** The level of a single picture, for lists and messages. */
export const SNAPSHOT_LEVEL = 5

/** One camera makes one stream: who wants most decides. Undefined when nobody wants anything. */
export function wantOf(qualities: Iterable<Quality>): Want | undefined {
  let most: Quality | undefined
  for (const quality of qualities) {
    if (quality === 'high') return WANTS.high
    if (quality === 'auto' || most === undefined) most = quality
  }
  return most && WANTS[most]
}

/** Shortest time between two pictures for a viewer of this quality, milliseconds: who saves data does so beside others, too. */
export function leastIntervalMs(quality: Quality): number {
  return quality === 'low' ? 1_000 / WANTS.low.maxFps : 0
}
