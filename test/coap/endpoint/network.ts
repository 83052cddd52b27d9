import type { Endpoint } from '@pesebre/coap/endpoint/endpoint'
import type { Effect, Peer, RequestEffect, Response } from '@pesebre/coap/endpoint/types'

/** What happens to datagrams on the way: each a chance, or milliseconds. */
export interface Weather {
  readonly loss?: number
  readonly duplication?: number
  readonly delay?: { readonly min: number; readonly max: number }
  /** Says of one datagram whether it is lost. */
  readonly isLost?: (bytes: Uint8Array, from: string) => boolean
}

interface Flight {
  readonly at: number
  readonly order: number
  readonly bytes: Uint8Array
  readonly from: Peer
  readonly to: Peer
}

/** Whatever sits at one address: an endpoint, and what answers its requests, after a while if it likes. */
interface Host {
  readonly endpoint: Endpoint
  readonly peer: Peer
  readonly answer: (effect: RequestEffect) => Answered | undefined
}
export type Answered = Response | { readonly response: Response; readonly afterMs: number }

/**
 * A network of endpoints in a single thread: a clock that jumps from event to event, and datagrams that get lost, doubled and
 * delayed by a generator with a seed. A day passes in as long as its events take to compute.
 */
export class Network {
  now = 0
  /** Effects of kind `response` and `failure`, in order. */
  readonly ends: Effect[] = []
  sent = 0
  readonly #weather: Weather
  readonly #random: () => number
  readonly #hosts = new Map<string, Host>()
  readonly #flights: Flight[] = []
  readonly #later: { at: number; run: () => void }[] = []
  #order = 0

  constructor(seed: number, weather: Weather = {}) {
    this.#random = generator(seed)
    this.#weather = weather
  }

  add(host: Host): void {
    this.#hosts.set(nameOf(host.peer), host)
  }

  /** Carries out effects of the endpoint at `peer`. */
  carryOut(peer: Peer, effects: readonly Effect[]): void {
    const host = this.#hosts.get(nameOf(peer))
    if (host === undefined) throw new Error(`Failed to find a host: ${nameOf(peer)}`)
    for (const effect of effects) {
      if (effect.kind === 'send') this.#send(effect.bytes, peer, effect.peer)
      else if (effect.kind === 'request') this.#answer(host, effect)
      else if (effect.kind !== 'drop') this.ends.push(effect)
    }
  }

  /** Does something at a later time. */
  at(time: number, run: () => void): void {
    this.#later.push({ at: time, run })
  }

  /** Lets time pass until nothing is left to happen, or until the given time. */
  run(until = Infinity): void {
    for (;;) {
      const next = this.#next()
      if (next === Infinity || next > until) break
      this.now = Math.max(this.now, next)
      this.#step()
    }
    if (until !== Infinity) this.now = Math.max(this.now, until)
  }

  #next(): number {
    let next = Infinity
    for (const flight of this.#flights) next = Math.min(next, flight.at)
    for (const task of this.#later) next = Math.min(next, task.at)
    for (const { endpoint } of this.#hosts.values()) next = Math.min(next, endpoint.nextDeadline())
    return next
  }

  #step(): void {
    for (const task of takeOut(this.#later, ({ at }) => at <= this.now)) task.run()
    const arrived = takeOut(this.#flights, ({ at }) => at <= this.now)
    for (const { bytes, from, to } of arrived.sort((a, b) => a.at - b.at || a.order - b.order)) {
      const host = this.#hosts.get(nameOf(to))
      if (host !== undefined) this.carryOut(to, host.endpoint.receive(bytes, from, this.now))
    }
    for (const { endpoint, peer } of this.#hosts.values()) {
      if (endpoint.nextDeadline() <= this.now) this.carryOut(peer, endpoint.advance(this.now))
    }
  }

  #answer({ endpoint, peer, answer }: Host, effect: RequestEffect): void {
    const answered = answer(effect)
    if (answered === undefined) return
    const { response, afterMs } = 'response' in answered ? answered : { response: answered, afterMs: 0 }
    const run = (): void => this.carryOut(peer, endpoint.respond(effect.exchange, response, this.now))
    if (afterMs === 0) run()
    else this.at(this.now + afterMs, run)
  }

  #send(bytes: Uint8Array, from: Peer, to: Peer): void {
    this.sent++
    const { loss = 0, duplication = 0, delay = { min: 1, max: 1 }, isLost = () => false } = this.#weather
    const copies = this.#random() < duplication ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      if (this.#random() < loss || isLost(bytes, nameOf(from))) continue
      const at = this.now + delay.min + this.#random() * (delay.max - delay.min)
      // A copy, as it would be on a wire: nobody may rely on sharing memory with the sender.
      this.#flights.push({ at, order: this.#order++, bytes: bytes.slice(), from, to })
    }
  }
}

/** Mulberry32: numbers from 0 to 1 that a seed fixes. */
export function generator(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function nameOf({ address, port }: Peer): string {
  return `${address}:${port}`
}

function takeOut<T>(list: T[], isWanted: (item: T) => boolean): T[] {
  const taken = list.filter(isWanted)
  const left = list.filter((item) => !isWanted(item))
  list.splice(0, list.length, ...left)
  return taken
}
