import type { Option } from '../../codec/message.ts'
import type { Protection } from '../security.ts'
import type { Exchange } from '../types.ts'
import type { Received } from './received.ts'

/** What the endpoint knows of one request until it is answered. */
export class OpenExchange implements Exchange {
  readonly request: Received
  /** The token is `datagram[4, tokenEnd)`. */
  readonly datagram: Uint8Array
  readonly tokenEnd: number
  readonly messageId: number
  /** Where the message is remembered (Recent). */
  readonly serial: number
  /** Hash of the peer. */
  readonly peerHash: number
  /** When the next thing is due: the empty ACK, then the end. */
  deadline = 0
  /** Whether an empty ACK has gone out. */
  isAcked = false
  isAnswered = false
  /** What protects the answer; undefined where the request was not protected. */
  protection: Protection | undefined = undefined
  /** Whether the application has said that the request cannot be accepted again. */
  isSettled = false
  /** Block1 of the answer to the last block of an upload (RFC 7959 section 2.3). */
  block1: Option | undefined = undefined
  /** The queue that it waits in, and its neighbours there. */
  queue: ExchangeQueue | undefined = undefined
  previous: OpenExchange | undefined = undefined
  next: OpenExchange | undefined = undefined

  constructor(request: Received, datagram: Uint8Array, at: ExchangePlace) {
    this.request = request
    this.datagram = datagram
    this.tokenEnd = at.tokenEnd
    this.messageId = at.messageId
    this.serial = at.serial
    this.peerHash = at.peerHash
  }

  get token(): Uint8Array {
    return this.datagram.subarray(4, this.tokenEnd)
  }
}

export interface ExchangePlace {
  readonly tokenEnd: number
  readonly messageId: number
  readonly serial: number
  readonly peerHash: number
}

/** A queue of exchanges in order of deadline, from whose middle one can be taken out without a search. */
export class ExchangeQueue {
  count = 0
  #first: OpenExchange | undefined = undefined
  #last: OpenExchange | undefined = undefined

  /** The exchange whose deadline is next. */
  get first(): OpenExchange | undefined {
    return this.#first
  }

  push(exchange: OpenExchange, deadline: number): void {
    exchange.queue = this
    exchange.deadline = deadline
    exchange.previous = this.#last
    exchange.next = undefined
    if (this.#last === undefined) this.#first = exchange
    else this.#last.next = exchange
    this.#last = exchange
    this.count++
  }

  remove(exchange: OpenExchange): void {
    const { previous, next } = exchange
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    exchange.queue = undefined
    exchange.previous = undefined
    exchange.next = undefined
    this.count--
  }
}
