import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { encode, type Option, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import t from 'tap'
import {
  bytes,
  datagram,
  endpointOf,
  exchangeOf,
  hex,
  messageOf,
  optionOf,
  peer,
  requested,
  sent,
  told,
  total,
  uint,
} from './harness.ts'

// design/promises.md, Refusals: each case by name. None of them may be answered with more than three times its size.
const silent: readonly [name: string, data: string, reason: string][] = [
  ['an empty datagram', '', 'short'],
  ['version 0', '00 01 0001', 'version'],
  ['version 2', '80 01 0001', 'version'],
  ['version 3', 'c0 01 0001', 'version'],
  ['token length 9', `49 01 0001 ${'00'.repeat(9)}`, 'token-length'],
  ['token length 15', `4f 01 0001 ${'00'.repeat(15)}`, 'token-length'],
  ['option delta 15', '40 01 0001 f1 00', 'option-nibble'],
  ['option length 15', '40 01 0001 1f 00', 'option-nibble'],
  ['an option past the end', '40 01 0001 b5 61', 'option-end'],
  ['a payload marker without payload', '40 02 0001 b175 ff', 'payload-empty'],
  ['a thousand options', `40 02 0001 ${'00'.repeat(1000)}`, 'too-many-options'],
  ['an empty CON with a byte too many', '40 00 0001 00', 'empty-with-content'],
  ['an empty NON', '50 00 0001', 'empty-non'],
  ['a reserved code in a NON', '50 20 0001', 'reserved-code'],
  ['a reserved code in an ACK', '60 e1 0001', 'reserved-code'],
  ['a request in an ACK', '60 01 0001', 'misplaced-code'],
  ['a request in an RST', '70 01 0001', 'misplaced-code'],
  ['a response in an RST', '70 45 0001', 'misplaced-code'],
  ['an ACK out of the blue', '60 00 0001', 'unmatched'],
  ['an ACK with a response out of the blue', '60 45 0001 ff 00', 'unmatched'],
  ['an RST out of the blue', '70 00 0001', 'unmatched'],
  ['a NON response out of the blue', '51 45 0001 aa ff 00', 'unmatched'],
]

t.test('receive(): silence for junk, counted by its reason', (t) => {
  for (const [name, data, reason] of silent) {
    const endpoint = endpointOf()
    t.same(told(endpoint.receive(bytes(data), peer, 0)), [`drop ${reason}`], name)
    t.equal(endpoint.counters[reason as 'short'], 1, name)
    t.equal(total(endpoint.counters), 1, name)
    t.equal(endpoint.sizes().exchanges, 0, `${name} is not remembered`)
  }
  t.end()
})

t.test('receive(): UDP source port 0 is dropped whatever the datagram says', (t) => {
  const endpoint = endpointOf()
  for (const data of [datagram(), bytes('40 00 0001'), bytes('41 45 0001 aa'), bytes('')]) {
    t.same(told(endpoint.receive(data, { address: '192.0.2.1', port: 0 }, 0)), ['drop source-port-zero'])
  }
  t.equal(endpoint.counters['source-port-zero'], 4)
  t.equal(endpoint.nextDeadline(), Infinity)
  t.end()
})

t.test('receive(): a ping gets RST', (t) => {
  const endpoint = endpointOf()
  t.same(told(endpoint.receive(bytes('40 00 1234'), peer, 0)), ['send 70001234'])
  t.equal(endpoint.counters.ping, 1)
  t.end()
})

t.test('receive(): a CON that cannot be processed gets RST', (t) => {
  const endpoint = endpointOf()
  t.same(told(endpoint.receive(bytes('40 20 1234'), peer, 0)), ['send 70001234'], 'a reserved code')
  t.same(
    told(endpoint.receive(bytes('41 45 1235 aa ff 00'), peer, 0)),
    ['send 70001235'],
    'a response out of the blue',
  )
  t.equal(endpoint.counters['reset-sent'], 2)
  t.end()
})

const badOptions: readonly [name: string, option: Option][] = [
  ['an unknown critical option', uint(2049, 1)],
  ['an unknown critical option below the highest known', uint(13, 1)],
  ['OSCORE', uint(OPTION.OSCORE, 1)],
  ['Q-Block1', uint(OPTION.Q_BLOCK1, 1)],
  ['an Accept of three bytes', { number: OPTION.ACCEPT, value: bytes('000032') }],
  ['an If-None-Match with a value', { number: OPTION.IF_NONE_MATCH, value: bytes('00') }],
  ['an If-Match of nine bytes', { number: OPTION.IF_MATCH, value: new Uint8Array(9) }],
  ['an empty Uri-Host', { number: OPTION.URI_HOST, value: bytes('') }],
  ['a Uri-Port of three bytes', { number: OPTION.URI_PORT, value: bytes('000001') }],
  ['a Uri-Path of 256 bytes', { number: OPTION.URI_PATH, value: new Uint8Array(256).fill(0x61) }],
  ['a Uri-Path that is no UTF-8', { number: OPTION.URI_PATH, value: bytes('c0af') }],
  ['a Uri-Path of ..', { number: OPTION.URI_PATH, value: bytes('2e2e') }],
  ['a Uri-Path of .', { number: OPTION.URI_PATH, value: bytes('2e') }],
  ['a Uri-Query that is no UTF-8', { number: OPTION.URI_QUERY, value: bytes('ff') }],
  ['a Block1 of four bytes', { number: OPTION.BLOCK1, value: bytes('00000000') }],
]

t.test('receive(): 4.02 for a critical option that cannot be used in a CON, silence in a NON', (t) => {
  for (const [name, option] of badOptions) {
    const endpoint = endpointOf()
    const con = datagram({ options: [option] })
    const [answer] = sent(endpoint.receive(con, peer, 0))
    t.equal(answer?.code, CODE.BAD_OPTION, name)
    t.equal(answer?.type, TYPE.ACK)
    t.same(
      told(endpoint.receive(datagram({ type: TYPE.NON, options: [option] }), peer, 0)),
      ['drop bad-option-non'],
      name,
    )
    t.equal(endpoint.sizes().pending, 0)
  }
  t.end()
})

t.test('receive(): 4.02 says which option, and stays below three times the shortest request', (t) => {
  for (const [data, payload] of [
    ['40 01 0002 90', 'Option 9'],
    ['40 01 0002 d0f2', 'Option 255'],
    ['40 01 0002 e0fef2', 'Option 65535'],
  ] as const) {
    const effects = endpointOf().receive(bytes(data), peer, 0)
    t.equal(Buffer.from(sent(effects)[0]?.payload ?? bytes('')).toString(), payload)
    t.ok(effects[0]?.kind === 'send' && effects[0].bytes.length <= 3 * bytes(data).length)
  }
  t.end()
})

t.test('receive(): a critical option that comes twice is 4.02; elective ones count once', (t) => {
  for (const number of [OPTION.ACCEPT, OPTION.URI_HOST, OPTION.BLOCK1, OPTION.BLOCK2, OPTION.IF_NONE_MATCH]) {
    const value = number === OPTION.IF_NONE_MATCH ? bytes('') : bytes('00')
    const options = [
      { number, value },
      { number, value },
    ]
    t.equal(
      sent(endpointOf().receive(datagram({ options }), peer, 0))[0]?.code,
      CODE.BAD_OPTION,
      String(number),
    )
  }
  const twice = [uint(OPTION.CONTENT_FORMAT, 60), uint(OPTION.CONTENT_FORMAT, 50)]
  t.equal(requested(endpointOf().receive(datagram({ options: twice }), peer, 0)).request.contentFormat, 60)
  t.end()
})

t.test('receive(): elective options that are unknown or have an impossible value are ignored', (t) => {
  const options = [
    { number: OPTION.CONTENT_FORMAT, value: bytes('000032') },
    { number: OPTION.OBSERVE, value: bytes('00000000') },
    { number: 2048, value: bytes('00') },
    { number: OPTION.ECHO, value: new Uint8Array(41) },
  ]
  const { request } = requested(endpointOf().receive(datagram({ options }), peer, 0))
  t.equal(
    request.contentFormat,
    undefined,
    'a Content-Format of three bytes counts as none (RFC 7252 section 5.4.3)',
  )
  t.equal(request.observe, undefined)
  t.end()
})

t.test('receive(): critical options that the application understands are let through', (t) => {
  const endpoint = endpointOf({ understood: [OPTION.OSCORE, 2049] })
  const { request } = requested(
    endpoint.receive(datagram({ options: [uint(OPTION.OSCORE, 9), uint(2049, 1)] }), peer, 0),
  )
  t.equal(request.options.length, 3)
  t.end()
})

t.test('receive(): Uri-Host and Uri-Port are accepted and ignored', (t) => {
  const options = [{ number: OPTION.URI_HOST, value: bytes('61') }, uint(OPTION.URI_PORT, 1)]
  t.same(requested(endpointOf().receive(datagram({ options }), peer, 0)).request.path, ['u'])
  t.end()
})

t.test('receive(): 5.05 for Proxy-Uri and Proxy-Scheme', (t) => {
  for (const number of [OPTION.PROXY_URI, OPTION.PROXY_SCHEME]) {
    const endpoint = endpointOf()
    const [answer] = sent(
      endpoint.receive(datagram({ options: [{ number, value: bytes('636f6170') }] }), peer, 0),
    )
    t.equal(answer?.code, CODE.PROXYING_NOT_SUPPORTED)
    t.equal(endpoint.counters.proxy, 1)
  }
  t.end()
})

t.test('receive(): an unknown method reaches the application, which knows what it serves', (t) => {
  const { request } = requested(endpointOf().receive(datagram({ code: 0x1f }), peer, 0))
  t.equal(request.method, 0x1f)
  t.end()
})

t.test('receive(): 4.13 with Size1 for a datagram or a body over the limit, one past it', (t) => {
  const endpoint = endpointOf({ datagramMax: 200, bodyMax: 100 })
  const frame = datagram({ payload: 'x' }).length - 1
  requested(endpoint.receive(datagram({ payload: new Uint8Array(100) }), peer, 0))
  const [body] = sent(endpoint.receive(datagram({ payload: new Uint8Array(101) }), peer, 0))
  t.equal(body?.code, CODE.REQUEST_ENTITY_TOO_LARGE)
  t.equal(body && optionOf(body, OPTION.SIZE1), 100)
  const wide = endpointOf({ datagramMax: 200 })
  requested(wide.receive(datagram({ payload: new Uint8Array(200 - frame) }), peer, 0))
  t.equal(sent(wide.receive(datagram({ payload: new Uint8Array(201 - frame) }), peer, 0))[0]?.code, 0x8d)
  t.end()
})

t.test('receive(): 5.03 with Max-Age above pendingMax, and a repeat of that is not let in later', (t) => {
  const endpoint = endpointOf({ pendingMax: 2, overloadMaxAge: 8 })
  const first = requested(endpoint.receive(datagram({ messageId: 1 }), peer, 0))
  requested(endpoint.receive(datagram({ messageId: 2 }), peer, 0))
  const [refused] = sent(endpoint.receive(datagram({ messageId: 3 }), peer, 0))
  t.equal(refused?.code, CODE.SERVICE_UNAVAILABLE)
  const wait = (refused && optionOf(refused, OPTION.MAX_AGE)) ?? 0
  t.ok(wait >= 6 && wait <= 10, `Max-Age ${wait}`)
  endpoint.respond(first.exchange, { code: CODE.CHANGED }, 1)
  t.equal(sent(endpoint.receive(datagram({ messageId: 3 }), peer, 1))[0]?.code, CODE.SERVICE_UNAVAILABLE)
  requested(endpoint.receive(datagram({ messageId: 4 }), peer, 1))
  t.equal(endpoint.counters.overload, 1)
  t.end()
})

t.test('receive(): overload is answered with different Max-Age to different peers', (t) => {
  const endpoint = endpointOf({ pendingMax: 0, overloadMaxAge: 100 })
  const waits = new Set<number | undefined>()
  for (let port = 1; port <= 200; port++) {
    const [answer] = sent(endpoint.receive(datagram(), { ...peer, port }, 0))
    const wait = answer && optionOf(answer, OPTION.MAX_AGE)
    t.ok(wait !== undefined && wait >= 75 && wait <= 125)
    waits.add(wait)
  }
  t.ok(waits.size > 30, `${waits.size} different ones`)
  t.end()
})

t.test('receive(): whatever it refuses by itself is at most three times the size of what came', (t) => {
  const endpoint = endpointOf({ pendingMax: 0 })
  const heads = ['40 01 0001', '41 01 0002 aa', '48 02 0003 0102030405060708']
  const tails = ['', '90', 'd1f400', 'd0fe 00', 'b1c0', 'd10a07', 'd10e08', 'd21661', 'd0ff', 'd11a00 ff 00']
  for (const head of heads) {
    for (const tail of tails) {
      const data = bytes(head + tail)
      for (const effect of endpoint.receive(data, peer, 0)) {
        if (effect.kind === 'send')
          t.ok(effect.bytes.length <= 3 * data.length, `${head} ${tail}: ${hex(effect.bytes)}`)
      }
    }
  }
  t.end()
})

t.test('a reboot that reuses message id and token is not swallowed', (t) => {
  const endpoint = endpointOf()
  const boot = (reading: string): string => {
    const [answer] = exchangeOf(endpoint, datagram({ messageId: 0, token: bytes(''), payload: reading }), {
      code: 0x44,
    })
    return hex(encode(answer ?? messageOf(bytes('40000000'))))
  }
  t.equal(boot('{"hopper_pct":62}'), '60440000')
  t.equal(boot('{"hopper_pct":61}'), '60440000')
  t.equal(endpoint.counters.request, 2)
  t.end()
})

t.test('a method of GET with a payload is let through: whoever serves it decides', (t) => {
  const { request } = requested(endpointOf().receive(datagram({ code: METHOD.GET, payload: 'x' }), peer, 0))
  t.equal(request.payload.length, 1)
  t.end()
})
