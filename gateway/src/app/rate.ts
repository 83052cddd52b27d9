/** Whether `key` may go on now. Takes one from its allowance if so. `now`: milliseconds of a clock that does not fall back. */
export type RateLimit = (key: string, now: number) => boolean

export type RateSettings = {
  /** Sustained rate, per second. */
  rate: number
  /** How many may come at once. */
  burst: number
  /** Keys remembered in one generation. */
  keysMax: number
}

/**
 * A rate limit per key by the generic cell rate algorithm: one number per key, the time at which its allowance is full
 * again. Bounded: two generations of at most `keysMax` keys each; the older one is dropped whole. A key that was dropped
 * starts with a full burst, so a flood of keys locks nobody out.
 */
export function createRateLimit({ rate, burst, keysMax }: RateSettings): RateLimit {
  const cost = 1000 / rate
  // A hundredth more: sums of times that are not whole would otherwise fall just short of the last of a burst.
  const tolerance = cost * (burst - 1 + 0.01)
  let young = new Map<string, { full: number }>()
  let old = new Map<string, { full: number }>()

  function allowanceOf(key: string): { full: number } {
    if (young.size >= keysMax) {
      old = young
      young = new Map()
    }
    const allowance = old.get(key) ?? { full: 0 }
    young.set(key, allowance)
    return allowance
  }

  return (key, now) => {
    const allowance = young.get(key) ?? allowanceOf(key)
    const from = Math.max(allowance.full, now)
    if (from - now > tolerance) return false
    allowance.full = from + cost
    return true
  }
}
