import { CODE } from '../../codec/codes.ts'
import { TYPE } from '../../codec/message.ts'
import type { Scan } from '../../codec/scan.ts'
import { REPLY } from '../messaging/recent.ts'
import type { Outcome } from '../outcomes.ts'
import { size1 } from '../response.ts'
import type { MessageFields, Opened, Security } from '../security.ts'
import type { Shared } from '../shared.ts'
import type { Effect, Peer } from '../types.ts'
import { OpenExchange } from './exchange.ts'
import { atMostThreeTimes, fieldsOf, hasObserve, openingOf, replyType } from './opening.ts'
import { readOptions } from './received.ts'

const NO_BYTES = new Uint8Array(0)

/** A datagram that may be new; `slot` is where it is remembered all the same, but its answer no longer is; else -1. */
export interface Arrival {
  readonly bytes: Uint8Array
  readonly scan: Scan
  readonly peer: Peer
  readonly slot: number
}

/** A request to go on with, and the code of the refusal that its options call for, 0 if none. */
export interface Entrance {
  readonly exchange: OpenExchange
  readonly refusal: number
}

/** Opens protected requests for the server role. */
export class Opener {
  readonly #security: Security
  readonly #shared: Shared
  readonly #understood: ReadonlySet<number>

  constructor(security: Security, shared: Shared) {
    this.#security = security
    this.#shared = shared
    this.#understood = new Set(shared.settings.understood)
  }

  /**
   * Opens the protected request whose digest was taken last, or says what goes out instead. One that is refused leaves nothing behind:
   * whoever sends junk fills no table with it.
   */
  open(arrival: Arrival, now: number): Entrance | readonly Effect[] {
    const { bytes, scan, peer } = arrival
    const { settings, recent } = this.#shared
    if (bytes.length > settings.datagramMax) {
      const options = [size1(settings.bodyMax)]
      const response = { code: CODE.REQUEST_ENTITY_TOO_LARGE, options, payload: NO_BYTES }
      return this.#reply(arrival, 'too-large', response)
    }
    const opened = this.#security.open(fieldsOf(bytes, scan), peer, now)
    if (opened.kind === 'refused') {
      const { reason, response } = opened
      if (response !== undefined)
        return this.#reply(arrival, reason, atMostThreeTimes(response, scan, bytes.length))
      this.#shared.tally(reason)
      return [{ kind: 'drop', reason, peer }]
    }
    const serial = this.#remember(arrival, now)
    if (opened.kind === 'opened') return this.#enter(opened, arrival, serial)
    const effects = this.#reply(arrival, opened.reason, opened.response)
    for (const { bytes: answer } of effects) recent.settleBytes(serial, answer)
    return effects
  }

  #enter(
    opened: Extract<Opened, { kind: 'opened' }>,
    { bytes, scan, peer }: Arrival,
    serial: number,
  ): Entrance | readonly Effect[] {
    const { recent, tally, digest } = this.#shared
    const opening = openingOf(opened.request, { scan, peer, size: bytes.length })
    if (opening === undefined) {
      recent.settle(serial, REPLY.SILENT)
      tally('plaintext-malformed')
      return [{ kind: 'drop', reason: 'plaintext-malformed', peer }]
    }
    const { request } = opening
    request.principal = opened.principal
    request.sequence = opened.sequence
    const refusal = readOptions(request, opened.request, { scan: opening.scan, understood: this.#understood })
    // RFC 8613 section 4.1.3.5.1: a registration says so inside and outside; what ends one counts in any case.
    if (request.observe === 0 && !hasObserve(scan)) request.observe = undefined
    const { tokenEnd, messageId } = scan
    const exchange = new OpenExchange(request, bytes, { tokenEnd, messageId, serial, peerHash: digest.peer })
    exchange.protection = opened.protection
    return { exchange, refusal }
  }

  /** Sends a response as it is, and remembers nothing. */
  #reply({ bytes, scan, peer }: Arrival, outcome: Outcome, response: MessageFields) {
    const { outgoing, digest, tally } = this.#shared
    tally(outcome)
    const type = replyType(scan)
    const messageId = type === TYPE.ACK ? scan.messageId : outgoing.nextMessageId(digest.peer)
    const token = bytes.subarray(4, scan.tokenEnd)
    return [{ kind: 'send' as const, bytes: outgoing.full({ type, messageId, token, ...response }), peer }]
  }

  #remember({ scan, peer, slot }: Arrival, now: number): number {
    const { recent, digest } = this.#shared
    const check = (scan.messageId << 16) | peer.port
    return slot >= 0 ? recent.reopen(slot) : recent.add(digest, check, now)
  }
}
