import { EMPTY, isRequest, isResponse } from '../codec/codes.ts'
import { TYPE } from '../codec/message.ts'
import { createScan, scan } from '../codec/scan.ts'
import type { OpenCall } from './client/call.ts'
import { Client } from './client/client.ts'
import { createDigest } from './messaging/digest.ts'
import { Outgoing } from './messaging/outgoing.ts'
import { Random } from './messaging/random.ts'
import { Recent } from './messaging/recent.ts'
import { type Counters, createCounters, type DropReason, type Outcome } from './outcomes.ts'
import type { OpenExchange } from './server/exchange.ts'
import { Server } from './server/server.ts'
import { type PartialSettings, type Settings, settingsOf } from './settings.ts'
import type { Call, Effect, Exchange, OutgoingRequest, Peer, Response } from './types.ts'

/**
 * One CoAP endpoint, server and client, as a state machine: bytes and time go in, effects come out. It does no I/O, reads no clock
 * and draws no random numbers. `now` is in milliseconds, on any clock that does not run backwards.
 *
 * Every method that returns effects returns an array of its own; carry them out in order. A datagram given to `receive` belongs to
 * the endpoint and the application from then on: do not write into it. Nothing in a datagram makes a method throw.
 */
export interface Endpoint {
  /** How many datagrams met each outcome: the numbers add up to the calls of `receive`. */
  readonly counters: Counters
  /** Takes one datagram. */
  receive(bytes: Uint8Array, peer: Peer, now: number): readonly Effect[]
  /**
   * Answers a request. A second answer, or one after the exchange has come to its end, does nothing. Throws RangeError for a
   * response that cannot be encoded; the exchange is still open then.
   */
  respond(exchange: Exchange, response: Response, now: number): readonly Effect[]
  /**
   * Sends the new state of a resource to its observers: `resource` is what `Response.observe` named it. An answer that is not
   * 2.xx is their last.
   */
  notify(resource: string, response: Response, now: number): readonly Effect[]
  /** Whether anybody observes the resource. */
  isObserved(resource: string): boolean
  /**
   * Sends a request of our own. What becomes of it comes as effects of kind `response` or `failure` that carry the call.
   * Throws RangeError when it cannot be encoded or too many are open.
   */
  request(request: OutgoingRequest, now: number): { readonly call: Call; readonly effects: readonly Effect[] }
  /** Ends a call of ours without waiting for its answer; an observation is taken back at the server. */
  cancel(call: Call, now: number): readonly Effect[]
  /** Does what is due: empty ACKs, retransmissions, ends. */
  advance(now: number): readonly Effect[]
  /** When `advance` should be called next; Infinity if there is nothing to wait for. */
  nextDeadline(): number
  /** How full the tables are. */
  sizes(): Sizes
}

/** What the endpoint holds at the moment, and what it had to let go since it was made. */
export interface Sizes {
  /** Requests that wait for the application. */
  readonly pending: number
  /** Messages remembered to know repeats, and the bytes of memory this takes. */
  readonly exchanges: number
  readonly exchangeBytes: number
  /** Confirmable messages of ours that wait for their ACK. */
  readonly transmissions: number
  readonly uploads: number
  readonly downloads: number
  readonly observers: number
  /** Requests of ours under way. */
  readonly calls: number
  /** Remembered messages, uploads, downloads and observers that had to make room before their time. */
  readonly evicted: {
    readonly exchanges: number
    readonly uploads: number
    readonly downloads: number
    readonly observers: number
  }
  /** Requests that the application never answered. */
  readonly abandoned: number
  /** Answers and notifications that were not sent because there was no sequence number to protect them with. */
  readonly withheld: number
}

/** Makes an endpoint. Throws RangeError for settings that cannot be used. */
export function createEndpoint(settings: PartialSettings): Endpoint {
  return new Core(settingsOf(settings))
}

/** Tells messages apart and hands each to the role that it concerns. */
class Core implements Endpoint {
  readonly counters = createCounters()
  readonly #recent: Recent
  readonly #outgoing: Outgoing
  readonly #server: Server
  readonly #client: Client
  readonly #scan = createScan()

  constructor(settings: Settings) {
    const random = new Random(settings.seed)
    this.#recent = new Recent(settings)
    this.#outgoing = new Outgoing(settings, random)
    const shared = {
      settings,
      random,
      recent: this.#recent,
      outgoing: this.#outgoing,
      digest: createDigest(settings.seed),
      tally: (outcome: Outcome) => void this.counters[outcome]++,
    }
    this.#server = new Server(shared)
    this.#client = new Client(shared)
  }

  receive(bytes: Uint8Array, peer: Peer, now: number): readonly Effect[] {
    if (peer.port === 0) return this.#drop('source-port-zero', peer)
    const message = this.#scan
    const malformed = scan(bytes, message)
    if (malformed !== undefined) {
      // A message with a reserved code is rejected (RFC 7252 section 4.2). What is not even a message gets silence instead of the
      // reset that the same section asks for: most of it is no CoAP at all.
      if (malformed === 'reserved-code' && message.type === TYPE.CON) return this.#reset('reset-sent', peer)
      return this.#drop(malformed, peer)
    }
    const { type, code } = message
    if (isRequest(code)) {
      return type < TYPE.ACK
        ? this.#server.receive(bytes, message, peer, now)
        : this.#drop('misplaced-code', peer)
    }
    if (type >= TYPE.ACK) return this.#receiveReply(bytes, peer, now)
    if (code !== EMPTY) return this.#client.receive(bytes, message, peer, now)
    return type === TYPE.CON ? this.#reset('ping', peer) : this.#drop('empty-non', peer)
  }

  respond(exchange: Exchange, response: Response, now: number): readonly Effect[] {
    if (!isResponse(response.code)) throw new RangeError(`Failed to respond with code: ${response.code}`)
    return this.#server.respond(exchange as OpenExchange, response, now)
  }

  notify(resource: string, response: Response, now: number): readonly Effect[] {
    if (!isResponse(response.code)) throw new RangeError(`Failed to notify with code: ${response.code}`)
    return this.#server.observers.notify(resource, response, now)
  }

  isObserved(resource: string): boolean {
    return this.#server.observers.isObserved(resource)
  }

  request(request: OutgoingRequest, now: number): { call: Call; effects: readonly Effect[] } {
    if (!isRequest(request.method)) throw new RangeError(`Failed to request with method: ${request.method}`)
    return this.#client.request(request, now)
  }

  cancel(call: Call, now: number): readonly Effect[] {
    return this.#client.cancel(call as OpenCall, now)
  }

  advance(now: number): readonly Effect[] {
    const effects: Effect[] = []
    this.#server.advance(now, effects)
    this.#outgoing.transmissions.advance(now, effects)
    this.#client.advance(now, effects)
    return effects
  }

  nextDeadline(): number {
    return Math.min(this.#server.next(), this.#outgoing.transmissions.next(), this.#client.next())
  }

  sizes(): Sizes {
    const { observers, uploads, downloads, pending, abandoned, withheld } = this.#server
    return {
      pending,
      exchanges: this.#recent.count,
      exchangeBytes: this.#recent.bytes,
      transmissions: this.#outgoing.transmissions.count,
      uploads: uploads.count,
      downloads: downloads.count,
      observers: observers.count,
      calls: this.#client.count,
      evicted: {
        exchanges: this.#recent.evicted,
        uploads: uploads.evicted,
        downloads: downloads.evicted,
        observers: observers.evicted,
      },
      abandoned,
      withheld: withheld + observers.withheld,
    }
  }

  /** An ACK or RST: the end of a confirmable message of ours, or of an observation. */
  #receiveReply(bytes: Uint8Array, peer: Peer, now: number): readonly Effect[] {
    const message = this.#scan
    const { type, code, messageId } = message
    if (type === TYPE.ACK && code !== EMPTY) {
      const effects = this.#client.receiveAcknowledged(bytes, message, peer, now)
      if (effects !== undefined) return effects
    }
    // A reset is always empty (section 4.2).
    if (type === TYPE.RST && code !== EMPTY) return this.#drop('misplaced-code', peer)
    const transmission = this.#outgoing.transmissions.take(peer, messageId)
    const outcome = type === TYPE.ACK ? 'acknowledgement' : 'reset'
    if (transmission === undefined) {
      if (type === TYPE.ACK || !this.#server.observers.reset(peer, messageId))
        return this.#drop('unmatched', peer)
      this.counters[outcome]++
      return []
    }
    this.counters[outcome]++
    const effects: Effect[] = []
    transmission.onEnd(type === TYPE.ACK ? 'acknowledged' : 'reset', now, effects)
    return effects
  }

  #drop(reason: DropReason, peer: Peer): readonly Effect[] {
    this.counters[reason]++
    return [{ kind: 'drop', reason, peer }]
  }

  #reset(outcome: Outcome, peer: Peer): readonly Effect[] {
    this.counters[outcome]++
    return [{ kind: 'send', bytes: this.#outgoing.empty(TYPE.RST, this.#scan.messageId), peer }]
  }
}
