import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { inOrder, type Message, type Option } from '@pesebre/coap/codec/message'
import { OPTION, OPTIONS } from '@pesebre/coap/codec/options'
import { protectRequest, verifyResponse } from '@pesebre/coap/oscore/client'
import { optionClass } from '@pesebre/coap/oscore/option-classes'
import type { MessageFields } from '@pesebre/coap/oscore/plaintext'
import { SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import { protectResponse, protectResponseWithPartialIv } from '@pesebre/coap/oscore/server'
import fc from 'fast-check'
import t from 'tap'
import { datagram, message, outcome, pairOf, verified, verify } from './harness.ts'

/** Generated messages with every kind of option, there and back as datagrams. */

const numbers = [...OPTIONS.map(({ number }) => number), 2, 65_001, 65_535].filter(
  (number) => number !== OPTION.OSCORE && number !== OPTION.PROXY_URI && number !== OPTION.OBSERVE,
)
const option: fc.Arbitrary<Option> = fc.record({
  number: fc.constantFrom(...numbers),
  value: fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ minLength: 13, maxLength: 300 })),
})
const observe = fc.option(fc.uint8Array({ maxLength: 1 }).map((value) => ({ number: OPTION.OBSERVE, value })))
const header = {
  type: fc.integer({ min: 0, max: 2 }),
  messageId: fc.nat(65_535),
  token: fc.uint8Array({ maxLength: 8 }),
}
const rest = { options: fc.array(option, { maxLength: 12 }), payload: fc.uint8Array({ maxLength: 200 }) }
const request: fc.Arbitrary<Message> = fc.record({
  ...header,
  ...rest,
  code: fc.constantFrom(...Object.values(METHOD)),
})
const response: fc.Arbitrary<Message> = fc.record({
  ...header,
  ...rest,
  code: fc.constantFrom(...Object.values(CODE)),
})
const sequenceNumber = fc.oneof(
  fc.nat(300),
  fc.maxSafeNat().map((n) => n % 2 ** 40),
)

t.test('A request arrives as it was, and shows nothing that is not of class U', (t) => {
  fc.assert(
    fc.property(request, observe, sequenceNumber, fc.boolean(), (given, observe, number, sendsIdContext) => {
      const { client: context, recipient } = pairOf()
      const plain = {
        ...given,
        options: inOrder(observe === null ? given.options : [...given.options, observe]),
      }
      const result = protectRequest(plain, {
        context,
        sequence: new SenderSequence(number, number + 1),
        sendsIdContext,
      })
      if (!result.ok) return false
      const received = message(datagram(plain, result.request))
      const { request, binding } = verified(received, recipient)
      const isShown = (option: Option) =>
        optionClass(option.number) === 'U' || option.number === OPTION.OBSERVE
      return (
        same({ ...received, ...request }, plain) &&
        received.options.every(isShown) &&
        binding.partialIv === number &&
        outcome(verify(received, recipient)) === 'replayed'
      )
    }),
    { numRuns: 400, seed: 8613 },
  )
  t.pass('for all that was generated')
  t.end()
})

t.test('A response arrives as it was, under the nonce of the request or a number of its own', (t) => {
  fc.assert(
    fc.property(response, fc.option(sequenceNumber), (given, own) => {
      const { client: context, sequence, recipient } = pairOf()
      const asked = protectRequest(
        { code: METHOD.GET, options: [], payload: new Uint8Array(0) },
        { context, sequence },
      )
      if (!asked.ok) return false
      const plain = { ...given, options: inOrder(given.options) }
      const { nonce, binding } = verified(asked.request, recipient)
      const protectedFields = own === null ? protectResponse(plain, nonce) : ownResponse(plain, own, binding)
      const received = message(datagram(plain, protectedFields))
      const result = verifyResponse(received, asked.sent)
      return result.ok && same({ ...received, ...result.response }, plain)
    }),
    { numRuns: 400, seed: 8613 },
  )
  t.pass('for all that was generated')
  t.end()
})

function ownResponse(
  plain: MessageFields,
  number: number,
  binding: Parameters<typeof protectResponseWithPartialIv>[1],
): MessageFields {
  const result = protectResponseWithPartialIv(plain, binding, new SenderSequence(number, number + 1))
  if (!result.ok) throw new Error(`Failed to protect a response: ${result.reason}`)
  return result.response
}

function same(one: Message, other: Message): boolean {
  return Buffer.from(datagram(one, one)).equals(datagram(other, other))
}
