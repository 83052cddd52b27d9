import { CODE, isSuccess, METHOD } from '../../codec/codes.ts'
import { type Option, TYPE } from '../../codec/message.ts'
import type { Scan } from '../../codec/scan.ts'
import { utf8 } from '../../codec/text.ts'
import type { Digest } from '../messaging/digest.ts'
import type { Outgoing } from '../messaging/outgoing.ts'
import { REPLY, type Recent } from '../messaging/recent.ts'
import type { DropReason, Outcome, Tally } from '../outcomes.ts'
import { maxAge, size1 } from '../response.ts'
import type { Protection } from '../security.ts'
import type { Settings } from '../settings.ts'
import type { Shared } from '../shared.ts'
import type { Effect, Peer, Response } from '../types.ts'
import { Downloads } from './downloads.ts'
import { ExchangeQueue, OpenExchange } from './exchange.ts'
import { Observers } from './observers.ts'
import { type Arrival, Opener } from './opener.ts'
import { hasOscore } from './opening.ts'
import { Received, readOptions } from './received.ts'
import { Uploads } from './uploads.ts'

const NOTHING: readonly Effect[] = Object.freeze([])
const NO_OPTIONS: readonly Option[] = []
const NO_BYTES = new Uint8Array(0)

/** The server role: requests in, answers out, each request once. */
export class Server {
  readonly observers: Observers
  readonly uploads: Uploads
  readonly downloads: Downloads
  /** Exchanges that the application never answered. */
  abandoned = 0
  /** Answers that could not be protected, so that nothing was said. */
  withheld = 0
  readonly #settings: Settings
  readonly #tally: Tally
  readonly #digest: Digest
  readonly #recent: Recent
  readonly #outgoing: Outgoing
  readonly #understood: ReadonlySet<number>
  readonly #opener: Opener | undefined
  /** Confirmable requests that have had no ACK yet. */
  readonly #unacked = new ExchangeQueue()
  /** Requests that wait for an answer but for no ACK. */
  readonly #waiting = new ExchangeQueue()

  constructor(shared: Shared) {
    const { settings, tally, digest, recent, outgoing } = shared
    this.#settings = settings
    this.#tally = tally
    this.#digest = digest
    this.#recent = recent
    this.#outgoing = outgoing
    this.#understood = new Set(settings.understood)
    this.#opener = settings.security && new Opener(settings.security, shared)
    this.uploads = new Uploads(settings)
    this.downloads = new Downloads(settings)
    this.observers = new Observers(settings, outgoing, this.downloads)
  }

  /** Exchanges that wait for the application. */
  get pending(): number {
    return this.#unacked.count + this.#waiting.count
  }

  receive(bytes: Uint8Array, scan: Scan, peer: Peer, now: number): readonly Effect[] {
    const digest = this.#digest
    const recent = this.#recent
    digest.update(peer.address, peer.port, bytes)
    const { messageId, tokenEnd } = scan
    const check = (messageId << 16) | peer.port
    const slot = recent.find(digest, check, now)
    if (slot >= 0) {
      const effects = this.#repeat(slot, bytes, scan, peer)
      if (effects !== undefined) return effects
    }
    const opener = this.#opener
    if (opener !== undefined && hasOscore(scan)) return this.#open(opener, { bytes, scan, peer, slot }, now)
    const request = new Received(bytes, scan, peer)
    const refusal = readOptions(request, bytes, { scan, understood: this.#understood })
    if (refusal === CODE.BAD_OPTION && !request.confirmable) return this.#drop('bad-option-non', peer)
    const serial = slot >= 0 ? recent.reopen(slot) : recent.add(digest, check, now)
    const exchange = new OpenExchange(request, bytes, { tokenEnd, messageId, serial, peerHash: digest.peer })
    return this.#take(exchange, refusal, now)
  }

  #open(opener: Opener, arrival: Arrival, now: number): readonly Effect[] {
    const opened = opener.open(arrival, now)
    if (!('exchange' in opened)) return opened
    const { exchange, refusal } = opened
    const { confirmable, peer } = exchange.request
    this.observers.heard(exchange)
    if (refusal !== CODE.BAD_OPTION || confirmable) return this.#take(exchange, refusal, now)
    this.#recent.settle(exchange.serial, REPLY.SILENT)
    return this.#drop('bad-option-non', peer)
  }

  /** Takes a request whose options have been read, `refusal` being what came of that. */
  #take(exchange: OpenExchange, refusal: number, now: number): readonly Effect[] {
    const { request, datagram, peerHash } = exchange
    if (refusal !== 0) return this.#refuseOption(exchange, refusal, now)
    const { datagramMax, bodyMax, pendingMax, overloadMaxAge, ackAfterMs, exchangeLifetimeMs } =
      this.#settings
    if (datagram.length > datagramMax || request.payloadLength > bodyMax) {
      return this.#refuse(
        'too-large',
        exchange,
        { code: CODE.REQUEST_ENTITY_TOO_LARGE, options: [size1(bodyMax)] },
        now,
      )
    }
    if (this.#unacked.count + this.#waiting.count >= pendingMax) {
      const options = [maxAge(spread(overloadMaxAge, peerHash))]
      return this.#refuse('overload', exchange, { code: CODE.SERVICE_UNAVAILABLE, options }, now)
    }
    if (request.block1 >= 0 || request.block2 >= 0 || request.observe !== undefined) {
      const effects = this.#receiveSpecial(exchange, now)
      if (effects !== undefined) return effects
    }
    if (request.confirmable && ackAfterMs !== Infinity) this.#unacked.push(exchange, now + ackAfterMs)
    else this.#waiting.push(exchange, now + exchangeLifetimeMs)
    this.#tally('request')
    return [{ kind: 'request', exchange, request }]
  }

  respond(exchange: OpenExchange, response: Response, now: number): readonly Effect[] {
    if (exchange.isAnswered) return NOTHING
    exchange.isSettled = response.settled === true
    const effects = this.#answer(exchange, response, now)
    exchange.isAnswered = true
    exchange.queue?.remove(exchange)
    return effects
  }

  advance(now: number, effects: Effect[]): void {
    this.#acknowledgeLate(now, effects)
    this.#abandon(now)
    this.uploads.advance(now)
    this.downloads.advance(now)
  }

  next(): number {
    return Math.min(
      this.#unacked.first?.deadline ?? Infinity,
      this.#waiting.first?.deadline ?? Infinity,
      this.uploads.next(),
      this.downloads.next(),
    )
  }

  /** Blocks and the end of observations: what can be settled without the application. */
  #receiveSpecial(exchange: OpenExchange, now: number): readonly Effect[] | undefined {
    const { request } = exchange
    if (request.observe === 1) this.observers.deregister(exchange)
    if (request.block1 >= 0) {
      const step = this.uploads.take(request, now)
      if ('answer' in step) {
        return this.#refuse(
          isSuccess(step.answer.code) ? 'block' : 'block-refused',
          exchange,
          step.answer,
          now,
        )
      }
      exchange.block1 = step.block
      request.assembled(step.body)
    }
    if (request.block2 >= 0) {
      const whole = this.downloads.answerFor(request, now)
      if (whole !== undefined) {
        return this.#refuse(isSuccess(whole.code) ? 'block' : 'block-refused', exchange, whole, now)
      }
    }
    return undefined
  }

  /** The same bytes once more. Undefined when they are no longer known: then the message counts as new. */
  #repeat(slot: number, datagram: Uint8Array, scan: Scan, peer: Peer): readonly Effect[] | undefined {
    const { tokenEnd, messageId } = scan
    const recent = this.#recent
    const reply = recent.reply(slot)
    if (reply === REPLY.PENDING) return this.#drop('repeat-pending', peer)
    if (reply === REPLY.SILENT) return this.#drop('repeat-unanswered', peer)
    let bytes: Uint8Array | undefined
    if (reply === REPLY.EMPTY_ACK) bytes = this.#outgoing.empty(TYPE.ACK, messageId)
    else if (reply === REPLY.BYTES) bytes = recent.kept(slot)
    else {
      const [type, id] = reply === REPLY.ACK ? [TYPE.ACK, messageId] : [TYPE.NON, recent.messageId(slot)]
      bytes = this.#outgoing.plain(type, recent.code(slot), id, datagram, tokenEnd)
    }
    if (bytes === undefined) return undefined
    this.#tally('repeat')
    return [{ kind: 'send', bytes, peer }]
  }

  #refuseOption(exchange: OpenExchange, code: number, now: number): readonly Effect[] {
    if (code !== CODE.BAD_OPTION) return this.#refuse('proxy', exchange, { code }, now)
    // Below three times the size of the request, which had to name the option as well.
    return this.#refuse(
      'bad-option',
      exchange,
      { code, payload: utf8(`Option ${exchange.request.badOption}`) },
      now,
    )
  }

  /** Answers an exchange that does not reach the application. */
  #refuse(outcome: Outcome, exchange: OpenExchange, response: Response, now: number): readonly Effect[] {
    this.#tally(outcome)
    exchange.isAnswered = true
    return this.#answer(exchange, response, now)
  }

  #answer(exchange: OpenExchange, response: Response, now: number): readonly Effect[] {
    const { request, serial, messageId, protection } = exchange
    const { peer, confirmable } = request
    const dressed = this.#dress(exchange, response, now)
    const isAwaited = confirmable && !exchange.isAcked
    if (response.silent || (request.unwanted !== 0 && isUnwanted(request.unwanted, dressed.code))) {
      this.#recent.settle(serial, confirmable ? REPLY.EMPTY_ACK : REPLY.SILENT)
      return isAwaited ? [{ kind: 'send', bytes: this.#outgoing.empty(TYPE.ACK, messageId), peer }] : NOTHING
    }
    const fields = protection === undefined ? dressed : protect(protection, dressed, exchange.isSettled)
    if (fields === undefined) {
      this.withheld++
      if (!exchange.isAcked) this.#recent.settle(serial, REPLY.SILENT)
      return NOTHING
    }
    const { code, options = NO_OPTIONS, payload = NO_BYTES } = fields
    const type = isAwaited ? TYPE.ACK : confirmable ? TYPE.CON : TYPE.NON
    const id = isAwaited ? messageId : this.#outgoing.nextMessageId(exchange.peerHash)
    const isPlain = options.length === 0 && payload.length === 0
    const bytes = isPlain
      ? this.#outgoing.plain(type, code, id, exchange.datagram, exchange.tokenEnd)
      : this.#outgoing.full({ type, code, messageId: id, token: exchange.token, options, payload })
    if (type === TYPE.CON) {
      this.#outgoing.transmissions.add({ peer, messageId: id, bytes: bytes.slice(), onEnd: ignoreEnd }, now)
    } else if (isPlain) {
      this.#recent.settle(serial, isAwaited ? REPLY.ACK : REPLY.NON, code, id)
    } else {
      this.#recent.settleBytes(serial, bytes)
    }
    return [{ kind: 'send', bytes, peer }]
  }

  /** Adds what the endpoint itself has to say: Observe, and the blocks of long bodies. */
  #dress(exchange: OpenExchange, response: Response, now: number): Response {
    const { request, block1 } = exchange
    const isLong = response.payload !== undefined && response.payload.length > this.#settings.blockSizeMax
    if (!isLong && request.block2 < 0 && request.observe === undefined && block1 === undefined)
      return response
    const isCut = isLong || (request.block2 >= 0 && isSuccess(response.code))
    const dressed = isCut ? this.downloads.cut(request, response, now) : response
    const extra: Option[] = []
    if (block1 !== undefined) extra.push(block1)
    if (request.observe === 0) {
      const option = this.#observe(exchange, response, now)
      if (option !== undefined) extra.push(option)
    }
    return extra.length === 0 ? dressed : { ...dressed, options: [...(dressed.options ?? []), ...extra] }
  }

  #observe(exchange: OpenExchange, response: Response, now: number): Option | undefined {
    const { request } = exchange
    if (request.method !== METHOD.GET && request.method !== METHOD.FETCH) return undefined
    // npm coap repeats Observe and the token when it asks for later blocks. That is neither a registration (RFC 7959 section 2.6)
    // nor the end of one; and it takes the whole state for a new one only if the last block has the number.
    if (request.block2 >= 16) return this.observers.current(exchange)
    if (response.observe !== undefined && isSuccess(response.code)) {
      return this.observers.register(exchange, response.observe, now)
    }
    this.observers.deregister(exchange)
    return undefined
  }

  /** Empty ACKs for requests that the application takes long over (RFC 7252 section 5.2.2). */
  #acknowledgeLate(now: number, effects: Effect[]): void {
    const queue = this.#unacked
    for (let first = queue.first; first !== undefined && first.deadline <= now; first = queue.first) {
      queue.remove(first)
      first.isAcked = true
      this.#recent.settle(first.serial, REPLY.EMPTY_ACK)
      this.#waiting.push(first, now + this.#settings.exchangeLifetimeMs)
      const bytes = this.#outgoing.empty(TYPE.ACK, first.messageId)
      effects.push({ kind: 'send', bytes, peer: first.request.peer })
    }
  }

  /** Lets go of requests that the application has not answered in a lifetime. */
  #abandon(now: number): void {
    const queue = this.#waiting
    for (let first = queue.first; first !== undefined && first.deadline <= now; first = queue.first) {
      queue.remove(first)
      first.isAnswered = true
      this.abandoned++
    }
  }

  #drop(reason: DropReason, peer: Peer): readonly Effect[] {
    this.#tally(reason)
    return [{ kind: 'drop', reason, peer }]
  }
}

function protect(protection: Protection, response: Response, isSettled: boolean): Response | undefined {
  const { code, options = NO_OPTIONS, payload = NO_BYTES } = response
  return protection.protect({ code, options, payload }, isSettled)
}

function ignoreEnd(): void {}

/** A number of seconds, up to a quarter more or less, always the same for one peer: not all come back at once. */
function spread(seconds: number, peerHash: number): number {
  return Math.max(1, Math.round(seconds * (0.75 + (peerHash >>> 0) / 2 ** 33)))
}

/** Bit 1 for 2.xx, bit 3 for 4.xx, bit 4 for 5.xx (RFC 7967 section 2.1). */
function isUnwanted(unwanted: number, code: number): boolean {
  return ((unwanted >> ((code >> 5) - 1)) & 1) === 1
}
