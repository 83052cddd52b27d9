/** Pings that find the relay's clock: a few at once, then now and then, milliseconds. */
const PINGS_AT = [0, 1_000, 2_000]
const PING_MS = 20_000

export type RelayClockOptions = {
  /** Milliseconds that never go back. */
  readonly now: () => number
  readonly after: (ms: number, then: () => void) => () => void
  readonly ping: (now: number) => void
}

/** Finds what to add to our time to get the relay's. The ping that was fastest tells most. */
export class RelayClock {
  readonly #options: RelayClockOptions
  #cancels: (() => void)[] = []
  #least = Number.POSITIVE_INFINITY
  /** Milliseconds; undefined before the first answer. */
  offset: number | undefined

  constructor(options: RelayClockOptions) {
    this.#options = options
  }

  begin(): void {
    const { after } = this.#options
    this.#cancels = [
      after(PING_MS, () => this.#again()),
      ...PINGS_AT.map((ms) => after(ms, () => this.#ping())),
    ]
  }

  /** @param answer what the relay said: our own time, which it gives back, and its own */
  answered({ pong, now }: { pong: number; now: number }): void {
    const roundTrip = this.#options.now() - pong
    if (roundTrip > this.#least) return
    this.#least = roundTrip
    this.offset = now - (pong + roundTrip / 2)
  }

  end(): void {
    for (const cancel of this.#cancels) cancel()
  }

  #again(): void {
    this.#ping()
    this.#cancels[0] = this.#options.after(PING_MS, () => this.#again())
  }

  #ping(): void {
    this.#options.ping(this.#options.now())
  }
}
