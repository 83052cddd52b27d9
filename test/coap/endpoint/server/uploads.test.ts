import { blockBytes } from '@pesebre/coap/codec/block'
import { CODE } from '@pesebre/coap/codec/codes'
import { type Message, type Option, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import type { Endpoint } from '@pesebre/coap/endpoint/endpoint'
import t from 'tap'
import {
  type Draft,
  datagram,
  endpointOf,
  exchangeOf,
  optionOf,
  peer,
  requested,
  sent,
  told,
  total,
  uint,
} from '../harness.ts'

const body = Uint8Array.from({ length: 150 }, (_, at) => at)

interface Piece extends Draft {
  readonly num: number
  readonly more?: boolean
  readonly szx?: number
  readonly from?: Uint8Array
}

let lastId = 0

/** One block of a body under a message id and token of its own, as clients send it. */
function piece({ num, szx = 2, from = body, more, options = [], ...draft }: Piece): Uint8Array {
  const size = 2 ** (szx + 4)
  const hasMore = more ?? (num + 1) * size < from.length
  lastId++
  return datagram({
    messageId: lastId,
    token: Uint8Array.of(lastId >> 8, lastId),
    payload: from.subarray(num * size, (num + 1) * size),
    ...draft,
    options: [block(num, hasMore, szx), ...options],
  })
}

function block(num: number, more: boolean, szx: number): Option {
  return { number: OPTION.BLOCK1, value: blockBytes({ num, more, szx }) }
}

/** The code of the answer, and its Block1 as a number. */
function answer(endpoint: Endpoint, data: Uint8Array, now = 0): string {
  const [message] = sent(endpoint.receive(data, peer, now))
  return message === undefined ? 'none' : outline(message)
}

function outline(message: Message): string {
  return `${message.code.toString(16)} ${optionOf(message, OPTION.BLOCK1)}`
}

t.test('a body in blocks: each gets 2.31, the application sees one request with the whole', (t) => {
  const endpoint = endpointOf()
  t.equal(answer(endpoint, piece({ num: 0, options: [uint(OPTION.SIZE1, 150)] })), '5f 10')
  t.equal(answer(endpoint, piece({ num: 1 })), '5f 26')
  const { exchange, request } = requested(endpoint.receive(piece({ num: 2 }), peer, 0))
  t.same(request.payload, body)
  t.equal(request.size, 150)
  t.same(request.path, ['u'])
  const [last] = sent(endpoint.respond(exchange, { code: CODE.CHANGED }, 0))
  t.equal(last && outline(last), '44 34', 'the answer names the last block')
  t.equal(endpoint.sizes().uploads, 0)
  t.equal(endpoint.counters.block, 2)
  t.end()
})

t.test('an empty token, and one token for all', (t) => {
  for (const token of [new Uint8Array(0), Uint8Array.of(1)]) {
    const endpoint = endpointOf()
    for (const num of [0, 1]) t.equal(answer(endpoint, piece({ num, token })), `5f ${num * 16 + 10}`)
    t.same(requested(endpoint.receive(piece({ num: 2, token }), peer, 0)).request.payload, body)
  }
  t.end()
})

t.test('NON blocks are answered by NON', (t) => {
  const endpoint = endpointOf()
  const [message] = sent(endpoint.receive(piece({ num: 0, type: TYPE.NON }), peer, 0))
  t.equal(message?.type, TYPE.NON)
  t.equal(message?.code, CODE.CONTINUE)
  t.end()
})

t.test('a body that fits one block is a request as any other, and the answer has Block1', (t) => {
  const endpoint = endpointOf()
  const [message] = exchangeOf(endpoint, piece({ num: 0, from: body.subarray(0, 10) }), {
    code: CODE.CHANGED,
  })
  t.equal(message && outline(message), '44 2')
  t.end()
})

t.test('a repeat of a block gets the same bytes and is not joined twice', (t) => {
  const endpoint = endpointOf()
  const first = piece({ num: 0 })
  const before = told(endpoint.receive(first, peer, 0))
  t.same(told(endpoint.receive(first, peer, 1)), before)
  answer(endpoint, piece({ num: 1 }))
  t.same(requested(endpoint.receive(piece({ num: 2 }), peer, 2)).request.payload, body)
  t.end()
})

t.test('out of order: 4.08 for a gap, and the missing block may still come', (t) => {
  const endpoint = endpointOf()
  t.equal(answer(endpoint, piece({ num: 1 })), '88 26', 'without a first block')
  answer(endpoint, piece({ num: 0 }))
  t.equal(answer(endpoint, piece({ num: 2 })), '88 34', 'behind a gap')
  t.equal(answer(endpoint, piece({ num: 1 })), '5f 26')
  t.same(requested(endpoint.receive(piece({ num: 2 }), peer, 0)).request.payload, body)
  t.equal(endpoint.counters['block-refused'], 2)
  t.end()
})

t.test('overlapping: the same bytes again are fine, others end the upload', (t) => {
  const endpoint = endpointOf()
  answer(endpoint, piece({ num: 0 }))
  answer(endpoint, piece({ num: 1 }))
  t.equal(answer(endpoint, piece({ num: 1 })), '5f 26', 'the same')
  t.equal(answer(endpoint, piece({ num: 1, szx: 1 })), '5f 25', 'part of it')
  t.equal(answer(endpoint, piece({ num: 1, from: body.map((byte) => byte + 1) })), '88 26', 'other bytes')
  t.equal(endpoint.sizes().uploads, 0)
  t.equal(answer(endpoint, piece({ num: 2 })), '88 34')
  t.end()
})

t.test('a first block begins anew', (t) => {
  const endpoint = endpointOf()
  const other = body.map((byte) => byte ^ 255)
  answer(endpoint, piece({ num: 0 }))
  answer(endpoint, piece({ num: 1 }))
  answer(endpoint, piece({ num: 0, from: other }))
  answer(endpoint, piece({ num: 1, from: other }))
  t.same(requested(endpoint.receive(piece({ num: 2, from: other }), peer, 0)).request.payload, other)
  t.end()
})

t.test('uploads are told apart by peer, path, query, method and Request-Tag', (t) => {
  const endpoint = endpointOf()
  const kinds: Draft[] = [
    {},
    { path: ['u', 'v'] },
    { path: ['uv'] },
    { query: ['a'] },
    { code: 3 },
    { options: [{ number: OPTION.REQUEST_TAG, value: Uint8Array.of(1) }] },
    { options: [{ number: OPTION.REQUEST_TAG, value: new Uint8Array(0) }] },
  ]
  const limits = endpointOf({ uploadsPerPeer: kinds.length })
  const bodyOf = (kind: number): Uint8Array => body.map((byte) => byte + kind)
  for (const num of [0, 1]) {
    kinds.forEach((draft, kind) => {
      t.equal(answer(limits, piece({ ...draft, num, from: bodyOf(kind) })), `5f ${num * 16 + 10}`)
    })
  }
  kinds.forEach((draft, kind) => {
    t.same(
      requested(limits.receive(piece({ ...draft, num: 2, from: bodyOf(kind) }), peer, 0)).request.payload,
      bodyOf(kind),
    )
  })
  answer(endpoint, piece({ num: 0 }))
  const [elsewhere] = sent(endpoint.receive(piece({ num: 1 }), { ...peer, port: 1 }, 0))
  t.equal(elsewhere?.code, CODE.REQUEST_ENTITY_INCOMPLETE, 'another port is another peer')
  t.end()
})

t.test('a Content-Format that changes on the way is 4.08', (t) => {
  const endpoint = endpointOf()
  answer(endpoint, piece({ num: 0, options: [uint(OPTION.CONTENT_FORMAT, 50)] }))
  t.equal(answer(endpoint, piece({ num: 1, options: [uint(OPTION.CONTENT_FORMAT, 60)] })), '88 26')
  t.end()
})

t.test('4.13 with Size1: as soon as Size1 or the blocks say that the body is over the limit', (t) => {
  const endpoint = endpointOf({ bodyMax: 150 })
  const [early] = sent(endpoint.receive(piece({ num: 0, options: [uint(OPTION.SIZE1, 151)] }), peer, 0))
  t.equal(early?.code, CODE.REQUEST_ENTITY_TOO_LARGE)
  t.equal(early && optionOf(early, OPTION.SIZE1), 150)
  t.equal(endpoint.sizes().uploads, 0)
  const long = new Uint8Array(151)
  for (const num of [0, 1]) answer(endpoint, piece({ num, from: long }))
  t.equal(answer(endpoint, piece({ num: 2, from: long })), '8d 34')
  t.equal(endpoint.sizes().uploads, 0)
  const exact = endpointOf({ bodyMax: 128 })
  answer(exact, piece({ num: 0 }))
  t.equal(answer(exact, piece({ num: 1, more: true })), '8d 26', 'full, and more is announced')
  const huge = endpointOf()
  t.equal(
    answer(huge, piece({ num: 1_048_575, szx: 6, more: false, payload: 'x' })),
    '8d 16777206',
    'a gigabyte away',
  )
  t.equal(answer(huge, piece({ num: 0, options: [uint(OPTION.SIZE1, 4_294_967_295)] })), '8d 10')
  t.end()
})

t.test('4.00 for a reserved size and for a payload that does not fit its block', (t) => {
  const endpoint = endpointOf()
  const reserved = datagram({ options: [uint(OPTION.BLOCK1, 7)] })
  t.match(answer(endpoint, reserved), /^80/)
  t.match(answer(endpoint, piece({ num: 0, payload: 'short' })), /^80/)
  t.match(answer(endpoint, piece({ num: 0, more: false, payload: new Uint8Array(65) })), /^80/)
  t.equal(endpoint.sizes().uploads, 0)
  t.end()
})

t.test('a smaller block size of ours is asked for, and taken up in the middle', (t) => {
  const endpoint = endpointOf({ blockSizeMax: 32 })
  t.equal(answer(endpoint, piece({ num: 0 })), '5f 9', 'asks for 32')
  t.equal(answer(endpoint, piece({ num: 2, szx: 1 })), '5f 41', 'goes on behind the 64 that have come')
  t.equal(answer(endpoint, piece({ num: 3, szx: 1 })), '5f 57')
  t.same(requested(endpoint.receive(piece({ num: 4, szx: 1 }), peer, 0)).request.payload, body)
  t.end()
})

t.test('never finished: an upload is let go after a minute without a block', (t) => {
  const endpoint = endpointOf()
  answer(endpoint, piece({ num: 0 }), 0)
  answer(endpoint, piece({ num: 1 }), 50_000)
  t.equal(endpoint.nextDeadline(), 110_000)
  endpoint.advance(109_999)
  t.equal(endpoint.sizes().uploads, 1)
  endpoint.advance(110_000)
  t.equal(endpoint.sizes().uploads, 0)
  t.equal(endpoint.nextDeadline(), Infinity)
  t.equal(answer(endpoint, piece({ num: 2 }), 110_001), '88 34')
  t.end()
})

t.test('thousands at once: bounded per peer and in all, and the one in use stays', (t) => {
  const endpoint = endpointOf({ uploadsMax: 100, uploadsPerPeer: 4 })
  for (let n = 0; n < 10; n++) answer(endpoint, piece({ num: 0, path: ['u', `${n}`] }))
  t.equal(endpoint.sizes().uploads, 4)
  t.equal(endpoint.sizes().evicted.uploads, 6)
  const ours = { ...peer, port: 7 }
  endpoint.receive(piece({ num: 0 }), ours, 0)
  for (let n = 0; n < 5_000; n++) {
    endpoint.receive(piece({ num: 0 }), { address: `198.51.100.${n & 255}`, port: 1000 + n }, n)
    if (n === 50) endpoint.receive(piece({ num: 1 }), ours, n)
    if (n === 120) t.same(requested(endpoint.receive(piece({ num: 2 }), ours, n)).request.payload, body)
  }
  t.equal(endpoint.sizes().uploads, 100)
  t.equal(total(endpoint.counters), 10 + 1 + 5_000 + 2)
  t.end()
})

t.test('an upload that is refused for overload can be gone on with', (t) => {
  const endpoint = endpointOf({ pendingMax: 1 })
  const { exchange } = requested(endpoint.receive(datagram({ messageId: 0xfff0 }), peer, 0))
  endpoint.respond(exchange, { code: CODE.CHANGED }, 0)
  answer(endpoint, piece({ num: 0 }))
  answer(endpoint, piece({ num: 1 }))
  const blocking = requested(endpoint.receive(datagram({ messageId: 0xfff1 }), peer, 0))
  t.match(answer(endpoint, piece({ num: 2 })), /^a3/)
  endpoint.respond(blocking.exchange, { code: CODE.CHANGED }, 0)
  t.same(requested(endpoint.receive(piece({ num: 2 }), peer, 0)).request.payload, body)
  t.end()
})
