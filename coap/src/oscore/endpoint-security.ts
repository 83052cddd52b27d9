import { CODE } from '../codec/codes.ts'
import { OPTION } from '../codec/options.ts'
import type { Opened, Protection, Security } from '../endpoint/security.ts'
import type { MessageFields } from './plaintext.ts'
import type { RefusalReason } from './refusal.ts'
import type { SequenceNumbers } from './sender-sequence.ts'
import {
  type FindRecipientContext,
  protectChallenge,
  protectResponseWithPartialIv,
  type RecipientContext,
  type RequestNonce,
  type RequestVerification,
  sealResponse,
  verifyRequest,
} from './server.ts'

/** Whose requests are verified, and by what name the application knows him: one name for one `kid`. */
export interface Recipient extends RecipientContext {
  readonly principal: string
}

/** What an OSCORE server needs beside an endpoint. */
export interface SecuritySettings {
  /** Must not throw. A recipient whose `replayWindow` has an `echo` is asked to prove itself with it when that cannot tell. */
  readonly find: FindRecipientContext<Recipient>
  /** The Sender Sequence Numbers of the server. Contexts with one Sender Key must share it; others may. */
  readonly sequence: SequenceNumbers
  /** How requests that are not taken are answered (unprotected in any case). Default `told`. */
  readonly refusals?: RefusalStyle | undefined
}

export type RefusalStyle =
  /** With the code and text of RFC 8613 section 8.2. */
  | 'told'
  /** All alike, 4.01 without a text: a stranger does not learn which kids there are, and what has been received from them. */
  | 'alike'
  /** Not at all. */
  | 'quiet'

/** Makes what an endpoint needs to serve protected requests: its setting `security`. */
export function createSecurity({ find, sequence, refusals = 'told' }: SecuritySettings): Security {
  function opened(verification: RequestVerification<Recipient>): Opened {
    if (verification.kind === 'refused') {
      const { reason, response } = verification.refusal
      const answer = { told: response, alike: ALIKE, quiet: undefined }[refusals]
      return { kind: 'refused', reason: reasonOf(reason), response: answer }
    }
    const { recipient } = verification
    if (verification.kind === 'unproven') {
      const { echo } = recipient.replayWindow
      const challenge = echo && protectChallenge(echo, verification.binding, sequence)
      if (challenge === undefined || !challenge.ok) return { kind: 'refused', reason: 'unproven' }
      return { kind: 'answered', reason: 'unproven', response: challenge.response }
    }
    const { request, binding, nonce } = verification
    return {
      kind: 'opened',
      request: request.bytes,
      principal: recipient.principal,
      sequence: binding.partialIv,
      protection: new RequestProtection(nonce, sequence),
    }
  }
  return { open: (message) => opened(verifyRequest(message, find)) }
}

/** Protects everything that answers one request. */
class RequestProtection implements Protection {
  readonly #nonce: RequestNonce
  readonly #sequence: SequenceNumbers

  constructor(nonce: RequestNonce, sequence: SequenceNumbers) {
    this.#nonce = nonce
    this.#sequence = sequence
  }

  protect(response: MessageFields, settled: boolean): MessageFields | undefined {
    if (settled && !this.#nonce.isUsed) return sealResponse(response, this.#nonce)
    const result = protectResponseWithPartialIv(response, this.#nonce.binding, this.#sequence)
    return result.ok ? result.response : undefined
  }
}

/** Max-Age 0, as in all of them: no proxy should keep it. */
const ALIKE: MessageFields = {
  code: CODE.UNAUTHORIZED,
  options: [{ number: OPTION.MAX_AGE, value: new Uint8Array(0) }],
  payload: new Uint8Array(0),
}

/** An endpoint hands over nothing that is not protected. */
function reasonOf(reason: RefusalReason): Exclude<RefusalReason, 'not-protected'> {
  return reason === 'not-protected' ? 'cose-malformed' : reason
}
