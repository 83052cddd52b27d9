import type { MissedWindow } from '@pesebre/contract/shadow'
import { isJsonObject } from './json.ts'

/**
 * Which numbers of a device's sequence have come, to count those that never did. The last WIDTH are kept as bits, so that
 * a late one mends the count and a repeated one does not touch it. A number is counted only when it leaves the window, and
 * numbers leave in their order: so the count is the same in whatever order they came, as long as none came later than WIDTH numbers.
 */
export type Missed = {
  /** Highest number that has come. */
  readonly upto: number
  /** Bit i: `upto - i` has come. */
  readonly seen: bigint
  /** Missing below the window, up to the last that came there. */
  readonly lost: number
  /** Missing right below the window, after the last that came there; at most GAP_END. */
  readonly gap: number
}

const WIDTH = 64
/** As many missing in a row, or more, are no loss: the device has started anew. */
const GAP_END = 65

const MASK = (1n << 64n) - 1n

/** What is known after the first number. */
export function firstSeen(seq: number): Missed {
  return { upto: seq, seen: 1n, lost: 0, gap: GAP_END }
}

/** Takes a number in. The same object if it tells nothing new. */
export function see(missed: Missed, seq: number): Missed {
  const ahead = seq - missed.upto
  if (ahead > 0)
    return {
      ...shifted(missed, ahead),
      upto: seq,
      seen: ((missed.seen << BigInt(Math.min(ahead, WIDTH))) | 1n) & MASK,
    }
  if (-ahead >= WIDTH) return missed
  const seen = missed.seen | (1n << BigInt(-ahead))
  return seen === missed.seen ? missed : { ...missed, seen }
}

/** What two memories of the same device know together. */
export function seeAll(a: Missed, b: Missed): Missed {
  const [older, newer] = a.upto < b.upto ? [a, b] : [b, a]
  const behind = newer.upto - older.upto
  if (behind >= WIDTH) return newer
  return { ...newer, seen: (newer.seen | (older.seen << BigInt(behind))) & MASK }
}

/** How many are missing up to the newest. */
export function lostIn({ seen, lost, gap }: Missed): number {
  return leave({ lost, gap }, seen, WIDTH).lost
}

export function windowOf({ upto, seen, lost, gap }: Missed): MissedWindow {
  return { upto, seen: seen.toString(16), lost, gap }
}

/** Reads what windowOf wrote; undefined for anything else. */
export function missedOf(window: unknown): Missed | undefined {
  if (!isJsonObject(window)) return undefined
  const { upto, seen, lost, gap } = window
  if (![upto, lost, gap].every((value) => Number.isSafeInteger(value) && (value as number) >= 0))
    return undefined
  if (typeof seen !== 'string' || !/^[0-9a-f]{1,16}$/.test(seen)) return undefined
  return { upto: upto as number, seen: BigInt(`0x${seen}`), lost: lost as number, gap: gap as number }
}

type Count = { lost: number; gap: number }

/** The window moves on by `ahead` numbers: what falls out of it is counted. */
function shifted({ seen, lost, gap }: Missed, ahead: number): Count {
  const count = leave({ lost, gap }, seen, Math.min(ahead, WIDTH))
  return { ...count, gap: Math.min(count.gap + Math.max(0, ahead - WIDTH), GAP_END) }
}

/** The highest `bits` of the window leave it, the oldest number first. */
function leave({ lost, gap }: Count, seen: bigint, bits: number): Count {
  const count = { lost, gap }
  for (let i = 0; i < bits; i++) {
    if (((seen >> BigInt(WIDTH - 1 - i)) & 1n) === 0n) {
      count.gap = Math.min(count.gap + 1, GAP_END)
      continue
    }
    if (count.gap < GAP_END) count.lost += count.gap
    count.gap = 0
  }
  return count
}
