import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { content, contentFormat, etag, locationPath, maxAge, text } from '@pesebre/coap/endpoint/response'
import t from 'tap'
import { bytes, datagram, endpointOf, exchangeOf, hex, peer, requested, sent, told, uint } from './harness.ts'

t.test('receive(): the application sees the whole of a request', (t) => {
  const endpoint = endpointOf()
  const post = datagram({
    path: ['feeder', 'bella', ''],
    query: ['a=1', 'ñ'],
    options: [
      uint(OPTION.CONTENT_FORMAT, 60),
      uint(OPTION.ACCEPT, 50),
      uint(OPTION.URI_PORT, 5683),
      uint(2048, 7),
    ],
    payload: 'body',
  })
  const { request } = requested(endpoint.receive(post, peer, 0))
  t.equal(request.method, METHOD.POST)
  t.same(request.path, ['feeder', 'bella', ''])
  t.same(request.query, ['a=1', 'ñ'])
  t.equal(request.contentFormat, 60)
  t.equal(request.accept, 50)
  t.equal(request.observe, undefined)
  t.equal(request.confirmable, true)
  t.equal(request.noResponse, false)
  t.equal(request.size, post.length)
  t.equal(Buffer.from(request.payload).toString(), 'body')
  t.same(
    request.options.map((option) => option.number),
    [
      OPTION.URI_PORT,
      OPTION.URI_PATH,
      OPTION.URI_PATH,
      OPTION.URI_PATH,
      OPTION.CONTENT_FORMAT,
      15,
      15,
      17,
      2048,
    ],
  )
  t.end()
})

t.test('respond(): a CON is answered by an ACK with its message id and token', (t) => {
  const endpoint = endpointOf()
  const { exchange } = requested(endpoint.receive(bytes('42 02 0001 abcd b175'), peer, 0))
  t.same(told(endpoint.respond(exchange, { code: CODE.CHANGED }, 0)), ['send 62440001abcd'])
  t.end()
})

t.test('respond(): an empty token', (t) => {
  const endpoint = endpointOf()
  const { exchange } = requested(endpoint.receive(bytes('40 02 0001 b175'), peer, 0))
  t.same(told(endpoint.respond(exchange, { code: CODE.CHANGED }, 0)), ['send 60440001'])
  t.end()
})

t.test('respond(): a NON is answered by a NON with a message id of ours', (t) => {
  const endpoint = endpointOf()
  const ids = [1, 2].map((messageId) => {
    const [answer] = exchangeOf(endpoint, datagram({ type: TYPE.NON, messageId }), { code: CODE.CHANGED })
    t.equal(answer?.type, TYPE.NON)
    t.equal(hex(answer?.token ?? bytes('')), 'ab')
    return answer?.messageId
  })
  t.not(ids[0], ids[1])
  t.end()
})

t.test('respond(): options in any order, and a payload', (t) => {
  const endpoint = endpointOf()
  const options = [maxAge(30), contentFormat(50), etag(Uint8Array.of(1)), ...locationPath('a', 'b')]
  const [answer] = exchangeOf(endpoint, datagram(), {
    code: CODE.CREATED,
    options,
    payload: Uint8Array.of(1, 2),
  })
  t.same(
    answer?.options.map(({ number, value }) => `${number}=${hex(value)}`),
    ['4=01', '8=61', '8=62', '12=32', '14=1e'],
  )
  t.equal(hex(answer?.payload ?? bytes('')), '0102')
  t.end()
})

t.test('respond(): a second answer does nothing', (t) => {
  const endpoint = endpointOf()
  const { exchange } = requested(endpoint.receive(datagram(), peer, 0))
  endpoint.respond(exchange, { code: CODE.CHANGED }, 0)
  t.same(endpoint.respond(exchange, { code: CODE.NOT_FOUND }, 0), [])
  t.end()
})

t.test('respond(): a response that cannot be made throws, and the exchange is still open', (t) => {
  const endpoint = endpointOf()
  const { exchange } = requested(endpoint.receive(datagram(), peer, 0))
  for (const code of [0, METHOD.GET, 0x20, 0xe1, 300])
    t.throws(() => endpoint.respond(exchange, { code }, 0), RangeError)
  const options = [{ number: 70_000, value: new Uint8Array(0) }]
  t.throws(() => endpoint.respond(exchange, { code: CODE.CONTENT, options }, 0), RangeError)
  t.equal(endpoint.sizes().pending, 1)
  t.same(told(endpoint.respond(exchange, { code: CODE.INTERNAL_SERVER_ERROR }, 0)), ['send 61a00001ab'])
  t.equal(endpoint.sizes().pending, 0)
  t.end()
})

t.test(
  'advance(): a CON that waits for over a second gets an empty ACK, then its answer as a CON of its own',
  (t) => {
    const endpoint = endpointOf()
    const { exchange } = requested(endpoint.receive(datagram(), peer, 0))
    t.equal(endpoint.nextDeadline(), 1_000)
    t.same(endpoint.advance(999), [])
    t.same(told(endpoint.advance(1_000)), ['send 60000001'])
    t.same(endpoint.advance(1_001), [], 'once')
    const effects = endpoint.respond(exchange, text('late'), 5_000)
    const [answer] = sent(effects)
    t.equal(answer?.type, TYPE.CON)
    t.equal(hex(answer?.token ?? bytes('')), 'ab')
    t.same(told(endpoint.receive(datagram(), peer, 5_001)), ['send 60000001'], 'a repeat gets the empty ACK')
    const again = endpoint.advance(endpoint.nextDeadline())
    t.same(told(again), told(effects), 'the answer is repeated')
    const ack = datagram({
      type: TYPE.ACK,
      code: 0,
      path: [],
      token: bytes(''),
      messageId: answer?.messageId ?? 0,
    })
    t.same(endpoint.receive(ack, peer, 10_000), [])
    t.equal(endpoint.counters.acknowledgement, 1)
    t.equal(endpoint.nextDeadline(), Infinity)
    t.end()
  },
)

t.test('advance(): a separate answer is repeated four times with doubling pauses, then given up', (t) => {
  const endpoint = endpointOf()
  const { exchange } = requested(endpoint.receive(datagram(), peer, 0))
  endpoint.advance(1_000)
  endpoint.respond(exchange, { code: CODE.CHANGED }, 1_000)
  let now = 1_000
  const pauses: number[] = []
  for (let next = endpoint.nextDeadline(); next !== Infinity; next = endpoint.nextDeadline()) {
    pauses.push(next - now)
    now = next
    t.equal(endpoint.advance(now).length, pauses.length <= 4 ? 1 : 0)
  }
  t.equal(pauses.length, 5)
  const [first = 0] = pauses
  t.ok(first >= 2_000 && first < 3_000, `first pause of ${first}`)
  pauses.forEach((pause, at) => {
    t.ok(Math.abs(pause - first * 2 ** at) < 1e-6)
  })
  t.end()
})

t.test('transmissionsMax: a separate answer above it is sent once and not watched', (t) => {
  const endpoint = endpointOf({ transmissionsMax: 1 })
  const exchanges = [1, 2].map(
    (messageId) => requested(endpoint.receive(datagram({ messageId }), peer, 0)).exchange,
  )
  endpoint.advance(1_000)
  for (const exchange of exchanges)
    t.equal(endpoint.respond(exchange, { code: CODE.CHANGED }, 1_000).length, 1)
  t.equal(endpoint.sizes().transmissions, 1)
  t.equal(endpoint.advance(endpoint.nextDeadline()).length, 1)
  t.end()
})

t.test('advance(): an RST ends a separate answer', (t) => {
  const endpoint = endpointOf()
  const { exchange } = requested(endpoint.receive(datagram(), peer, 0))
  endpoint.advance(1_000)
  const [answer] = sent(endpoint.respond(exchange, { code: CODE.CHANGED }, 1_000))
  const reset = datagram({
    type: TYPE.RST,
    code: 0,
    path: [],
    token: bytes(''),
    messageId: answer?.messageId ?? 0,
  })
  t.same(endpoint.receive(reset, peer, 1_001), [])
  t.equal(endpoint.counters.reset, 1)
  t.equal(endpoint.nextDeadline(), Infinity)
  t.end()
})

t.test('advance(): a NON that waits for long gets its answer as a NON, and no ACK', (t) => {
  const endpoint = endpointOf()
  const { exchange } = requested(endpoint.receive(datagram({ type: TYPE.NON }), peer, 0))
  t.same(endpoint.advance(10_000), [])
  t.equal(sent(endpoint.respond(exchange, { code: CODE.CHANGED }, 10_000))[0]?.type, TYPE.NON)
  t.end()
})

t.test('advance(): a request that is never answered is let go after a lifetime', (t) => {
  const endpoint = endpointOf()
  const { exchange } = requested(endpoint.receive(datagram(), peer, 0))
  for (let at = endpoint.nextDeadline(); at !== Infinity; at = endpoint.nextDeadline()) endpoint.advance(at)
  t.equal(endpoint.sizes().pending, 0)
  t.equal(endpoint.sizes().abandoned, 1)
  t.same(endpoint.respond(exchange, { code: CODE.CHANGED }, 400_000), [])
  t.end()
})

t.test('ackAfterMs: Infinity means no empty ACK at all', (t) => {
  const endpoint = endpointOf({ ackAfterMs: Infinity })
  const { exchange } = requested(endpoint.receive(datagram(), peer, 0))
  requested(endpoint.receive(datagram({ messageId: 2 }), peer, 0))
  t.same(endpoint.advance(60_000), [])
  t.same(told(endpoint.respond(exchange, { code: CODE.CHANGED }, 60_000)), ['send 61440001ab'])
  t.equal(endpoint.nextDeadline(), 247_000)
  t.same(endpoint.advance(247_000), [])
  t.equal(endpoint.sizes().pending, 0, 'what is never answered is let go all the same')
  t.end()
})

t.test('No-Response: what is not wanted is not sent, and a CON still gets its ACK', (t) => {
  const table: readonly [value: number, code: number, isSent: boolean][] = [
    [0, CODE.CHANGED, true],
    [2, CODE.CHANGED, false],
    [2, CODE.BAD_REQUEST, true],
    [8, CODE.CHANGED, true],
    [8, CODE.BAD_REQUEST, false],
    [16, CODE.SERVICE_UNAVAILABLE, false],
    [16, CODE.BAD_REQUEST, true],
    [26, CODE.CHANGED, false],
    [26, CODE.NOT_FOUND, false],
    [26, CODE.INTERNAL_SERVER_ERROR, false],
  ]
  for (const [value, code, isSent] of table) {
    const options = [uint(OPTION.NO_RESPONSE, value)]
    const endpoint = endpointOf()
    const non = datagram({ type: TYPE.NON, options })
    const answers = exchangeOf(endpoint, non, { code })
    t.equal(answers.length, isSent ? 1 : 0, `NON, No-Response ${value}, ${code}`)
    const con = exchangeOf(endpoint, datagram({ options }), { code })
    t.equal(con[0]?.code, isSent ? code : 0, `CON, No-Response ${value}, ${code}`)
    t.equal(con[0]?.type, TYPE.ACK)
    const repeat = isSent ? `send ${hex(endpointSent(endpoint, non))}` : 'drop repeat-unanswered'
    t.same(told(endpoint.receive(non, peer, 1)), [repeat])
  }
  const { request } = requested(
    endpointOf().receive(datagram({ options: [uint(OPTION.NO_RESPONSE, 26)] }), peer, 0),
  )
  t.equal(request.noResponse, true)
  t.end()

  function endpointSent(endpoint: ReturnType<typeof endpointOf>, data: Uint8Array): Uint8Array {
    const [effect] = endpoint.receive(data, peer, 1)
    return effect?.kind === 'send' ? effect.bytes : bytes('')
  }
})

t.test('If-Match and If-None-Match reach the application', (t) => {
  const options = [
    { number: OPTION.IF_MATCH, value: Uint8Array.of(1, 2) },
    { number: OPTION.IF_NONE_MATCH, value: bytes('') },
  ]
  const { request } = requested(endpointOf().receive(datagram({ options }), peer, 0))
  t.same(request.options.slice(0, 2), options)
  t.equal(request.conditional, true)
  for (const option of options) {
    const { request: one } = requested(endpointOf().receive(datagram({ options: [option] }), peer, 0))
    t.equal(one.conditional, true)
  }
  t.equal(requested(endpointOf().receive(datagram(), peer, 0)).request.conditional, false)
  t.end()
})

t.test('content() gives a body its Content-Format', (t) => {
  const [answer] = exchangeOf(endpointOf(), datagram({ code: METHOD.GET }), content(60, bytes('a0')))
  t.equal(hex(answer?.options[0]?.value ?? bytes('')), '3c')
  t.end()
})
