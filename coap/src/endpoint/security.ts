import type { Message } from '../codec/message.ts'
import type { SecurityReason } from './outcomes.ts'
import type { Peer } from './types.ts'

/** The fields of a message that end-to-end protection concerns: type, message id and token belong to one hop. */
export type MessageFields = Pick<Message, 'code' | 'options' | 'payload'>

/**
 * Opens protected requests: those with an OSCORE option (RFC 8613). A repeat of a message never comes here, it gets the bytes of the
 * first answer. Synchronous; must not throw. `oscore/endpoint-security` makes one.
 */
export interface Security {
  open(message: MessageFields, peer: Peer, now: number): Opened
}

/** What has become of a protected request. */
export type Opened =
  /** Not taken. `response` goes out unprotected, without its payload where that would be too much; absent: silence. */
  | {
      readonly kind: 'refused'
      readonly reason: SecurityReason
      readonly response?: MessageFields | undefined
    }
  /** Not taken, and answered with a response that is protected already: an Echo challenge. */
  | { readonly kind: 'answered'; readonly reason: SecurityReason; readonly response: MessageFields }
  | {
      readonly kind: 'opened'
      /**
       * What was inside, with the options of the outside that count, as a message of its own without a token. It is given away: the
       * endpoint writes into it.
       */
      readonly request: Uint8Array
      /** Who made it: one name for one key, whatever address it comes from. */
      readonly principal: string
      /** Its order number among all requests of the principal: the Partial IV. */
      readonly sequence: number
      readonly protection: Protection
    }

/** Protects what answers one opened request. */
export interface Protection {
  /**
   * `settled`: the request can never be accepted again, even after a crash, so that its nonce may be used, once. Undefined: it
   * cannot be protected now (no sequence number), so that nothing may be said. The payload is only good until something else is
   * opened or protected. Throws RangeError for what no message can hold.
   */
  protect(response: MessageFields, settled: boolean): MessageFields | undefined
}

/** Protects requests of the client role. `oscore/endpoint-client` makes one. Synchronous. */
export interface RequestSecurity {
  /** Undefined: it cannot be protected now (no sequence number). Throws RangeError for what no message can hold. */
  protect(request: MessageFields): ProtectedCall | undefined
}

/** One protected request, and what opens the responses to it. */
export interface ProtectedCall {
  readonly request: MessageFields
  /** Must not throw. */
  open(response: MessageFields): OpenedResponse
}

/** What has become of a response to a protected request. */
export type OpenedResponse =
  | { readonly kind: 'opened'; readonly response: MessageFields }
  /** The server wants the request once more (its Echo value has been taken note of): protect it again, and send it. */
  | { readonly kind: 'again' }
  /** Not protected: a hint that anyone can have forged, and no answer. */
  | { readonly kind: 'unprotected' }
  /** Not authentic, or a repeat: as if it had not come. */
  | { readonly kind: 'refused' }
