import { CODE, EMPTY, isRequest, isResponse } from '../codec/codes.ts'
import { encodedSize, inOrder, type Option, TYPE, write } from '../codec/message.ts'
import { createScan, scan } from '../codec/scan.ts'
import { createTextReader } from '../codec/text.ts'
import { createDigest } from './digest.ts'
import { ExchangeQueue, OpenExchange } from './exchange.ts'
import { MessageIds } from './message-ids.ts'
import { type Counters, createCounters, type DropReason, type Outcome } from './outcomes.ts'
import { Random } from './random.ts'
import { Received, readOptions } from './received.ts'
import { REPLY, Recent } from './recent.ts'
import { maxAge, size1 } from './response.ts'
import { type PartialSettings, type Settings, settingsOf } from './settings.ts'
import { Slab } from './slab.ts'
import { Transmissions } from './transmissions.ts'
import type { Effect, Exchange, Peer, Response } from './types.ts'

/**
 * One CoAP endpoint as a state machine: bytes and time go in, effects come out. It does no I/O, reads no clock and draws no
 * random numbers. `now` is in milliseconds on any clock that does not run backwards.
 *
 * Every method that returns effects returns a new array; carry them out in order. The endpoint keeps a datagram until its
 * exchange is answered: do not write into it.
 */
export interface Endpoint {
  /** How many datagrams met each outcome: the numbers add up to the calls of `receive`. */
  readonly counters: Counters
  /** Takes one datagram. Never throws for what is in it. */
  receive(bytes: Uint8Array, peer: Peer, now: number): readonly Effect[]
  /**
   * Answers a request. A second answer, or one after the exchange has ended, does nothing. Throws RangeError for a response
   * that cannot be encoded.
   */
  respond(exchange: Exchange, response: Response, now: number): readonly Effect[]
  /** Does what is due: empty ACKs, retransmissions, ends. */
  advance(now: number): readonly Effect[]
  /** When `advance` should be called next, Infinity if there is nothing to wait for. */
  nextDeadline(): number
}

/** Makes an endpoint. Throws RangeError for settings that cannot be used. */
export function createEndpoint(settings: PartialSettings): Endpoint {
  return new Core(settingsOf(settings))
}

const NOTHING: readonly Effect[] = Object.freeze([])
const NO_OPTIONS: readonly Option[] = []
const NO_BYTES = new Uint8Array(0)

class Core implements Endpoint {
  readonly counters = createCounters()
  readonly #settings: Settings
  readonly #digest
  readonly #recent: Recent
  readonly #messageIds: MessageIds
  readonly #transmissions: Transmissions
  readonly #understood: ReadonlySet<number>
  readonly #scan = createScan()
  readonly #text = createTextReader()
  readonly #slab = new Slab()
  /** Confirmable requests that have had no ACK yet. */
  readonly #unacked = new ExchangeQueue()
  /** Requests that wait for an answer, and for no ACK. */
  readonly #waiting = new ExchangeQueue()

  constructor(settings: Settings) {
    this.#settings = settings
    this.#digest = createDigest(settings.seed)
    this.#recent = new Recent(settings.exchangeLifetimeMs, settings.exchangesMax, settings.answerBytesMax)
    const random = new Random(settings.seed)
    this.#messageIds = new MessageIds(random)
    this.#transmissions = new Transmissions(settings, random)
    this.#understood = new Set(settings.understood)
  }

  receive(bytes: Uint8Array, peer: Peer, now: number): readonly Effect[] {
    if (peer.port === 0) return this.#drop('source-port-zero', peer)
    const message = this.#scan
    const malformed = scan(bytes, message)
    if (malformed === undefined) {
      if (message.type < TYPE.ACK && isRequest(message.code)) return this.#receiveRequest(bytes, peer, now)
      return this.#receiveOther(peer, now)
    }
    // Section 4.2 asks for a reset. Whatever is not even a message gets silence instead: most of it is no CoAP at all.
    if (malformed === 'reserved-code' && message.type === TYPE.CON) return this.#reset('reset-sent', peer)
    return this.#drop(malformed, peer)
  }

  respond(exchange: Exchange, response: Response, now: number): readonly Effect[] {
    const open = exchange as OpenExchange
    if (open.isAnswered) return NOTHING
    if (!isResponse(response.code)) throw new RangeError(`Failed to respond with code: ${response.code}`)
    const effects = this.#answer(open, response, now)
    open.isAnswered = true
    if (open.isAcked || !open.request.confirmable) this.#waiting.remove(open)
    else this.#unacked.remove(open)
    return effects
  }

  advance(now: number): readonly Effect[] {
    const effects: Effect[] = []
    this.#acknowledgeLate(now, effects)
    this.#abandon(now)
    this.#transmissions.advance(now, effects)
    return effects
  }

  nextDeadline(): number {
    return Math.min(
      this.#unacked.first?.deadline ?? Infinity,
      this.#waiting.first?.deadline ?? Infinity,
      this.#transmissions.next(),
    )
  }

  #receiveRequest(bytes: Uint8Array, peer: Peer, now: number): readonly Effect[] {
    const message = this.#scan
    const digest = this.#digest
    const recent = this.#recent
    digest.update(peer.address, peer.port, bytes)
    const check = (message.messageId << 16) | peer.port
    const slot = recent.find(digest, check, now)
    if (slot >= 0) {
      const effects = this.#repeat(slot, bytes, peer)
      if (effects !== undefined) return effects
    }
    const request = new Received(bytes, message, peer)
    const refusal = readOptions(request, bytes, {
      scan: message,
      text: this.#text,
      understood: this.#understood,
    })
    if (refusal === CODE.BAD_OPTION && !request.confirmable) return this.#drop('bad-option-non', peer)
    const { tokenEnd, messageId } = message
    const serial = slot >= 0 ? recent.reopen(slot) : recent.add(digest, check, now)
    const exchange = new OpenExchange(request, bytes, { tokenEnd, messageId, serial, peerHash: digest.peer })
    if (refusal === CODE.BAD_OPTION) return this.#refuse('bad-option', exchange, { code: refusal })
    if (refusal !== 0) return this.#refuse('proxy', exchange, { code: refusal })
    if (bytes.length > this.#settings.datagramMax || request.payload.length > this.#settings.bodyMax) {
      const options = [size1(this.#settings.bodyMax)]
      return this.#refuse('too-large', exchange, { code: CODE.REQUEST_ENTITY_TOO_LARGE, options })
    }
    if (this.#unacked.count + this.#waiting.count >= this.#settings.pendingMax) {
      const options = [maxAge(this.#spread(this.#settings.overloadMaxAge, digest.peer))]
      return this.#refuse('overload', exchange, { code: CODE.SERVICE_UNAVAILABLE, options })
    }
    if (request.confirmable) this.#unacked.push(exchange, now + this.#settings.ackAfterMs)
    else this.#waiting.push(exchange, now + this.#settings.exchangeLifetimeMs)
    this.counters.request++
    return [{ kind: 'request', exchange, request }]
  }

  /** Everything but requests. */
  #receiveOther(peer: Peer, now: number): readonly Effect[] {
    const { type, code, messageId } = this.#scan
    if (code === EMPTY && type === TYPE.CON) return this.#reset('ping', peer)
    if (code === EMPTY && type === TYPE.NON) return this.#drop('empty-non', peer)
    if (isRequest(code) || (type === TYPE.RST && code !== EMPTY)) return this.#drop('misplaced-code', peer)
    if (type >= TYPE.ACK) {
      const transmission = this.#transmissions.take(peer, messageId)
      if (transmission === undefined) return this.#drop('unmatched', peer)
      const effects: Effect[] = []
      this.#count(type === TYPE.ACK ? 'acknowledgement' : 'reset')
      transmission.onEnd(type === TYPE.ACK ? 'acknowledged' : 'reset', now, effects)
      return effects
    }
    // A response out of the blue: section 4.2 rejects a confirmable one, section 4.3 lets the other be ignored.
    if (type === TYPE.CON) return this.#reset('reset-sent', peer)
    return this.#drop('unmatched', peer)
  }

  /** The same bytes once more. Undefined when they are no longer known: then the message counts as new. */
  #repeat(slot: number, datagram: Uint8Array, peer: Peer): readonly Effect[] | undefined {
    const { tokenEnd, messageId } = this.#scan
    const recent = this.#recent
    switch (recent.reply(slot)) {
      case REPLY.PENDING:
        return this.#drop('repeat-pending', peer)
      case REPLY.SILENT:
        return this.#drop('repeat-unanswered', peer)
      case REPLY.EMPTY_ACK:
        this.#count('repeat')
        return this.#send(this.#bare(TYPE.ACK, EMPTY, messageId), peer)
      case REPLY.ACK:
        this.#count('repeat')
        return this.#send(this.#plain(TYPE.ACK, recent.code(slot), messageId, datagram, tokenEnd), peer)
      case REPLY.NON:
        this.#count('repeat')
        return this.#send(
          this.#plain(TYPE.NON, recent.code(slot), recent.messageId(slot), datagram, tokenEnd),
          peer,
        )
      default: {
        const bytes = recent.kept(slot)
        if (bytes === undefined) return undefined
        this.#count('repeat')
        return this.#send(bytes, peer)
      }
    }
  }

  /** Answers an exchange that never reached the application. */
  #refuse(outcome: Outcome, exchange: OpenExchange, response: Response): readonly Effect[] {
    this.#count(outcome)
    exchange.isAnswered = true
    return this.#answer(exchange, response, 0)
  }

  #answer(exchange: OpenExchange, response: Response, now: number): readonly Effect[] {
    const { request, serial, messageId } = exchange
    const { peer, confirmable } = request
    const { code, options = NO_OPTIONS, payload = NO_BYTES } = response
    const isAwaited = confirmable && !exchange.isAcked
    if (request.unwanted !== 0 && isUnwanted(request.unwanted, code)) {
      this.#recent.settle(serial, confirmable ? REPLY.EMPTY_ACK : REPLY.SILENT)
      return isAwaited ? this.#send(this.#bare(TYPE.ACK, EMPTY, messageId), peer) : NOTHING
    }
    const type = isAwaited ? TYPE.ACK : confirmable ? TYPE.CON : TYPE.NON
    const id = isAwaited ? messageId : this.#messageIds.next(exchange.peerHash)
    const isPlain = options.length === 0 && payload.length === 0
    const bytes = isPlain
      ? this.#plain(type, code, id, exchange.datagram, exchange.tokenEnd)
      : this.#full({ type, code, messageId: id, token: exchange.token, options, payload })
    if (type === TYPE.CON) {
      this.#transmissions.add({ peer, messageId: id, bytes: bytes.slice(), onEnd: ignoreEnd }, now)
    } else if (isPlain) {
      this.#recent.settle(serial, isAwaited ? REPLY.ACK : REPLY.NON, code, id)
    } else {
      this.#recent.settleBytes(serial, bytes)
    }
    return this.#send(bytes, peer)
  }

  /** Empty ACKs for requests that the application takes long over (RFC 7252 section 5.2.2). */
  #acknowledgeLate(now: number, effects: Effect[]): void {
    for (
      let first = this.#unacked.first;
      first !== undefined && first.deadline <= now;
      first = this.#unacked.first
    ) {
      this.#unacked.remove(first)
      first.isAcked = true
      this.#recent.settle(first.serial, REPLY.EMPTY_ACK)
      this.#waiting.push(first, now + this.#settings.exchangeLifetimeMs)
      effects.push({
        kind: 'send',
        bytes: this.#bare(TYPE.ACK, EMPTY, first.messageId),
        peer: first.request.peer,
      })
    }
  }

  /** Lets go of requests that the application has not answered in a lifetime. */
  #abandon(now: number): void {
    for (
      let first = this.#waiting.first;
      first !== undefined && first.deadline <= now;
      first = this.#waiting.first
    ) {
      this.#waiting.remove(first)
      first.isAnswered = true
    }
  }

  /** A base number of seconds, up to a quarter more or less, always the same for one peer. */
  #spread(seconds: number, peerHash: number): number {
    return Math.max(1, Math.round(seconds * (0.75 + (peerHash >>> 0) / 2 ** 33)))
  }

  #drop(reason: DropReason, peer: Peer): readonly Effect[] {
    this.counters[reason]++
    return [{ kind: 'drop', reason, peer }]
  }

  #reset(outcome: Outcome, peer: Peer): readonly Effect[] {
    this.counters[outcome]++
    return this.#send(this.#bare(TYPE.RST, EMPTY, this.#scan.messageId), peer)
  }

  #count(outcome: Outcome): void {
    this.counters[outcome]++
  }

  #send(bytes: Uint8Array, peer: Peer): readonly Effect[] {
    return [{ kind: 'send', bytes, peer }]
  }

  #bare(type: number, code: number, messageId: number): Uint8Array {
    const bytes = this.#slab.take(4)
    bytes[0] = 0x40 | (type << 4)
    bytes[1] = code
    bytes[2] = messageId >> 8
    bytes[3] = messageId
    return bytes
  }

  /** A message of nothing but the header and the token of `datagram`. */
  #plain(type: number, code: number, messageId: number, datagram: Uint8Array, tokenEnd: number): Uint8Array {
    const bytes = this.#slab.take(tokenEnd)
    bytes[0] = 0x40 | (type << 4) | (tokenEnd - 4)
    bytes[1] = code
    bytes[2] = messageId >> 8
    bytes[3] = messageId
    for (let at = 4; at < tokenEnd; at++) bytes[at] = datagram[at]!
    return bytes
  }

  #full(message: Parameters<typeof write>[0]): Uint8Array {
    const options = inOrder(message.options)
    const bytes = this.#slab.take(encodedSize(message, options))
    write(message, options, bytes)
    return bytes
  }
}

function ignoreEnd(): void {}

/** Bit 1 for 2.xx, bit 3 for 4.xx, bit 4 for 5.xx (RFC 7967 section 2.1). */
function isUnwanted(unwanted: number, code: number): boolean {
  return ((unwanted >> ((code >> 5) - 1)) & 1) === 1
}
