import { szxFor } from '../../codec/block.ts'
import { isSuccess } from '../../codec/codes.ts'
import { decode, type Message, type Option, TYPE } from '../../codec/message.ts'
import { OPTION } from '../../codec/options.ts'
import { MAX_AGE_DEFAULT, MAX_LATENCY } from '../../codec/parameters.ts'
import type { Scan } from '../../codec/scan.ts'
import { uintBytes } from '../../codec/uint.ts'
import { Deadlines } from '../messaging/deadlines.ts'
import type { Digest } from '../messaging/digest.ts'
import { hex, peerKey } from '../messaging/keys.ts'
import type { Outgoing } from '../messaging/outgoing.ts'
import type { Random } from '../messaging/random.ts'
import { REPLY, type Recent } from '../messaging/recent.ts'
import type { TransmissionEnd } from '../messaging/transmissions.ts'
import type { DropReason, Tally } from '../outcomes.ts'
import type { Settings } from '../settings.ts'
import type { Shared } from '../shared.ts'
import type { Answer, Call, Effect, FailureReason, OutgoingRequest, Peer } from '../types.ts'
import { type OpenCall, openCall } from './call.ts'
import { hasUnknownCritical, isFresh, takeBlock, uintOf } from './incoming.ts'
import { type Contents, nextFetch, nextRequest, uploadStep } from './outgoing-body.ts'
import { seal, unseal } from './sealing.ts'

const NOTHING: readonly Effect[] = Object.freeze([])
const NO_BYTES = new Uint8Array(0)
/** How often a request is made anew because the peer wants proof that it is fresh. */
const CHALLENGES_MAX = 2
/** How often a body is fetched anew because it changed meanwhile. */
const RESTARTS_MAX = 3
/** Max-Age counts up to a day: servers are to send something that often (RFC 7641 section 4.5). Milliseconds. */
const FRESH_MAX = 24 * 60 * 60 * 1_000

/** What became of one message: `ignored` is as if it had not come, but a confirmable one is acknowledged. */
type Step = 'taken' | 'rejected' | 'ignored'

/** The client role: requests of ours, their retransmission, their blocks, and observations. */
export class Client {
  readonly #settings: Settings
  readonly #tally: Tally
  readonly #digest: Digest
  readonly #recent: Recent
  readonly #outgoing: Outgoing
  readonly #random: Random
  readonly #szxMax: number
  readonly #understood: ReadonlySet<number>
  /** By peer and token; a call that fetches the blocks of a notification is there under two tokens. */
  readonly #byToken = new Map<string, OpenCall>()
  readonly #deadlines = new Deadlines<OpenCall>()
  #tags = 0
  #count = 0

  constructor({ settings, tally, digest, recent, outgoing, random }: Shared) {
    this.#settings = settings
    this.#tally = tally
    this.#digest = digest
    this.#recent = recent
    this.#outgoing = outgoing
    this.#random = random
    this.#szxMax = szxFor(settings.blockSizeMax)
    this.#understood = new Set(settings.understood)
  }

  get count(): number {
    return this.#count
  }

  next(): number {
    return this.#deadlines.next()
  }

  advance(now: number, effects: Effect[]): void {
    for (let due = this.#deadlines.due(now); due !== undefined; due = this.#deadlines.due(now)) {
      if (due.isIdle) this.#registerAgain(due, now, effects)
      else this.#fail(due, 'timeout', effects)
    }
  }

  request(request: OutgoingRequest, now: number): { call: Call; effects: readonly Effect[] } {
    if (this.#count >= this.#settings.callsMax)
      throw new RangeError(`Failed to request: ${this.#count} calls are open`)
    const { peer, payload = NO_BYTES, timeoutMs = this.#settings.answerTimeoutMs } = request
    this.#digest.update(peer.address, peer.port, NO_BYTES)
    const token = this.#random.token()
    const call = openCall(request, {
      peerHash: this.#digest.peer,
      timeoutMs,
      token,
      szx: this.#szxMax,
      requestTag: payload.length > this.#settings.blockSizeMax ? this.#nextTag() : undefined,
    })
    const effects: Effect[] = []
    this.#count++
    this.#byToken.set(keyOf(peer, token), call)
    try {
      this.#send(call, now, effects)
    } catch (error) {
      this.#finish(call)
      throw error
    }
    return { call, effects }
  }

  /** Forgets a call; an observation is also taken back at the server (RFC 7641 section 3.6). */
  cancel(call: OpenCall, now: number): readonly Effect[] {
    if (call.isOver) return NOTHING
    this.#finish(call)
    if (!call.isObserving) return NOTHING
    const effects: Effect[] = []
    const options = [...call.baseOptions, { number: OPTION.OBSERVE, value: uintBytes(1) }]
    this.#transmit(call, { token: call.token, options, payload: NO_BYTES }, now, effects)
    this.#deadlines.remove(call)
    return effects
  }

  /** Takes a response in an ACK. Undefined if it belongs to no call. */
  receiveAcknowledged(bytes: Uint8Array, scan: Scan, peer: Peer, now: number): readonly Effect[] | undefined {
    const call = this.#find(bytes, scan, peer)
    if (call?.transmission === undefined || call.transmission.messageId !== scan.messageId) return undefined
    const effects: Effect[] = []
    this.#tally(this.#receive(call, bytes, now, effects) === 'taken' ? 'response' : 'bad-response')
    return effects
  }

  /** Takes a response in a message of its own. */
  receive(bytes: Uint8Array, scan: Scan, peer: Peer, now: number): readonly Effect[] {
    const { type, messageId } = scan
    this.#digest.update(peer.address, peer.port, bytes)
    const check = (messageId << 16) | peer.port
    const slot = this.#recent.find(this.#digest, check, now)
    if (slot >= 0) return this.#repeat(this.#recent.reply(slot), scan, peer)
    const call = this.#find(bytes, scan, peer)
    if (call === undefined) {
      // Out of the blue: section 4.2 rejects a confirmable one, section 4.3 lets the other be ignored.
      if (type !== TYPE.CON) return this.#drop('unmatched', peer)
      this.#tally('reset-sent')
      return [{ kind: 'send', bytes: this.#outgoing.empty(TYPE.RST, messageId), peer }]
    }
    const serial = this.#recent.add(this.#digest, check, now)
    const effects: Effect[] = []
    const step = this.#receive(call, bytes, now, effects)
    this.#tally(step === 'taken' ? 'response' : 'bad-response')
    const isReset = step === 'rejected'
    this.#recent.settle(serial, type === TYPE.NON ? REPLY.SILENT : isReset ? REPLY.RESET : REPLY.EMPTY_ACK)
    if (type === TYPE.CON) {
      const reply = this.#outgoing.empty(isReset ? TYPE.RST : TYPE.ACK, messageId)
      effects.unshift({ kind: 'send', bytes: reply, peer })
    }
    return effects
  }

  #repeat(reply: number, { messageId }: Scan, peer: Peer): readonly Effect[] {
    if (reply !== REPLY.EMPTY_ACK && reply !== REPLY.RESET) return this.#drop('repeat-unanswered', peer)
    this.#tally('repeat')
    const type = reply === REPLY.RESET ? TYPE.RST : TYPE.ACK
    return [{ kind: 'send', bytes: this.#outgoing.empty(type, messageId), peer }]
  }

  /** Takes one message of the answer, after opening it if the request was protected. */
  #receive(call: OpenCall, bytes: Uint8Array, now: number, effects: Effect[]): Step {
    const decoded = decode(bytes)
    if (!decoded.ok) return 'rejected'
    const message = unseal(call, decoded.message)
    if (message === 'refused') return 'ignored'
    // It says that the request has arrived, whether or not the ACK has (RFC 7252 section 5.2.2).
    this.#endTransmission(call)
    if (message === 'again') {
      if (++call.challenges > CHALLENGES_MAX || call.contents === undefined)
        this.#fail(call, 'security', effects)
      else this.#transmit(call, call.contents, now, effects)
      return 'taken'
    }
    if (message === 'unprotected') {
      this.#fail(call, 'unprotected', effects, decoded.message.code)
      return 'ignored'
    }
    return this.#take(call, message, now, effects) ? 'taken' : 'rejected'
  }

  /** Takes one message of the answer. False if it has to be rejected. */
  #take(call: OpenCall, message: Message, now: number, effects: Effect[]): boolean {
    if (hasUnknownCritical(message.options, this.#understood)) {
      this.#fail(call, 'bad-option', effects)
      return false
    }
    if (call.sent > 0) {
      const step = uploadStep(call, message)
      if (step === 'bad-block') this.#fail(call, step, effects)
      if (step === 'next') this.#send(call, now, effects)
      if (step !== 'answer') return true
    }
    const isUnderToken = hex(message.token) === hex(call.token)
    if (isUnderToken && call.request.observe === true && !this.#takeObserve(call, message, now)) return true
    this.#takeBody(call, message, now, effects)
    return true
  }

  /** Looks at the Observe option. False for a notification that is older than one that has come (RFC 7641 section 3.4). */
  #takeObserve(call: OpenCall, { code, options }: Message, now: number): boolean {
    const sequence = uintOf(options, OPTION.OBSERVE)
    if (sequence === undefined || !isSuccess(code)) {
      call.isObserving = false
      return true
    }
    if (call.isObserving && !isFresh(call, sequence, now)) return false
    call.isObserving = true
    call.sequence = sequence
    call.notifiedAt = now
    // A new state makes an end of fetching the old one.
    call.body = undefined
    call.restarts = 0
    this.#endTransmission(call)
    return true
  }

  #takeBody(call: OpenCall, message: Message, now: number, effects: Effect[]): void {
    const step = takeBlock(call.body, message, this.#settings.answerMax)
    call.body = step.kind === 'more' ? step.body : undefined
    if (step.kind === 'failure' || (step.kind === 'changed' && ++call.restarts > RESTARTS_MAX)) {
      this.#fail(call, step.kind === 'failure' ? step.reason : 'bad-block', effects)
    } else if (step.kind === 'whole') {
      const isFinal = !call.isObserving
      if (isFinal) this.#finish(call)
      const response = answerOf(step.first, step.payload)
      if (!isFinal) this.#awaitNotification(call, response, now)
      effects.push({ kind: 'response', call, response, isFinal })
    } else {
      this.#fetch(call, now, effects)
    }
  }

  /**
   * A notification should follow before the state is stale. If none does, the server may have lost the registration
   * (RFC 7641 section 3.3.1).
   */
  #awaitNotification(call: OpenCall, { maxAge }: Answer, now: number): void {
    call.isIdle = true
    this.#deadlines.move(call, now + Math.min(maxAge * 1_000, FRESH_MAX) + MAX_LATENCY)
  }

  #registerAgain(call: OpenCall, now: number, effects: Effect[]): void {
    // Who lost the registration counts from the start again: its answer is not older than what came before.
    call.isObserving = false
    this.#send(call, now, effects)
  }

  /** Sends the request, or its next block. */
  #send(call: OpenCall, now: number, effects: Effect[]): void {
    this.#transmit(call, nextRequest(call), now, effects)
  }

  /** Asks for the next block of the answer. */
  #fetch(call: OpenCall, now: number, effects: Effect[]): void {
    if (call.isObserving && call.fetchToken === call.token) {
      call.fetchToken = this.#random.token()
      this.#byToken.set(keyOf(call.request.peer, call.fetchToken), call)
    }
    this.#transmit(call, nextFetch(call, this.#szxMax), now, effects)
  }

  #transmit(call: OpenCall, contents: Contents, now: number, effects: Effect[]): void {
    const { peer, confirmable = true } = call.request
    const { token } = contents
    const fields = seal(call, contents)
    if (fields === undefined) {
      this.#fail(call, 'security', effects)
      return
    }
    const messageId = this.#outgoing.nextMessageId(call.peerHash)
    const type = confirmable ? TYPE.CON : TYPE.NON
    const bytes = this.#outgoing.full({ type, messageId, token, ...fields })
    effects.push({ kind: 'send', bytes, peer })
    call.isIdle = false
    this.#deadlines.move(call, now + call.timeoutMs)
    if (!confirmable) return
    const onEnd = (end: TransmissionEnd, _at: number, more: Effect[]): void => {
      call.transmission = undefined
      if (end !== 'acknowledged') this.#fail(call, end, more)
    }
    call.transmission = this.#outgoing.transmissions.add(
      { peer, messageId, bytes: bytes.slice(), onEnd },
      now,
    )
  }

  #fail(call: OpenCall, reason: FailureReason, effects: Effect[], hint?: number): void {
    if (call.isOver) return
    this.#finish(call)
    effects.push({ kind: 'failure', call, reason, ...(hint !== undefined && { hint }) })
  }

  #finish(call: OpenCall): void {
    call.isOver = true
    this.#count--
    this.#endTransmission(call)
    this.#deadlines.remove(call)
    this.#byToken.delete(keyOf(call.request.peer, call.token))
    this.#byToken.delete(keyOf(call.request.peer, call.fetchToken))
  }

  #endTransmission(call: OpenCall): void {
    if (call.transmission !== undefined) this.#outgoing.transmissions.remove(call.transmission)
    call.transmission = undefined
  }

  #find(bytes: Uint8Array, { tokenEnd }: Scan, peer: Peer): OpenCall | undefined {
    return this.#count === 0 ? undefined : this.#byToken.get(keyOf(peer, bytes.subarray(4, tokenEnd)))
  }

  #nextTag(): Option {
    this.#tags = (this.#tags + 1) & 0xffff
    return { number: OPTION.REQUEST_TAG, value: uintBytes(this.#tags) }
  }

  #drop(reason: DropReason, peer: Peer): readonly Effect[] {
    this.#tally(reason)
    return [{ kind: 'drop', reason, peer }]
  }
}

function keyOf(peer: Peer, token: Uint8Array): string {
  return `${peerKey(peer)} ${hex(token)}`
}

function answerOf({ code, options }: Message, payload: Uint8Array): Answer {
  return {
    code,
    contentFormat: uintOf(options, OPTION.CONTENT_FORMAT),
    maxAge: uintOf(options, OPTION.MAX_AGE) ?? MAX_AGE_DEFAULT,
    observe: uintOf(options, OPTION.OBSERVE),
    options,
    payload,
  }
}
