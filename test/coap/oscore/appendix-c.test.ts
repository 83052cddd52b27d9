import { nodeCrypto } from '@pesebre/coap/node-crypto'
import { aadOf } from '@pesebre/coap/oscore/aad'
import { protectRequest, verifyResponse } from '@pesebre/coap/oscore/client'
import type { SecurityContext } from '@pesebre/coap/oscore/context'
import type { AeadInput, CryptoPrimitives } from '@pesebre/coap/oscore/crypto'
import { deriveKeys, infoOf } from '@pesebre/coap/oscore/key-derivation'
import { nonceOf } from '@pesebre/coap/oscore/nonce'
import { decodeOscoreOption, encodeOscoreOption } from '@pesebre/coap/oscore/option'
import { decodePlaintext, encodePlaintext } from '@pesebre/coap/oscore/plaintext'
import { ReplayWindow } from '@pesebre/coap/oscore/replay-window'
import { SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import { SentRequest } from '@pesebre/coap/oscore/sent-request'
import { protectResponse, protectResponseWithPartialIv, RequestNonce } from '@pesebre/coap/oscore/server'
import t from 'tap'
import {
  bytes,
  contextOf,
  datagram,
  hex,
  type KeyVector,
  type MessageVector,
  message,
  parametersOf,
  vectors,
  verified,
} from './harness.ts'

/** RFC 8613 Appendix C, every value of it. */

t.test('deriveKeys(), infoOf() and nonceOf() agree with Appendix C.1 to C.3', (t) => {
  for (const vector of vectors<KeyVector>('key-derivation')) {
    const { senderId, recipientId, idContext } = parametersOf(vector)
    const none = new Uint8Array(0)
    const { senderKey, recipientKey, commonIv } = deriveKeys(parametersOf(vector), nodeCrypto)
    const { section } = vector
    t.equal(
      hex(infoOf(senderId, idContext, 'Key')),
      vector.info_sender_key,
      `${section} info of the Sender Key`,
    )
    t.equal(hex(infoOf(recipientId, idContext, 'Key')), vector.info_recipient_key, `${section} of the other`)
    t.equal(hex(infoOf(none, idContext, 'IV')), vector.info_common_iv, `${section} of the Common IV`)
    t.equal(hex(senderKey), vector.sender_key, `${section} Sender Key`)
    t.equal(hex(recipientKey), vector.recipient_key, `${section} Recipient Key`)
    t.equal(hex(commonIv), vector.common_iv, `${section} Common IV`)
    t.equal(
      hex(nonceOf({ commonIv, id: senderId, partialIv: 0 })),
      vector.sender_nonce_piv0,
      `${section} nonce`,
    )
    t.equal(
      hex(nonceOf({ commonIv, id: recipientId, partialIv: 0 })),
      vector.recipient_nonce_piv0,
      `${section} nonce of the other`,
    )
    t.equal(hex(contextOf(section).recipientId), vector.recipient_id, `${section} Recipient ID`)
  }
  t.end()
})

t.test('aadOf(), the option and the plaintext agree with Appendix C.4 to C.8', (t) => {
  for (const vector of vectors<MessageVector>('messages')) {
    const { section } = vector
    const aad = aadOf({ kid: bytes(vector.request_kid), partialIv: Number.parseInt(vector.request_piv, 16) })
    t.equal(hex(aad), vector.aad, `${section} AAD`)
    t.ok(vector.aad.endsWith(vector.aad_array), `${section} aad_array`)
    const option = decodeOscoreOption(bytes(vector.oscore_option))
    t.equal(hex(encodeOscoreOption(option ?? {})), vector.oscore_option, `${section} option, there and back`)
    t.equal(
      option?.partialIv,
      vector.partial_iv === null ? undefined : Number.parseInt(vector.partial_iv, 16),
    )
    t.equal(hex(option?.kid), vector.kind === 'request' ? vector.sender_id : 'none', `${section} kid`)
    const plain = decodePlaintext(bytes(vector.plaintext))
    t.ok(plain, `${section} plaintext`)
    if (plain !== undefined)
      t.equal(
        hex(encodePlaintext(plain.code, plain.options, plain.payload)),
        vector.plaintext,
        `${section} again`,
      )
    t.equal(hex(message(vector.protected).payload), vector.ciphertext, `${section} ciphertext`)
  }
  t.end()
})

const requests = vectors<MessageVector>('messages').filter(({ kind }) => kind === 'request')
const responses = vectors<MessageVector>('messages').filter(({ kind }) => kind === 'response')

t.test('protectRequest() makes the requests of Appendix C.4 to C.6', (t) => {
  for (const vector of requests) {
    const { crypto, sealed } = recording()
    const sequence = new SenderSequence(vector.sender_sequence_number, vector.sender_sequence_number + 1)
    const context = contextOf(vector.context, crypto)
    const plain = message(vector.unprotected)
    const result = protectRequest(plain, {
      context,
      sequence,
      sendsIdContext: context.idContext !== undefined,
    })
    t.ok(result.ok && hex(datagram(plain, result.request)) === vector.protected, `${vector.section} datagram`)
    t.same(
      sealed,
      [`${vector.key} ${vector.nonce} ${vector.aad} ${vector.plaintext}`],
      `${vector.section} inputs`,
    )
  }
  t.end()
})

t.test('verifyRequest() reads the requests of Appendix C.4 to C.6', (t) => {
  for (const vector of requests) {
    const context = contextOf(vector.context.replace(/1$/, '2'))
    const received = message(vector.protected)
    const { request, binding } = verified(received, { context, replayWindow: new ReplayWindow() })
    t.equal(hex(datagram(received, request)), vector.unprotected, `${vector.section} datagram`)
    t.equal(binding.partialIv, vector.sender_sequence_number, `${vector.section} number`)
  }
  t.end()
})

t.test('protectResponse() makes the responses of Appendix C.7 and C.8', (t) => {
  for (const vector of responses) {
    const { crypto, sealed } = recording()
    const nonce = requestNonceOf(contextOf(vector.context, crypto))
    const plain = message(vector.unprotected)
    const sequence = new SenderSequence(vector.sender_sequence_number, 1)
    const result =
      vector.partial_iv === null
        ? { ok: true as const, response: protectResponse(plain, nonce) }
        : protectResponseWithPartialIv(plain, nonce.binding, sequence)
    t.ok(
      result.ok && hex(datagram(plain, result.response)) === vector.protected,
      `${vector.section} datagram`,
    )
    t.same(
      sealed,
      [`${vector.key} ${vector.nonce} ${vector.aad} ${vector.plaintext}`],
      `${vector.section} inputs`,
    )
  }
  t.end()
})

t.test('verifyResponse() reads the responses of Appendix C.7 and C.8', (t) => {
  for (const vector of responses) {
    const received = message(vector.protected)
    const result = verifyResponse(received, new SentRequest(contextOf('C.1.1'), 20, false))
    t.ok(result.ok && hex(datagram(received, result.response)) === vector.unprotected, vector.section)
  }
  t.end()
})

/** The nonce of the request of C.4, to which both responses belong. */
function requestNonceOf(context: SecurityContext): RequestNonce {
  return new RequestNonce({ context, partialIv: 20 })
}

/** Cryptography that writes down what it was given to seal. */
function recording(): { crypto: CryptoPrimitives; sealed: string[] } {
  const sealed: string[] = []
  const seal = (input: AeadInput): Uint8Array => {
    sealed.push([input.key, input.nonce, input.aad, input.data].map(hex).join(' '))
    return nodeCrypto.seal(input)
  }
  return { crypto: { ...nodeCrypto, seal }, sealed }
}
