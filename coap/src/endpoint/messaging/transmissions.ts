import type { Settings } from '../settings.ts'
import type { Effect, Peer } from '../types.ts'
import { Deadlines, type Timed } from './deadlines.ts'
import { peerKey } from './keys.ts'
import type { Random } from './random.ts'

/** How a confirmable message of ours can end: with an empty or piggybacked ACK, with RST, or without an answer. */
export type TransmissionEnd = 'acknowledged' | 'reset' | 'timeout'

/** Called once when a transmission ends; puts into `effects` whatever follows from it. */
export type OnEnd = (end: TransmissionEnd, now: number, effects: Effect[]) => void

/** What goes out instead when it is time to send again; undefined: the same bytes. */
export type Renew = (now: number) => Renewal | undefined
export type Renewal = Pick<Transmission, 'peer' | 'messageId' | 'bytes'>

/** One confirmable message of ours, from its first transmission until it is acknowledged or given up. */
export interface Transmission extends Timed {
  peer: Peer
  messageId: number
  bytes: Uint8Array
  readonly onEnd: OnEnd
  readonly renew?: Renew | undefined
  timeout: number
  retransmissions: number
}

/** Confirmable messages on their way, with the back-off of RFC 7252 section 4.2. */
export class Transmissions {
  readonly #settings: Settings
  readonly #random: Random
  readonly #byKey = new Map<string, Transmission>()
  readonly #deadlines = new Deadlines<Transmission>()

  constructor(settings: Settings, random: Random) {
    this.#settings = settings
    this.#random = random
  }

  get count(): number {
    return this.#byKey.size
  }

  next(): number {
    return this.#deadlines.next()
  }

  /**
   * Watches over a message that is being sent for the first time. Returns undefined when there are too many already: then it is
   * sent once, and nobody is told of its end.
   */
  add(
    message: Pick<Transmission, 'peer' | 'messageId' | 'bytes' | 'onEnd' | 'renew'>,
    now: number,
  ): Transmission | undefined {
    const { transmissionsMax, ackTimeoutMs, ackRandomFactor } = this.#settings
    if (this.#byKey.size >= transmissionsMax) return undefined
    const timeout = ackTimeoutMs * (1 + this.#random.fraction() * (ackRandomFactor - 1))
    const transmission = { ...message, timeout, retransmissions: 0, deadline: 0, place: -1 }
    this.#byKey.set(keyOf(message.peer, message.messageId), transmission)
    this.#deadlines.add(transmission, now + timeout)
    return transmission
  }

  /** The transmission that an ACK or RST from this peer ends, taken out; undefined if there is none. */
  take(peer: Peer, messageId: number): Transmission | undefined {
    if (this.#byKey.size === 0) return undefined
    const transmission = this.#byKey.get(keyOf(peer, messageId))
    if (transmission !== undefined) this.remove(transmission)
    return transmission
  }

  remove(transmission: Transmission): void {
    this.#byKey.delete(keyOf(transmission.peer, transmission.messageId))
    this.#deadlines.remove(transmission)
  }

  /** Sends again what is due, and ends what has been sent often enough. */
  advance(now: number, effects: Effect[]): void {
    for (let due = this.#deadlines.due(now); due !== undefined; due = this.#deadlines.due(now)) {
      if (due.retransmissions >= this.#settings.maxRetransmit) {
        this.remove(due)
        due.onEnd('timeout', now, effects)
        continue
      }
      this.#renew(due, now)
      due.retransmissions++
      due.timeout *= 2
      // From now, not from the deadline: after a pause of the process the peer gets its time to answer all the same.
      this.#deadlines.add(due, now + due.timeout)
      effects.push({ kind: 'send', bytes: due.bytes, peer: due.peer })
    }
  }

  /** An ACK to what went out before no longer counts then: only the last message is known. */
  #renew(transmission: Transmission, now: number): void {
    const renewal = transmission.renew?.(now)
    if (renewal === undefined) return
    this.#byKey.delete(keyOf(transmission.peer, transmission.messageId))
    transmission.peer = renewal.peer
    transmission.messageId = renewal.messageId
    transmission.bytes = renewal.bytes
    this.#byKey.set(keyOf(transmission.peer, transmission.messageId), transmission)
  }
}

function keyOf(peer: Peer, messageId: number): string {
  return `${peerKey(peer)} ${messageId}`
}
