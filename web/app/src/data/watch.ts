/** Pure parts of the live connection. */
import type { Watch } from '@pesebre/contract/api/live'

/** What a page shows. */
export type Wanted = {
  stables?: readonly string[]
  things?: readonly string[]
  fleet?: boolean
  hops?: boolean
}

/** Everything that any page wants, each thing once and in order, so that the same wishes make the same message. */
export function merge(all: readonly Wanted[]): Watch['watch'] {
  const stables = unique(all.flatMap(({ stables: list = [] }) => list))
  const things = unique(all.flatMap(({ things: list = [] }) => list))
  return {
    ...(stables.length > 0 && { stables }),
    ...(things.length > 0 && { things }),
    ...(all.some(({ fleet }) => fleet) && { fleet: true }),
    ...(all.some(({ hops }) => hops) && { hops: true }),
  }
}

const DELAY_MIN_MS = 500
const DELAY_MAX_MS = 30_000

/** Milliseconds before attempt number `attempt` (from 0) to connect again: doubled each time, and spread. `random` from 0 to 1. */
export function delayOf(attempt: number, random: number): number {
  const most = Math.min(DELAY_MAX_MS, DELAY_MIN_MS * 2 ** Math.min(attempt, 10))
  return Math.round(most * (0.5 + random / 2))
}

function unique(list: readonly string[]): string[] {
  return [...new Set(list)].sort()
}
