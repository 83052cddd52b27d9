import type { Option } from '../codec/message.ts'
import type { DropReason } from './outcomes.ts'
import type { RequestSecurity } from './security.ts'

/** Where a datagram came from or goes to. What Node gives as `rinfo` fits as it is. */
export interface Peer {
  /** Numeric IPv4 or IPv6 address. */
  readonly address: string
  readonly port: number
}

/** One request as the application sees it: no socket, no token, no message id. */
export interface Request {
  /** Method code: `METHOD` in codec/codes, or one that it does not name. */
  readonly method: number
  /** Uri-Path, decoded; empty for the root. */
  readonly path: readonly string[]
  /** Uri-Query, decoded, one argument per item. */
  readonly query: readonly string[]
  readonly contentFormat?: number | undefined
  readonly accept?: number | undefined
  /** 0 asks to be notified of changes, 1 no longer (RFC 7641 section 2). */
  readonly observe?: number | undefined
  /** Whether it has If-Match or If-None-Match, which a resource that knows no conditions must refuse (RFC 7252 section 5.10.8). */
  readonly conditional?: boolean
  /** Every option of the datagram, in order. */
  readonly options: readonly Option[]
  /** The body; whole, also when it came block by block. It shares memory with the datagram: copy it to keep it. */
  readonly payload: Uint8Array
  readonly peer: Peer
  readonly confirmable: boolean
  /** Bytes of the datagram, or of the assembled body when it came block by block. */
  readonly size: number
  /** Whether the sender asked for no answer to a success (RFC 7967). */
  readonly noResponse: boolean
  /** Who made it, where it came protected and has been verified; undefined for everybody else, whatever the request says. */
  readonly principal?: string | undefined
  /** Its order number among all protected requests of the principal (the Partial IV of OSCORE). */
  readonly sequence?: number | undefined
}

/** What the application answers. `endpoint/response` has functions that make the options. */
export interface Response {
  readonly code: number
  readonly options?: readonly Option[] | undefined
  readonly payload?: Uint8Array | undefined
  /**
   * Says that the resource can be observed, and names it for `Endpoint.notify`. It takes effect when the request asked to
   * observe and the code is 2.xx.
   */
  readonly observe?: string | undefined
  /**
   * How a notification of this state goes out: true always confirmable, false only when none was for a day (RFC 7641 section 4.5).
   * By default it is confirmable when the observer has not proved itself for a while, which alone keeps a forged source address
   * from being sent to: give false only where requests can be trusted.
   */
  readonly confirmable?: boolean | undefined
  /**
   * Says that this protected request can never be accepted again, even after a crash: it is on disk that it was. Only then may the
   * answer use the request's own nonce, which makes it a few bytes shorter. Default false: a sequence number of our own.
   */
  readonly settled?: boolean | undefined
  /**
   * Says nothing, as if the request had asked for no answer (RFC 7967): a confirmable one gets an empty ACK. For bodies that carry
   * the wish themselves.
   */
  readonly silent?: boolean | undefined
}

/** One request that waits for `Endpoint.respond`. Only what the endpoint itself made is one: hold it and hand it back. */
export interface Exchange {
  readonly request: Request
}

/** Send these bytes. They are not touched again, so that they may wait in a queue. */
export interface SendEffect {
  readonly kind: 'send'
  readonly bytes: Uint8Array
  readonly peer: Peer
}

/** A new request: answer it with `Endpoint.respond(exchange, ...)`, once. */
export interface RequestEffect {
  readonly kind: 'request'
  readonly exchange: Exchange
  readonly request: Request
}

/** A datagram that was dropped without an answer, and why. For logs: `Endpoint.counters` has counted it. */
export interface DropEffect {
  readonly kind: 'drop'
  readonly reason: DropReason
  readonly peer: Peer
}

/** A request of the client role. Token, message id, blocks and retransmission are the endpoint's business. */
export interface OutgoingRequest {
  readonly peer: Peer
  /** Method code: `METHOD` in codec/codes. */
  readonly method: number
  readonly path?: readonly string[] | undefined
  readonly query?: readonly string[] | undefined
  readonly contentFormat?: number | undefined
  readonly accept?: number | undefined
  /** Any further options. */
  readonly options?: readonly Option[] | undefined
  /** The whole body: what is larger than a block goes block by block. */
  readonly payload?: Uint8Array | undefined
  /** Default true. */
  readonly confirmable?: boolean | undefined
  /** Asks for notifications, with GET or FETCH (RFC 7641). */
  readonly observe?: boolean | undefined
  /** Bitmap of the response classes not wanted: 2 for 2.xx, 8 for 4.xx, 16 for 5.xx (RFC 7967). */
  readonly noResponse?: number | undefined
  /** How long to wait for an answer after the last sign of the peer, milliseconds. */
  readonly timeoutMs?: number | undefined
  /** Protects every message of the request, and takes none for an answer that is not: `oscore/endpoint-client` makes one. */
  readonly security?: RequestSecurity | undefined
}

/** One request of the client role under way. It comes back in the effects that belong to it. */
export interface Call {
  readonly request: OutgoingRequest
}

/** The answer to a request of the client role, whole. */
export interface Answer {
  readonly code: number
  readonly contentFormat?: number | undefined
  /** Seconds; 60 where the answer does not say (RFC 7252 section 5.10.5). */
  readonly maxAge: number
  /** Order number of a notification. */
  readonly observe?: number | undefined
  /** Options of the message, or of the first block. */
  readonly options: readonly Option[]
  readonly payload: Uint8Array
}

/** An answer has come. With `isFinal` false the observation goes on, and more will follow. */
export interface ResponseEffect {
  readonly kind: 'response'
  readonly call: Call
  readonly response: Answer
  readonly isFinal: boolean
}

/** Why a request of the client role got no answer. */
export type FailureReason =
  /** No ACK after all retransmissions, or no answer in time. */
  | 'timeout'
  /** The peer reset our message. */
  | 'reset'
  /** The answer has a critical option that is not known. */
  | 'bad-option'
  /** The blocks of the answer do not fit together, or the peer asked for impossible ones. */
  | 'bad-block'
  /** The answer is larger than the setting `answerMax`. */
  | 'too-large'
  /** The answer is not protected although the request was. Anyone can have forged it: a hint to try again later, and no more. */
  | 'unprotected'
  /** There was no sequence number to protect a request with, or the peer kept asking for it anew. */
  | 'security'

/** A request of the client role has come to nothing; no more effects follow for it. */
export interface FailureEffect {
  readonly kind: 'failure'
  readonly call: Call
  readonly reason: FailureReason
  /** The code of the answer that was not protected. */
  readonly hint?: number | undefined
}

/** What the caller has to do, in order. */
export type Effect = SendEffect | RequestEffect | DropEffect | ResponseEffect | FailureEffect
