import { createHash } from 'node:crypto'
import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { decode, encode, type Message, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { utf8 } from '@pesebre/coap/codec/text'
import { protectRequest, verifyResponse } from '@pesebre/coap/oscore/client'
import { deriveSecurityContext } from '@pesebre/coap/oscore/context'
import type { CryptoPrimitives } from '@pesebre/coap/oscore/crypto'
import type { MessageFields } from '@pesebre/coap/oscore/plaintext'
import { challengeOf } from '@pesebre/coap/oscore/recovery'
import { SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import { GATEWAY_SENDER_ID, idContextOf } from '@pesebre/contract/kid'
import { numberUplink } from '@pesebre/contract/numbered'
import { Encoder } from 'cbor-x'

/** Sends a datagram, again and again as RFC 7252 section 4.2 says, and resolves with the first that `isAnswer` takes. */
export type Exchange = (datagram: Uint8Array, isAnswer: (bytes: Uint8Array) => boolean) => Promise<Uint8Array>

export type CheckInOptions = {
  /** The probe's kid and Master Secret, hexadecimal. */
  readonly identity: { readonly kid: string; readonly secret: string }
  readonly gateway: string
  /** Milliseconds since 1970. */
  readonly now: number
  readonly crypto: CryptoPrimitives
  readonly exchange: Exchange
}

/** Numbers that one check-in may use up: itself, and once more with Echo. */
const NUMBERS = 8
const EPOCH = Date.UTC(2026, 0, 1)
const encoder = new Encoder({ useRecords: false, mapsAsObjects: false, tagUint8Array: false })

/**
 * One check-in as a registered device makes it: protected, confirmable, with an Echo if the gateway asks for one.
 * @returns the report's `seq`. Throws an Error that says what came instead of 2.04.
 */
export async function checkIn({ identity, gateway, now, crypto, exchange }: CheckInOptions): Promise<number> {
  const context = deriveSecurityContext(
    {
      masterSecret: Buffer.from(identity.secret, 'hex'),
      senderId: Buffer.from(identity.kid, 'hex'),
      recipientId: GATEWAY_SENDER_ID,
      idContext: idContextOf(gateway),
    },
    crypto,
  )
  // A function remembers nothing: the clock makes sure that no number comes twice. 2^40 of them last until 2164.
  const first = Math.floor((now - EPOCH) / 1000) * 256
  const sequence = new SenderSequence(first, first + NUMBERS)
  const inner: MessageFields = {
    code: METHOD.POST,
    options: [
      { number: OPTION.URI_PATH, value: utf8('u') },
      { number: OPTION.CONTENT_FORMAT, value: Uint8Array.of(CONTENT_FORMAT.CBOR) },
    ],
    payload: encoder.encode(
      numberUplink({ state: { probe: Math.floor(now / 1000) }, interval_s: 60 }, 'test'),
    ),
  }

  async function ask(fields: MessageFields): Promise<{ seq: number; response: MessageFields }> {
    const seq = sequence.next
    const protection = protectRequest(fields, { context, sequence })
    if (!protection.ok) throw new Error(`Cannot protect the report: ${protection.reason}`)
    const token = createHash('sha256').update(`${gateway}:${seq}`).digest().subarray(0, 4)
    const message: Message = { ...protection.request, type: TYPE.CON, messageId: seq & 0xffff, token }
    let response: MessageFields | undefined
    let refusal = ''
    await exchange(encode(message), (bytes) => {
      const decoded = decode(bytes)
      if (!decoded.ok || !Buffer.from(decoded.message.token).equals(token)) return false
      const verified = verifyResponse(decoded.message, protection.sent)
      if (verified.ok) response = verified.response
      // Anyone can send an unprotected answer; but where no other comes, it is what an operator wants to know.
      else refusal = `${nameOf(decoded.message.code)}, ${verified.reason}`
      return verified.ok
    }).catch((error: Error) => {
      throw refusal ? new Error(`${error.message}; refused with ${refusal}`) : error
    })
    return { seq, response: response! }
  }

  let { seq, response } = await ask(inner)
  const echo = challengeOf(response)
  if (echo !== undefined) {
    const options = [...inner.options, { number: OPTION.ECHO, value: echo }]
    ;({ seq, response } = await ask({ ...inner, options }))
  }
  if (response.code !== CODE.CHANGED) throw new Error(`The gateway answers ${nameOf(response.code)}`)
  return seq
}

function nameOf(code: number): string {
  return `${code >> 5}.${String(code & 31).padStart(2, '0')}`
}
