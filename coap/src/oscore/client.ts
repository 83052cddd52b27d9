import { isRequest, isResponse, METHOD } from '../codec/codes.ts'
import { inOrder, type Option } from '../codec/message.ts'
import { OPTION } from '../codec/options.ts'
import { readUint, uintBytes } from '../codec/uint.ts'
import type { SecurityContext } from './context.ts'
import { decodeOscoreOption, encodeOscoreOption } from './option.ts'
import { isProtected, joinOptions, oscoreOptionOf, splitOptions } from './option-classes.ts'
import { decodePlaintext, encodePlaintext, type MessageFields } from './plaintext.ts'
import type { RefusalReason } from './refusal.ts'
import type { SequenceFailure, SequenceNumbers } from './sender-sequence.ts'
import { SentRequest } from './sent-request.ts'

/** A Sender Context (RFC 8613 section 3.1): with what requests are protected. */
export interface SenderContext {
  readonly context: SecurityContext
  readonly sequence: SequenceNumbers
  /** Whether requests carry the ID Context (`kid context`); default false: both sides know it. */
  readonly sendsIdContext?: boolean | undefined
}

/** A request ready to be sent, or why there is no Partial IV for it. */
export type ProtectedRequest =
  | { readonly ok: true; readonly request: MessageFields; readonly sent: SentRequest }
  | { readonly ok: false; readonly reason: SequenceFailure }

/** Why a response is not taken. It says nothing about the request, which may still get another: anyone can send a bad response. */
export type ResponseRefusal =
  | Exclude<RefusalReason, 'context-not-found'>
  /** A notification, although none was asked for (section 4.1.3.5.2). */
  | 'observe-unexpected'

export type ResponseVerification =
  | {
      readonly ok: true
      /** Observe counts the notifications from 1: one that is older than what has come is refused. */
      readonly response: MessageFields
      /** No response to this request will be taken any more. */
      readonly isFinal: boolean
    }
  | { readonly ok: false; readonly reason: ResponseRefusal }

/**
 * Protects a request (section 8.1). Takes one number out of the sequence. Throws RangeError for what no message can hold. To send
 * the same bytes again is no new request; whatever differs is.
 */
export function protectRequest(request: MessageFields, sender: SenderContext): ProtectedRequest {
  const { context, sequence, sendsIdContext = false } = sender
  const { code, options, payload } = request
  if (!isRequest(code)) throw new RangeError(`Failed to protect a request of code: ${code}`)
  const { inner, outer, hasObserve } = splitOptions(options, true)
  const plaintext = encodePlaintext(code, inner, payload)
  const kidContext = sendsIdContext ? context.idContext : undefined
  const partialIv = sequence.take()
  if (typeof partialIv !== 'number') return { ok: false, reason: partialIv }
  const sent = new SentRequest(context, partialIv, hasObserve && isRegistration(inner))
  const value = encodeOscoreOption({ partialIv, kidContext, kid: context.senderId })
  const ciphertext = context.encrypt({ partialIv, madeBy: 'sender' }, sent.aad, plaintext).slice()
  return {
    ok: true,
    request: {
      // POST with Observe is not defined, so that proxies see a FETCH (section 4.1.3.5).
      code: hasObserve ? METHOD.FETCH : METHOD.POST,
      options: inOrder([...outer, { number: OPTION.OSCORE, value }]),
      payload: ciphertext,
    },
    sent,
  }
}

/**
 * Verifies a response (section 8.4), a notification included. Never throws, whatever has come; what fails leaves `sent` as it was. A
 * refusal that comes unprotected (`not-protected`) may be forged: it is a hint to try again later and no more.
 */
export function verifyResponse(received: MessageFields, sent: SentRequest): ResponseVerification {
  if (!isProtected(received.options)) return refuse('not-protected')
  const value = oscoreOptionOf(received.options)
  const option = value && decodeOscoreOption(value)
  if (option === undefined || received.payload.length === 0) return refuse('cose-malformed')
  const { partialIv } = option
  if (!sent.mayTake(partialIv)) return refuse('replayed')
  const plaintext = sent.context.decrypt(sent.nonceOf(partialIv), sent.aad, received.payload)
  if (plaintext === undefined) return refuse('decryption-failed')
  const response = decodePlaintext(plaintext)
  if (response === undefined || !isResponse(response.code)) return refuse('plaintext-malformed')
  const { code, options, payload } = response
  if (!options.some(({ number }) => number === OPTION.OBSERVE)) {
    sent.takeLast()
    return {
      ok: true,
      response: { code, options: joinOptions(options, received.options), payload },
      isFinal: true,
    }
  }
  if (!sent.isRegistration) return refuse('observe-unexpected')
  if (!sent.takeNotification(partialIv)) return refuse('replayed')
  const ordered = numbered(options, sent.notifications)
  return {
    ok: true,
    response: { code, options: joinOptions(ordered, received.options), payload },
    isFinal: false,
  }
}

/**
 * Gives a notification its order number, which did not travel: an application that orders by Observe (RFC 7641 section 3.4) sees every
 * one that is taken as newer than the last. The Partial IV would not do, since those of one sender belong to many observations.
 */
function numbered(options: readonly Option[], notifications: number): readonly Option[] {
  const value = uintBytes(notifications & 0xff_ffff)
  return options.map((option) =>
    option.number === OPTION.OBSERVE ? { number: OPTION.OBSERVE, value } : option,
  )
}

function isRegistration(inner: readonly Option[]): boolean {
  const observe = inner.find(({ number }) => number === OPTION.OBSERVE)?.value
  return observe !== undefined && readUint(observe, 0, Math.min(observe.length, 3)) === 0
}

function refuse(reason: ResponseRefusal): ResponseVerification {
  return { ok: false, reason }
}
