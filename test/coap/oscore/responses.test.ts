import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { OPTION } from '@pesebre/coap/codec/options'
import { type ResponseVerification, verifyResponse } from '@pesebre/coap/oscore/client'
import type { MessageFields } from '@pesebre/coap/oscore/plaintext'
import { SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import {
  protectResponse,
  protectResponseWithPartialIv,
  type RequestBinding,
} from '@pesebre/coap/oscore/server'
import t from 'tap'
import { bytes, fields, hex, pairOf, path, sendOf, uint, verified, withOscore } from './harness.ts'

const get = fields(METHOD.GET, path('a'))
const observe = fields(METHOD.GET, [uint(OPTION.OBSERVE, 0), ...path('a')])
const content = fields(CODE.CONTENT, [uint(OPTION.CONTENT_FORMAT, 60), uint(OPTION.MAX_AGE, 5)], 'body')

/** A request that has arrived, and everything to answer it. */
function exchange(request: MessageFields = get) {
  const pair = pairOf()
  const { request: received, sent } = sendOf(pair, request)
  return { ...pair, sent, ...verified(received, pair.recipient) }
}

function own(response: MessageFields, binding: RequestBinding, number: number): MessageFields {
  const result = protectResponseWithPartialIv(response, binding, new SenderSequence(number, number + 1))
  if (!result.ok) throw new Error(`Failed to protect a response: ${result.reason}`)
  return result.response
}

function told(verification: ResponseVerification): string {
  if (!verification.ok) return verification.reason
  return `${Buffer.from(verification.response.payload)}${verification.isFinal ? '' : ' more'}`
}

t.test('protectResponse() shows nothing outside but 2.04, an empty OSCORE option and ciphertext', (t) => {
  for (const code of [CODE.CONTENT, CODE.CHANGED, CODE.NOT_FOUND, CODE.SERVICE_UNAVAILABLE]) {
    const { nonce, sent } = exchange()
    const response = protectResponse({ ...content, code }, nonce)
    t.equal(response.code, CODE.CHANGED)
    t.same(response.options, [{ number: OPTION.OSCORE, value: bytes('') }])
    t.same(verifyResponse(response, sent), { ok: true, response: { ...content, code }, isFinal: true })
  }
  t.end()
})

t.test('protectResponse() uses the nonce of a request once', (t) => {
  const { nonce, binding, sent } = exchange()
  protectResponse(content, nonce)
  t.ok(nonce.isUsed)
  t.throws(() => protectResponse(content, nonce), /nonce of the request has been used/)
  t.equal(
    told(verifyResponse(own(content, binding, 0), sent)),
    'body',
    'a second one has a number of its own',
  )
  t.end()
})

t.test('protectResponse() throws for what is no response, and leaves the nonce', (t) => {
  const { nonce, binding, serverSequence } = exchange()
  const oscore = { number: OPTION.OSCORE, value: bytes('') }
  for (const illegal of [
    get,
    fields(0),
    fields(CODE.CONTENT, [oscore]),
    fields(CODE.CONTENT, [uint(65_536, 1)]),
  ]) {
    t.throws(() => protectResponse(illegal, nonce), RangeError)
    t.throws(() => protectResponseWithPartialIv(illegal, binding, serverSequence), RangeError)
  }
  t.notOk(nonce.isUsed)
  t.equal(serverSequence.next, 0)
  t.end()
})

t.test('protectResponseWithPartialIv() says why there is no number left', (t) => {
  const { binding } = exchange()
  const of = (next: number) => protectResponseWithPartialIv(content, binding, new SenderSequence(next, next))
  t.same(of(9), { ok: false, reason: 'sequence-unreserved' })
  t.same(of(2 ** 40), { ok: false, reason: 'sequence-exhausted' })
  t.end()
})

t.test('verifyResponse() takes one response to a request that does not observe', (t) => {
  const { nonce, binding, sent } = exchange()
  const response = protectResponse(content, nonce)
  const other = own(content, binding, 0)
  t.equal(told(verifyResponse(response, sent)), 'body')
  t.ok(sent.isOver)
  t.equal(told(verifyResponse(response, sent)), 'replayed')
  t.equal(told(verifyResponse(other, sent)), 'replayed')
  t.end()
})

t.test('verifyResponse() takes no response to another request', (t) => {
  const pair = pairOf()
  const first = sendOf(pair, get)
  const second = sendOf(pair, get)
  const { nonce, binding } = verified(first.request, pair.recipient)
  t.equal(told(verifyResponse(own(content, binding, 0), second.sent)), 'decryption-failed')
  t.equal(told(verifyResponse(protectResponse(content, nonce), second.sent)), 'decryption-failed')
  t.end()
})

t.test('verifyResponse() refuses every flipped bit and every truncation, and waits on', (t) => {
  const { binding, sent } = exchange()
  const response = own(content, binding, 300)
  const value = response.options[0]!.value
  const refused = (changed: MessageFields) => !verifyResponse(changed, sent).ok
  let all = true
  for (let bit = 0; bit < 8 * response.payload.length; bit++) {
    const payload = response.payload.slice()
    payload[bit >> 3]! ^= 1 << (bit & 7)
    all &&= refused({ ...response, payload })
  }
  for (let bit = 0; bit < 8 * value.length; bit++) {
    // The flags of kid (3) and kid context (4) change no meaning if what they announce is not there, or not looked at.
    const data = value.slice()
    data[bit >> 3]! ^= 1 << (bit & 7)
    if (bit !== 3) all &&= refused(withOscore(response, data))
  }
  for (let length = 0; length < response.payload.length; length++)
    all &&= refused({ ...response, payload: response.payload.subarray(0, length) })
  for (let length = 0; length < value.length; length++)
    all &&= refused(withOscore(response, value.subarray(0, length)))
  t.ok(all)
  t.equal(told(verifyResponse(response, sent)), 'body')
  t.end()
})

t.test('verifyResponse() tells why it refuses', (t) => {
  const { nonce, sent } = exchange()
  const response = protectResponse(content, nonce)
  const oscore = response.options[0]!
  const cases: readonly [reason: string, response: MessageFields][] = [
    ['not-protected', content],
    ['cose-malformed', { ...response, options: [oscore, oscore] }],
    ['cose-malformed', withOscore(response, bytes('00'))],
    ['cose-malformed', { ...response, payload: bytes('') }],
    ['decryption-failed', withOscore(response, bytes('0101'))],
  ]
  for (const [reason, changed] of cases) t.equal(told(verifyResponse(changed, sent)), reason)
  const { context } = nonce.binding
  for (const [name, plaintext] of [
    ['a request', '01'],
    ['no message', '45ff'],
    ['OSCORE inside', '45900f'],
  ] as const) {
    const payload = context.encrypt({ partialIv: 0, madeBy: 'recipient' }, sent.aad, bytes(plaintext))
    t.equal(told(verifyResponse({ ...response, payload }, sent)), 'plaintext-malformed', name)
  }
  t.equal(told(verifyResponse(response, sent)), 'body', 'and takes the real one after all that')
  t.end()
})

t.test('verifyResponse() discards what anyone could have put outside', (t) => {
  const { nonce, sent } = exchange()
  const response = protectResponse(content, nonce)
  const evil = [uint(OPTION.OBSERVE, 3), { number: OPTION.ETAG, value: bytes('aa') }, uint(OPTION.MAX_AGE, 9)]
  const received = { ...response, code: CODE.NOT_FOUND, options: [...evil, ...response.options] }
  t.same(verifyResponse(received, sent), { ok: true, response: content, isFinal: true })
  t.end()
})

const state = (text: string, number: number) => fields(CODE.CONTENT, [uint(OPTION.OBSERVE, number)], text)

t.test('A notification shows 2.05 and Observe outside, and an empty Observe inside', (t) => {
  const { nonce, sent } = exchange(observe)
  const first = protectResponse(state('one', 77), nonce)
  t.equal(first.code, CODE.CONTENT)
  const plaintext = sent.context.decrypt(sent.nonceOf(undefined), sent.aad, first.payload)
  t.equal(hex(plaintext), `4560ff${hex(Buffer.from('one'))}`)
  t.same(first.options, [uint(OPTION.OBSERVE, 77), { number: OPTION.OSCORE, value: bytes('') }])
  const result = verifyResponse({ ...first, options: first.options.slice(1) }, sent)
  t.equal(told(result), 'one more', 'also when a proxy has taken Observe away')
  t.same(result.ok && result.response.options, [uint(OPTION.OBSERVE, 1)], 'and has its order number')
  t.end()
})

t.test('verifyResponse() takes notifications by Partial IV, newer ones only', (t) => {
  const { nonce, binding, sent } = exchange(observe)
  const first = protectResponse(state('first', 1), nonce)
  const at = (number: number) => own(state(`at ${number}`, number & 0xff), binding, number)
  const take = (response: MessageFields) => told(verifyResponse(response, sent))
  const late = at(9)
  t.equal(take(first), 'first more')
  t.equal(take(first), 'replayed', 'one without Partial IV')
  t.equal(take(at(10)), 'at 10 more')
  t.equal(take(late), 'replayed', 'an older one')
  t.equal(take(at(0x100_0000)), 'at 16777216 more', 'far ahead, and with a lower Observe')
  t.equal(take(own(fields(CODE.NOT_FOUND), binding, 0x100_0001)), '', 'the end')
  t.equal(take(at(0x100_0002)), 'replayed', 'nothing after the end')
  t.end()
})

t.test('verifyResponse() takes a notification without Partial IV for the oldest', (t) => {
  const { nonce, binding, sent } = exchange(observe)
  const first = protectResponse(state('first', 1), nonce)
  t.equal(told(verifyResponse(own(state('zero', 2), binding, 0), sent)), 'zero more')
  t.equal(told(verifyResponse(first, sent)), 'replayed')
  t.end()
})

t.test(
  'verifyResponse() takes nothing else under the nonce of the request, from a server that uses it twice',
  (t) => {
    const { nonce, sent } = exchange(observe)
    const first = protectResponse(state('first', 1), nonce)
    t.equal(told(verifyResponse(first, sent)), 'first more')
    const { context, partialIv } = nonce.binding
    const payload = context.encrypt({ partialIv, madeBy: 'recipient' }, sent.aad, bytes('45ff00'))
    t.equal(told(verifyResponse({ ...first, payload }, sent)), 'replayed')
    t.notOk(sent.isOver)
    t.end()
  },
)

t.test('verifyResponse() numbers notifications in the order it takes them', (t) => {
  const { binding, sent } = exchange(observe)
  const numbers = [5, 6, 900].map((number) => {
    const result = verifyResponse(own(state('x', 0), binding, number), sent)
    return result.ok && result.response.options[0]
  })
  t.same(
    numbers,
    [1, 2, 3].map((number) => uint(OPTION.OBSERVE, number)),
  )
  t.end()
})

t.test('verifyResponse() stops at a notification that was not asked for', (t) => {
  for (const request of [get, fields(METHOD.GET, [uint(OPTION.OBSERVE, 1)])]) {
    const { nonce, binding, sent } = exchange(request)
    t.equal(told(verifyResponse(protectResponse(state('x', 1), nonce), sent)), 'observe-unexpected')
    t.equal(told(verifyResponse(own(content, binding, 0), sent)), 'body')
  }
  t.end()
})

t.test('verifyResponse() takes an ordinary response to a registration for the only one', (t) => {
  const { nonce, binding, sent } = exchange(observe)
  t.equal(told(verifyResponse(protectResponse(content, nonce), sent)), 'body')
  t.equal(told(verifyResponse(own(state('x', 1), binding, 0), sent)), 'replayed')
  t.end()
})
