import { CODE, isRequest, isResponse } from '../codec/codes.ts'
import { inOrder, type Option } from '../codec/message.ts'
import { OPTION } from '../codec/options.ts'
import { aadOf } from './aad.ts'
import { ID_LENGTH_MAX } from './algorithms.ts'
import type { NonceChoice, SecurityContext } from './context.ts'
import { isSame } from './key-derivation.ts'
import { decodeOscoreOption, encodeOscoreOption } from './option.ts'
import { isProtected, joinOptions, oscoreOptionOf, splitOptions } from './option-classes.ts'
import { decodePlaintext, encodePlaintext, type MessageFields } from './plaintext.ts'
import { echoOf } from './recovery.ts'
import { type Refusal, type RefusalReason, refusalOf } from './refusal.ts'
import type { ReplayProtection } from './replay-window.ts'
import type { SequenceFailure, SequenceNumbers } from './sender-sequence.ts'

/** A Recipient Context (RFC 8613 section 3.1): whose requests are verified, and which of them were seen. */
export interface RecipientContext {
  readonly context: SecurityContext
  readonly replayWindow: ReplayProtection
}

/**
 * Finds the Recipient Context for the `kid` of a request, and its `kid context` if it has one; undefined if there is none. A kid
 * context other than the ID Context of what is found is refused in any case. Anyone can make it run: it should cost little. The
 * bytes belong to the datagram: copy them to keep them.
 */
export type FindRecipientContext<R extends RecipientContext> = (
  kid: Uint8Array,
  kidContext: Uint8Array | undefined,
) => R | undefined

/** What binds responses to one verified request. Keep it for as long as there are responses, as for an observation. */
export interface RequestBinding {
  readonly context: SecurityContext
  /** The Partial IV of the request: its Sender Sequence Number. */
  readonly partialIv: number
  /** The additional authenticated data of every response. */
  readonly aad: Uint8Array
}

export type RequestVerification<R extends RecipientContext> =
  /** The request is authentic and was not seen before. */
  | {
      readonly kind: 'verified'
      readonly request: MessageFields
      readonly recipient: R
      readonly binding: RequestBinding
      /** For one response; further ones take `binding` and a number of our own. */
      readonly nonce: RequestNonce
    }
  /** The request is authentic but may be old (Appendix B.1.2). It must not be acted on: answer with `protectChallenge`. */
  | { readonly kind: 'unproven'; readonly recipient: R; readonly binding: RequestBinding }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/**
 * The nonce of one verified request, to be used in one response: a second message under it would give both away. Only a request
 * that is known never to be accepted again, also after a crash, may be answered with it: until then use `binding` and a sequence.
 */
export class RequestNonce {
  readonly binding: RequestBinding
  #isUsed = false

  constructor(binding: RequestBinding) {
    this.binding = binding
  }

  get isUsed(): boolean {
    return this.#isUsed
  }

  /** Hands the nonce over, once. Throws Error the second time. */
  take(): NonceChoice {
    if (this.#isUsed) throw new Error('Failed to protect a response: the nonce of the request has been used')
    this.#isUsed = true
    return { partialIv: this.binding.partialIv, madeBy: 'recipient' }
  }
}

/** A response, or why there is no Partial IV for it. */
export type ProtectedResponse =
  | { readonly ok: true; readonly response: MessageFields; readonly partialIv: number }
  | { readonly ok: false; readonly reason: SequenceFailure }

/**
 * Verifies a request (section 8.2). Never throws, whatever has come. A request that fails moves no window; one that passes is marked
 * as seen before this returns. Its retransmissions must have been caught before, or they count as replays.
 */
export function verifyRequest<R extends RecipientContext>(
  received: MessageFields,
  find: FindRecipientContext<R>,
): RequestVerification<R> {
  const option = requestOptionOf(received)
  if (option === undefined) return refuse(isProtected(received.options) ? 'cose-malformed' : 'not-protected')
  const { kid, kidContext, partialIv } = option
  // A longer kid belongs to nobody, and the nonce has no room for it.
  const recipient = kid.length > ID_LENGTH_MAX ? undefined : find(kid, kidContext)
  if (recipient === undefined) return refuse('context-not-found')
  const { context, replayWindow } = recipient
  if (kidContext !== undefined && !isSame(kidContext, context.idContext ?? NO_BYTES))
    return refuse('context-not-found')
  if (!replayWindow.check(partialIv)) return refuse('replayed')
  const aad = aadOf({ kid, partialIv })
  const plaintext = context.decrypt({ partialIv, madeBy: 'recipient' }, aad, received.payload)
  if (plaintext === undefined) return refuse('decryption-failed')
  const request = decodePlaintext(plaintext)
  const acceptance = replayWindow.commit(partialIv, request && echoOf(request))
  if (acceptance === 'replayed') return refuse('replayed')
  const binding = { context, partialIv, aad }
  if (acceptance === 'unproven') return { kind: 'unproven', recipient, binding }
  if (request === undefined || !isRequest(request.code)) return refuse('plaintext-malformed')
  const { code, options, payload } = request
  return {
    kind: 'verified',
    request: { code, options: joinOptions(options, received.options), payload },
    recipient,
    binding,
    nonce: new RequestNonce(binding),
  }
}

/**
 * Protects the response to a request under the request's own nonce, which saves the Partial IV (section 8.3). Throws Error if that
 * nonce has been used, RangeError for what no message can hold; the nonce counts as used only once there is a response.
 */
export function protectResponse(response: MessageFields, nonce: RequestNonce): MessageFields {
  const prepared = prepare(response)
  return seal(prepared, nonce.binding, nonce.take())
}

/**
 * Protects a response under a Partial IV of our own (section 8.3): every notification but the first, every second response, and
 * whatever answers a request that may be accepted once more. Throws RangeError for what no message can hold.
 */
export function protectResponseWithPartialIv(
  response: MessageFields,
  binding: RequestBinding,
  sequence: SequenceNumbers,
): ProtectedResponse {
  const prepared = prepare(response)
  const partialIv = sequence.take()
  if (typeof partialIv !== 'number') return { ok: false, reason: partialIv }
  return { ok: true, response: seal(prepared, binding, { partialIv, madeBy: 'sender' }), partialIv }
}

/** The answer to a request that may be old: 4.01 with the Echo value that a fresh one has to carry (Appendix B.1.2). */
export function protectChallenge(
  echo: Uint8Array,
  binding: RequestBinding,
  sequence: SequenceNumbers,
): ProtectedResponse {
  const options = [{ number: OPTION.ECHO, value: echo }]
  return protectResponseWithPartialIv(
    { code: CODE.UNAUTHORIZED, options, payload: NO_BYTES },
    binding,
    sequence,
  )
}

const NO_BYTES = new Uint8Array(0)

/** What is ready to be encrypted: all that can fail has been done before a nonce is spent. */
interface Prepared {
  readonly plaintext: Uint8Array
  readonly outer: readonly Option[]
  readonly code: number
}

function prepare({ code, options, payload }: MessageFields): Prepared {
  if (!isResponse(code)) throw new RangeError(`Failed to protect a response of code: ${code}`)
  const { inner, outer, hasObserve } = splitOptions(options, false)
  // The code outside says nothing but whether more may follow (section 4.2).
  const outerCode = hasObserve ? CODE.CONTENT : CODE.CHANGED
  return { plaintext: encodePlaintext(code, inner, payload), outer, code: outerCode }
}

function seal(prepared: Prepared, { context, aad }: RequestBinding, nonce: NonceChoice): MessageFields {
  const { plaintext, outer, code } = prepared
  const value = encodeOscoreOption(nonce.madeBy === 'sender' ? { partialIv: nonce.partialIv } : {})
  const oscore = { number: OPTION.OSCORE, value }
  const payload = context.encrypt(nonce, aad, plaintext)
  return { code, options: outer.length === 0 ? [oscore] : inOrder([...outer, oscore]), payload }
}

interface RequestOption {
  readonly kid: Uint8Array
  readonly kidContext: Uint8Array | undefined
  readonly partialIv: number
}

/** The OSCORE option of a request; undefined if it is not there, malformed, or not enough for a request (section 5). */
function requestOptionOf({ options, payload }: MessageFields): RequestOption | undefined {
  const value = oscoreOptionOf(options)
  if (value === undefined || payload.length === 0) return undefined
  const option = decodeOscoreOption(value)
  if (option === undefined) return undefined
  const { kid, kidContext, partialIv } = option
  return kid === undefined || partialIv === undefined ? undefined : { kid, kidContext, partialIv }
}

function refuse(reason: RefusalReason): { kind: 'refused'; refusal: Refusal } {
  return { kind: 'refused', refusal: refusalOf(reason) }
}
