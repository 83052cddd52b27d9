import { CODE, isRequest, isResponse } from '../codec/codes.ts'
import { encode, inOrder, type Option, TYPE } from '../codec/message.ts'
import { OPTION } from '../codec/options.ts'
import { aadOf } from './aad.ts'
import { ID_LENGTH_MAX } from './algorithms.ts'
import type { NonceChoice, SecurityContext } from './context.ts'
import { isSame } from './key-derivation.ts'
import { decodeOscoreOption, encodeOscoreOption } from './option.ts'
import { isProtected, joinOptions, oscoreOptionOf, splitOptions } from './option-classes.ts'
import { decodePlaintext, encodePlaintext, type MessageFields, Plain } from './plaintext.ts'
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
}

export type RequestVerification<R extends RecipientContext> =
  /** The request is authentic and was not seen before. */
  | {
      readonly kind: 'verified'
      readonly request: Plain
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
  const choice: NonceChoice = { partialIv, madeBy: 'recipient' }
  const plaintext = context.decrypt(choice, aadOf({ kid, partialIv }), received.payload)
  if (plaintext === undefined) return refuse('decryption-failed')
  const request = decodePlaintext(plaintext)
  const acceptance = replayWindow.commit(partialIv, request?.echo)
  if (acceptance === 'replayed') return refuse('replayed')
  const binding = { context, partialIv }
  if (acceptance === 'unproven') return { kind: 'unproven', recipient, binding }
  if (request === undefined || !isRequest(request.code)) return refuse('plaintext-malformed')
  return {
    kind: 'verified',
    request: joined(request, received.options),
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
  return kept(sealResponse(response, nonce))
}

/** As `protectResponse`, but the payload is only good until something else is encrypted or decrypted. */
export function sealResponse(response: MessageFields, nonce: RequestNonce): MessageFields {
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
  const sealed = seal(prepared, binding, { partialIv, madeBy: 'sender' })
  return { ok: true, response: kept(sealed), partialIv }
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
const NO_OPTIONS: readonly Option[] = []
/** The OSCORE option of a response under the request's nonce. */
const EMPTY_OSCORE: Option = { number: OPTION.OSCORE, value: NO_BYTES }
const ONLY_OSCORE: readonly Option[] = [EMPTY_OSCORE]

/** A request with those of the outer options that count. */
function joined(request: Plain, outer: readonly Option[]): Plain {
  // Nearly always there is nothing outside but the OSCORE option.
  if (outer.length === 1) return request
  const { code, options, payload } = request
  const all = joinOptions(options, outer)
  if (all === options) return request
  const bytes = encode({ type: TYPE.CON, code, messageId: 0, token: NO_BYTES, options: all, payload })
  return new Plain(bytes, request.echo)
}

/** What is ready to be encrypted: all that can fail has been done before a nonce is spent. */
interface Prepared {
  readonly plaintext: Uint8Array
  readonly outer: readonly Option[]
  readonly code: number
}

function prepare({ code, options, payload }: MessageFields): Prepared {
  if (!isResponse(code)) throw new RangeError(`Failed to protect a response of code: ${code}`)
  if (options.length === 0)
    return { plaintext: encodePlaintext(code, NO_OPTIONS, payload), outer: NO_OPTIONS, code: CODE.CHANGED }
  const { inner, outer, hasObserve } = splitOptions(options, false)
  // The code outside says nothing but whether more may follow (section 4.2).
  const outerCode = hasObserve ? CODE.CONTENT : CODE.CHANGED
  return { plaintext: encodePlaintext(code, inner, payload), outer, code: outerCode }
}

/** Its payload is good until something else is encrypted or decrypted. */
function seal(
  prepared: Prepared,
  { context, partialIv: request }: RequestBinding,
  nonce: NonceChoice,
): MessageFields {
  const { plaintext, outer, code } = prepared
  const aad = context.aadOf({ partialIv: request, madeBy: 'recipient' })
  const payload = context.encrypt(nonce, aad, plaintext)
  const { partialIv, madeBy } = nonce
  if (madeBy === 'recipient' && outer.length === 0) return { code, options: ONLY_OSCORE, payload }
  const value = encodeOscoreOption(madeBy === 'sender' ? { partialIv } : {})
  return { code, options: inOrder([...outer, { number: OPTION.OSCORE, value }]), payload }
}

function kept({ code, options, payload }: MessageFields): MessageFields {
  return { code, options, payload: payload.slice() }
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
