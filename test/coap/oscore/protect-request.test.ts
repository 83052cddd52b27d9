import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { OPTION } from '@pesebre/coap/codec/options'
import { protectRequest } from '@pesebre/coap/oscore/client'
import { decodeOscoreOption } from '@pesebre/coap/oscore/option'
import { OPTION_CLASSES } from '@pesebre/coap/oscore/option-classes'
import type { MessageFields } from '@pesebre/coap/oscore/plaintext'
import { SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import t from 'tap'
import { bytes, fields, hex, outcome, pairOf, path, sendOf, uint, verified, verify } from './harness.ts'

const uplink = fields(METHOD.POST, [...path('u'), uint(OPTION.CONTENT_FORMAT, 60)], 'body')

t.test('protectRequest() shows nothing outside but POST, the OSCORE option and ciphertext', (t) => {
  const pair = pairOf()
  for (const method of Object.values(METHOD)) {
    const { request } = sendOf(pair, { ...uplink, code: method })
    t.equal(request.code, METHOD.POST)
    t.same(
      request.options.map(({ number }) => number),
      [OPTION.OSCORE],
    )
    t.equal(verified(request, pair.recipient).request.code, method)
  }
  t.end()
})

t.test('protectRequest() puts each option where its class belongs', (t) => {
  const pair = pairOf()
  for (const [number, optionClass] of OPTION_CLASSES) {
    if (number === OPTION.OSCORE || number === OPTION.PROXY_URI || number === OPTION.OBSERVE) continue
    const option = { number, value: Uint8Array.of(1) }
    const { request } = sendOf(pair, fields(METHOD.GET, [option]))
    const isOutside = request.options.some((outer) => outer.number === number)
    t.equal(isOutside, optionClass === 'U', `option ${number}`)
    t.same(verified(request, pair.recipient).request.options, [option], `option ${number} arrives`)
  }
  const unknown = { number: 65_001, value: Uint8Array.of(1) }
  const { request } = sendOf(pair, fields(METHOD.GET, [unknown]))
  t.same(
    request.options.map(({ number }) => number),
    [OPTION.OSCORE],
    'what is unknown goes inside',
  )
  t.same(verified(request, pair.recipient).request.options, [unknown])
  t.end()
})

t.test('protectRequest() shows Observe outside as well, under FETCH', (t) => {
  const pair = pairOf()
  for (const value of [0, 1]) {
    const { request } = sendOf(pair, fields(METHOD.GET, [uint(OPTION.OBSERVE, value), ...path('a')]))
    t.equal(request.code, METHOD.FETCH)
    t.same(request.options[0], uint(OPTION.OBSERVE, value))
    t.same(
      verified(request, pair.recipient).request,
      fields(METHOD.GET, [uint(OPTION.OBSERVE, value), ...path('a')]),
    )
  }
  t.end()
})

t.test('protectRequest() sends the ID Context only when told', (t) => {
  const pair = pairOf()
  const { client: context, sequence } = pair
  for (const sendsIdContext of [true, false]) {
    const result = protectRequest(uplink, { context, sequence, sendsIdContext })
    const option = result.ok ? decodeOscoreOption(result.request.options[0]!.value) : undefined
    t.equal(hex(option?.kidContext), sendsIdContext ? hex(context.idContext) : 'none')
    t.equal(result.ok && outcome(verify(result.request, pair.recipient)), 'verified')
  }
  t.end()
})

t.test('protectRequest() takes Proxy-Uri apart: the proxy sees scheme and authority only', (t) => {
  const cases: readonly [uri: string, outer: string, inner: readonly string[]][] = [
    ['coap://example.com/resource?q=1', 'coap://example.com', ['11 resource', '15 q=1']],
    ['coap://example.com', 'coap://example.com', []],
    ['coap://example.com/', 'coap://example.com', []],
    ['coap://example.com?a&b=', 'coap://example.com', ['15 a', '15 b=']],
    [
      'coaps://[2001:db8::1]:61616//x/?//&%26',
      'coaps://[2001:db8::1]:61616',
      ['11 ', '11 x', '11 ', '15 //', '15 &'],
    ],
    ['coap://h/%C3%A9%2F', 'coap://h', ['11 é/']],
  ]
  for (const [uri, outer, inner] of cases) {
    const pair = pairOf()
    const { request } = sendOf(
      pair,
      fields(METHOD.GET, [{ number: OPTION.PROXY_URI, value: Buffer.from(uri) }]),
    )
    const shown = request.options.find(({ number }) => number === OPTION.PROXY_URI)
    t.equal(Buffer.from(shown!.value).toString(), outer, uri)
    const { options } = verified(request, pair.recipient).request
    const told = options.filter(({ number }) => number !== OPTION.PROXY_URI)
    t.same(
      told.map(({ number, value }) => `${number} ${Buffer.from(value)}`),
      inner,
      uri,
    )
  }
  for (const uri of ['', '/path', 'coap:x', 'coap://h/#f', 'coap:///x', 'coap://h/%', 'coap://h/%ff']) {
    const request = fields(METHOD.GET, [{ number: OPTION.PROXY_URI, value: Buffer.from(uri) }])
    t.throws(() => sendOf(pairOf(), request), RangeError, uri)
  }
  t.end()
})

t.test('protectRequest() throws for what is no request, and spends no number on it', (t) => {
  const pair = pairOf()
  const illegal: readonly MessageFields[] = [
    fields(CODE.CONTENT),
    fields(0),
    fields(METHOD.GET, [{ number: OPTION.OSCORE, value: bytes('') }]),
    fields(METHOD.GET, [{ number: 65_536, value: bytes('') }]),
  ]
  for (const request of illegal) t.throws(() => sendOf(pair, request), RangeError)
  t.equal(pair.sequence.next, 0)
  t.end()
})

t.test('protectRequest() says why there is no number left', (t) => {
  const { client: context } = pairOf()
  const of = (sequence: SenderSequence) => protectRequest(uplink, { context, sequence })
  t.same(of(new SenderSequence(3, 3)), { ok: false, reason: 'sequence-unreserved' })
  t.same(of(new SenderSequence(2 ** 40, 2 ** 40)), { ok: false, reason: 'sequence-exhausted' })
  t.end()
})
