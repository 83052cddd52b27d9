/**
 * A rate limit per key by the generic cell rate algorithm: one number per key, the time at which its
 * allowance is full again. Bounded: two generations of at most `keysMax` keys; the older one is dropped whole.
 * A key that is dropped starts with a full burst, so a flood of keys locks nobody out.
 */
export type RateLimit = (key: string, now: number) => boolean

export type RateSettings = {
  /** Sustained rate, per second. */
  rate: number
  /** How many may come at once. */
  burst: number
  /** Keys remembered in one generation. */
  keysMax: number
}

/** `now` in milliseconds of any clock that does not run backwards. */
export function createRateLimit({ rate, burst, keysMax }: RateSettings): RateLimit {
  const cost = 1000 / rate
  const tolerance = cost * (burst - 1)
  let young = new Map<string, number>()
  let old = new Map<string, number>()

  return (key, now) => {
    const full = young.get(key) ?? old.get(key) ?? 0
    const from = Math.max(full, now)
    if (from - now > tolerance) return false
    if (young.size >= keysMax && !young.has(key)) {
      old = young
      young = new Map()
    }
    young.set(key, from + cost)
    return true
  }
}
