import { blockBytes } from '@pesebre/coap/codec/block'
import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import type { Message, Option } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import type { Endpoint } from '@pesebre/coap/endpoint/endpoint'
import { content, etag } from '@pesebre/coap/endpoint/response'
import t from 'tap'
import { type Draft, datagram, endpointOf, exchangeOf, optionOf, peer, requested, sent } from '../harness.ts'

const body = Uint8Array.from({ length: 2500 }, (_, at) => at)
let lastId = 0

function get({ options = [], ...draft }: Draft = {}, num?: number, szx = 6): Uint8Array {
  lastId++
  const block: Option[] =
    num === undefined ? [] : [{ number: OPTION.BLOCK2, value: blockBytes({ num, more: false, szx }) }]
  return datagram({ code: METHOD.GET, messageId: lastId, ...draft, options: [...block, ...options] })
}

function outline(message: Message | undefined): string {
  if (message === undefined) return 'none'
  return `${message.code.toString(16)} ${optionOf(message, OPTION.BLOCK2)} ${message.payload.length}`
}

/** The answer that the endpoint gives without the application. */
function alone(endpoint: Endpoint, data: Uint8Array, now = 0): Message | undefined {
  return sent(endpoint.receive(data, peer, now))[0]
}

t.test('an answer longer than a block is cut, and later blocks come without the application', (t) => {
  const endpoint = endpointOf()
  const [first] = exchangeOf(endpoint, get(), content(42, body))
  t.equal(outline(first), '45 14 1024')
  t.equal(first && optionOf(first, OPTION.SIZE2), 2500)
  t.equal(first?.options.find((option) => option.number === OPTION.ETAG)?.value.length, 8)
  const second = alone(endpoint, get({}, 1))
  const third = alone(endpoint, get({}, 2))
  t.equal(outline(second), '45 30 1024')
  t.equal(outline(third), '45 38 452')
  t.equal(third && optionOf(third, OPTION.SIZE2), undefined)
  t.same(Uint8Array.from([first, second, third].flatMap((part) => [...(part?.payload ?? [])])), body)
  const tags = [first, second, third].map((part) => part && optionOf(part, OPTION.ETAG))
  t.equal(new Set(tags).size, 1)
  t.equal(endpoint.counters.request, 1)
  t.equal(endpoint.counters.block, 2)
  t.end()
})

t.test('the client asks for smaller blocks, at the beginning or later', (t) => {
  const endpoint = endpointOf()
  t.equal(outline(exchangeOf(endpoint, get({}, 0, 2), content(42, body))[0]), '45 10 64')
  t.equal(outline(alone(endpoint, get({}, 1, 2))), '45 26 64')
  t.equal(outline(alone(endpoint, get({}, 2, 6))), '45 38 452')
  t.equal(outline(alone(endpoint, get({}, 39, 2))), '45 626 4', 'the last one')
  t.end()
})

t.test('a block size of ours that is smaller than the one asked for', (t) => {
  const endpoint = endpointOf({ blockSizeMax: 64 })
  t.equal(outline(exchangeOf(endpoint, get({}, 0, 6), content(42, body))[0]), '45 10 64')
  t.equal(
    outline(alone(endpoint, get({}, 1, 6))),
    '45 266 64',
    'block 16 of 64 begins where block 1 of 1024 does',
  )
  t.end()
})

t.test('a short answer to a request with Block2 says that it is the only block', (t) => {
  const [message] = exchangeOf(endpointOf(), get({}, 0, 2), content(42, body.subarray(0, 64)))
  t.equal(outline(message), '45 2 64')
  t.equal(message && optionOf(message, OPTION.ETAG), undefined)
  t.end()
})

t.test('an ETag of the application is kept', (t) => {
  const [message] = exchangeOf(endpointOf(), get(), content(42, body, [etag(Uint8Array.of(7))]))
  t.equal(message && optionOf(message, OPTION.ETAG), 7)
  t.end()
})

t.test('the ETag that is made depends on the body alone', (t) => {
  const tagOf = (payload: Uint8Array, seed: Uint8Array): number | undefined => {
    const [message] = exchangeOf(endpointOf({ seed }), get(), content(42, payload))
    return message && optionOf(message, OPTION.ETAG)
  }
  const seeds = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)] as const
  t.equal(tagOf(body, seeds[0]), tagOf(body, seeds[1]))
  t.not(
    tagOf(body, seeds[0]),
    tagOf(
      body.map((byte) => byte ^ 1),
      seeds[0],
    ),
  )
  t.end()
})

t.test('a block of a GET that is no longer kept is asked of the application again', (t) => {
  const endpoint = endpointOf()
  t.equal(outline(exchangeOf(endpoint, get({}, 2), content(42, body))[0]), '45 38 452')
  t.equal(endpoint.counters.request, 1)
  exchangeOf(endpoint, get(), content(42, body))
  endpoint.advance(endpoint.nextDeadline())
  t.equal(endpoint.sizes().downloads, 0)
  requested(endpoint.receive(get({}, 1), peer, 70_000))
  t.end()
})

t.test('a block of a POST that is no longer kept is 4.08: asking again could act again', (t) => {
  const endpoint = endpointOf()
  t.equal(alone(endpoint, get({ code: METHOD.POST }, 1))?.code, CODE.REQUEST_ENTITY_INCOMPLETE)
  exchangeOf(endpoint, get({ code: METHOD.POST, payload: 'x' }), content(42, body))
  t.equal(outline(alone(endpoint, get({ code: METHOD.POST }, 1))), '45 30 1024')
  t.end()
})

t.test('4.00 for a block behind the end and for the reserved size', (t) => {
  const endpoint = endpointOf()
  exchangeOf(endpoint, get(), content(42, body))
  t.equal(alone(endpoint, get({}, 3))?.code, CODE.BAD_REQUEST)
  const options = [{ number: OPTION.BLOCK2, value: Uint8Array.of(7) }]
  t.equal(alone(endpoint, get({ options }))?.code, CODE.BAD_REQUEST)
  t.end()
})

t.test('answers are kept for one peer, path, query and Accept', (t) => {
  const endpoint = endpointOf()
  exchangeOf(endpoint, get(), content(42, body))
  for (const draft of [
    { path: ['v'] },
    { query: ['a'] },
    { options: [{ number: OPTION.ACCEPT, value: Uint8Array.of(50) }] },
  ]) {
    requested(endpoint.receive(get(draft, 1), peer, 0))
  }
  requested(endpoint.receive(get({}, 1), { ...peer, port: 1 }, 0))
  t.equal(endpoint.counters.request, 5)
  t.end()
})

t.test('a new answer takes the place of the old one', (t) => {
  const endpoint = endpointOf()
  exchangeOf(endpoint, get(), content(42, body))
  exchangeOf(
    endpoint,
    get(),
    content(
      42,
      body.map((byte) => byte ^ 255),
    ),
  )
  t.equal(alone(endpoint, get({}, 1))?.payload[0], 255)
  t.end()
})

t.test('what is kept is bounded in bytes and per peer', (t) => {
  const endpoint = endpointOf({ downloadBytesMax: 10_000, downloadsPerPeer: 2 })
  for (let n = 0; n < 5; n++) exchangeOf(endpoint, get({ path: [`${n}`] }), content(42, body))
  t.equal(endpoint.sizes().downloads, 2)
  for (let port = 1; port <= 50; port++) exchangeOf(endpoint, get(), content(42, body), 0, { ...peer, port })
  t.equal(endpoint.sizes().downloads, 4)
  exchangeOf(endpoint, get(), content(42, new Uint8Array(20_000)))
  t.equal(endpoint.sizes().downloads, 4, 'one larger than all is not kept')
  t.end()
})

t.test('a long body that comes in blocks and has a long answer', (t) => {
  const endpoint = endpointOf()
  const block = (num: number, more: boolean): Option => ({
    number: OPTION.BLOCK1,
    value: blockBytes({ num, more, szx: 0 }),
  })
  const part = new Uint8Array(16)
  sent(endpoint.receive(datagram({ messageId: 1, options: [block(0, true)], payload: part }), peer, 0))
  const last = datagram({ messageId: 2, options: [block(1, false)], payload: part })
  const [message] = exchangeOf(endpoint, last, content(42, body))
  t.equal(outline(message), '45 14 1024')
  t.equal(message && optionOf(message, OPTION.BLOCK1), 16)
  t.end()
})
