/** How often signing in may fail. */
export type ThrottleLimits = {
  /** Failures that cost nothing, for one account from one address. Then each doubles the wait, from one second. */
  readonly free: number
  /** Longest wait, milliseconds; who has waited it out without trying starts anew. */
  readonly waitMaxMs: number
  /** Failures of one address within `waitMaxMs`, whatever the accounts. */
  readonly perAddress: number
  /** Failures for one account within `waitMaxMs`, whatever the addresses: more than a person makes. */
  readonly perAccount: number
  /** Rows kept; beyond, the oldest go. */
  readonly rows: number
}

export const THROTTLE: ThrottleLimits = {
  free: 5,
  waitMaxMs: 15 * 60_000,
  perAddress: 50,
  perAccount: 100,
  rows: 20_000,
}

type Row = { failures: number; last: number; blockedUntil: number }

/**
 * Slows down who guesses passwords, without letting them lock the owner out: the account's own limit is far above what a
 * person does, and the strict one counts for the pair of account and address. In memory: a restart forgives.
 */
export class Throttle {
  readonly #limits: ThrottleLimits
  /** In the order of the last failure. */
  readonly #rows = new Map<string, Row>()

  constructor(limits: ThrottleLimits = THROTTLE) {
    this.#limits = limits
  }

  /** Milliseconds to wait before the next try; 0: go on. */
  wait(account: string, address: string, now: number): number {
    return Math.max(
      0,
      ...keysOf(account, address).map((key) => (this.#fresh(key, now)?.blockedUntil ?? 0) - now),
    )
  }

  failed(account: string, address: string, now: number): void {
    const { free, perAddress, perAccount, waitMaxMs } = this.#limits
    const allowed = [free, perAddress, perAccount]
    for (const [index, key] of keysOf(account, address).entries()) {
      const failures = (this.#fresh(key, now)?.failures ?? 0) + 1
      const over = failures - allowed[index]!
      const waitMs = over < 0 ? 0 : Math.min(1000 * 2 ** Math.min(over, 30), waitMaxMs)
      this.#rows.delete(key)
      this.#rows.set(key, { failures, last: now, blockedUntil: now + waitMs })
    }
    for (const key of this.#rows.keys()) {
      if (this.#rows.size <= this.#limits.rows) break
      this.#rows.delete(key)
    }
  }

  /** The pair is trusted again; the address and the account keep their counts, or one good account would buy more guesses. */
  succeeded(account: string, address: string): void {
    this.#rows.delete(keysOf(account, address)[0]!)
  }

  #fresh(key: string, now: number): Row | undefined {
    const row = this.#rows.get(key)
    return row !== undefined && now - row.last < this.#limits.waitMaxMs ? row : undefined
  }
}

/** Pair, address, account; in the order of the limits. */
function keysOf(account: string, address: string): string[] {
  return [`${account} ${address}`, `address ${address}`, `account ${account}`]
}
