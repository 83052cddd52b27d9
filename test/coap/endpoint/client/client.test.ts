import { blockBytes } from '@pesebre/coap/codec/block'
import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { type Message, type Option, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import type { Endpoint } from '@pesebre/coap/endpoint/endpoint'
import type { Call, Effect, OutgoingRequest } from '@pesebre/coap/endpoint/types'
import t from 'tap'
import { bytes, datagram, endpointOf, hex, optionOf, peer, sent, told, total, uint } from '../harness.ts'

const get: OutgoingRequest = { peer, method: METHOD.GET, path: ['a'] }

/** Starts a request and gives the message that went out. */
function start(
  endpoint: Endpoint,
  request: OutgoingRequest = get,
  now = 0,
): { call: Call; message: Message } {
  const { call, effects } = endpoint.request(request, now)
  const [message] = sent(effects)
  if (message === undefined) throw new Error('Failed to start: nothing was sent')
  return { call, message }
}

function ack(message: Message): Uint8Array {
  return datagram({ type: TYPE.ACK, code: 0, path: [], token: bytes(''), messageId: message.messageId })
}

interface Reply {
  readonly type?: number
  readonly code?: number
  readonly messageId?: number
  readonly options?: readonly Option[]
  readonly payload?: string | Uint8Array
}

/** A response to a request, piggybacked unless it says otherwise. */
function response(to: Message, { type = TYPE.ACK, code = CODE.CONTENT, ...rest }: Reply = {}): Uint8Array {
  return datagram({ type, code, path: [], token: to.token, messageId: to.messageId, ...rest })
}

function answerOf(effects: readonly Effect[]): string {
  for (const effect of effects) {
    if (effect.kind === 'response') return Buffer.from(effect.response.payload).toString()
  }
  throw new Error(`Failed to find a response: ${told(effects)}`)
}

t.test('request(): a CON with a token of eight bytes, and its piggybacked answer', (t) => {
  const endpoint = endpointOf()
  const { call, message } = start(endpoint, {
    ...get,
    query: ['q'],
    accept: 50,
    contentFormat: 60,
    noResponse: 2,
    options: [uint(2048, 1)],
    payload: bytes('a0'),
  })
  t.equal(message.type, TYPE.CON)
  t.equal(message.token.length, 8)
  t.same(
    message.options.map((option) => option.number),
    [11, 12, 15, 17, 258, 2048],
  )
  const effects = endpoint.receive(
    response(message, { payload: 'hello', options: [uint(12, 0), uint(14, 5)] }),
    peer,
    5,
  )
  const [effect] = effects
  if (effect?.kind !== 'response') return t.fail('no response')
  t.equal(effect.call, call)
  t.equal(effect.isFinal, true)
  t.equal(effect.response.code, CODE.CONTENT)
  t.equal(effect.response.contentFormat, 0)
  t.equal(effect.response.maxAge, 5)
  t.equal(answerOf(effects), 'hello')
  t.equal(endpoint.nextDeadline(), Infinity)
  t.same(endpoint.sizes().calls, 0)
  t.same(told(endpoint.receive(response(message), peer, 6)), ['drop unmatched'], 'once')
  t.end()
})

t.test('request(): an empty ACK, then a separate CON answer, which is acknowledged once and again', (t) => {
  const endpoint = endpointOf()
  const { message } = start(endpoint)
  t.same(endpoint.receive(ack(message), peer, 1), [])
  t.same(endpoint.advance(10_000), [], 'it is not sent again')
  const separate = response(message, { type: TYPE.CON, messageId: 77, payload: 'late' })
  const effects = endpoint.receive(separate, peer, 10_000)
  t.same(told(effects), ['send 6000004d', 'response 45'])
  t.same(told(endpoint.receive(separate, peer, 10_001)), ['send 6000004d'])
  t.equal(endpoint.counters.response, 1)
  t.equal(endpoint.counters.repeat, 1)
  t.end()
})

t.test('request(): a separate answer before the ACK ends the retransmission', (t) => {
  const endpoint = endpointOf()
  const { message } = start(endpoint)
  t.match(told(endpoint.receive(response(message, { type: TYPE.NON, messageId: 77 }), peer, 1)), [
    'response 45',
  ])
  t.equal(endpoint.nextDeadline(), Infinity)
  t.same(told(endpoint.receive(ack(message), peer, 2)), ['drop unmatched'])
  t.end()
})

t.test('request(): four retransmissions of the same bytes, then a failure', (t) => {
  const endpoint = endpointOf()
  const { effects } = endpoint.request(get, 0)
  const all: string[] = []
  for (let next = endpoint.nextDeadline(); next !== Infinity; next = endpoint.nextDeadline()) {
    all.push(...told(endpoint.advance(next)))
  }
  t.same(all, [...Array.from({ length: 4 }, () => told(effects)[0]), 'failure timeout'])
  t.equal(endpoint.sizes().calls, 0)
  t.end()
})

t.test('request(): an ACK without an answer to follow fails in time', (t) => {
  const endpoint = endpointOf()
  const { message } = start(endpoint, { ...get, timeoutMs: 5_000 })
  endpoint.receive(ack(message), peer, 1)
  t.same(endpoint.advance(4_999), [])
  t.same(told(endpoint.advance(5_000)), ['failure timeout'])
  t.equal(endpoint.nextDeadline(), Infinity)
  t.end()
})

t.test('request(): an RST is a failure', (t) => {
  const endpoint = endpointOf()
  const { message } = start(endpoint)
  const reset = datagram({
    type: TYPE.RST,
    code: 0,
    path: [],
    token: bytes(''),
    messageId: message.messageId,
  })
  t.same(told(endpoint.receive(reset, peer, 1)), ['failure reset'])
  t.end()
})

t.test('request(): a NON is sent once, and its answer may be a NON or a CON', (t) => {
  for (const type of [TYPE.NON, TYPE.CON]) {
    const endpoint = endpointOf()
    const { message } = start(endpoint, { ...get, confirmable: false })
    t.equal(message.type, TYPE.NON)
    t.same(endpoint.advance(50_000), [])
    t.ok(
      told(endpoint.receive(response(message, { type, messageId: 5 }), peer, 60_000)).includes('response 45'),
    )
  }
  t.end()
})

t.test('receive(): answers from elsewhere or with another token are not ours', (t) => {
  const endpoint = endpointOf()
  const { message } = start(endpoint)
  t.same(told(endpoint.receive(response(message), { ...peer, port: 1 }, 1)), ['drop unmatched'])
  const other = { ...message, token: bytes('00') }
  t.same(told(endpoint.receive(response(other, { type: TYPE.NON }), peer, 1)), ['drop unmatched'])
  t.match(told(endpoint.receive(response(other, { type: TYPE.CON, messageId: 9 }), peer, 1)), [
    'send 70000009',
  ])
  t.equal(endpoint.sizes().calls, 1)
  t.end()
})

t.test('receive(): an answer with an unknown critical option is rejected', (t) => {
  for (const type of [TYPE.ACK, TYPE.CON]) {
    const endpoint = endpointOf()
    const { message } = start(endpoint)
    const effects = endpoint.receive(response(message, { type, options: [uint(2049, 1)] }), peer, 1)
    t.ok(told(effects).includes('failure bad-option'))
    t.equal(sent(effects)[0]?.type, type === TYPE.CON ? TYPE.RST : undefined)
    t.equal(endpoint.counters['bad-response'], 1)
  }
  t.end()
})

const body = Uint8Array.from({ length: 200 }, (_, at) => at)
const post: OutgoingRequest = { peer, method: METHOD.POST, path: ['a'], payload: body, contentFormat: 42 }

function continued(message: Message, szx?: number): Uint8Array {
  const block = (optionOf(message, OPTION.BLOCK1) ?? 0) & ~7
  return response(message, { code: CODE.CONTINUE, options: [uint(OPTION.BLOCK1, block + (szx ?? 2))] })
}

t.test('request(): a long body goes in blocks', (t) => {
  const endpoint = endpointOf({ blockSizeMax: 64 })
  let { message } = start(endpoint, post)
  t.equal(optionOf(message, OPTION.SIZE1), 200)
  const blocks: (number | undefined)[] = []
  const parts: number[] = []
  const tags = new Set<number | undefined>()
  for (;;) {
    blocks.push(optionOf(message, OPTION.BLOCK1))
    parts.push(...message.payload)
    tags.add(optionOf(message, OPTION.REQUEST_TAG))
    if (blocks.length === 4) break
    const [next] = sent(endpoint.receive(continued(message), peer, 1))
    if (next === undefined) return t.fail('no next block')
    message = next
  }
  t.same(blocks, [10, 26, 42, 50])
  t.same(parts, [...body])
  t.equal(tags.size, 1)
  const last = response(message, { code: CODE.CHANGED, options: [uint(OPTION.BLOCK1, 50)], payload: 'ok' })
  t.equal(answerOf(endpoint.receive(last, peer, 2)), 'ok')
  t.end()
})

t.test('request(): the server asks for smaller blocks: in a 2.31, and in a 4.13', (t) => {
  const endpoint = endpointOf({ blockSizeMax: 64 })
  const first = start(endpoint, post)
  const [second] = sent(endpoint.receive(continued(first.message, 0), peer, 1))
  t.equal(second && optionOf(second, OPTION.BLOCK1), 4 * 16 + 8)
  t.equal(second?.payload.length, 16)
  t.equal(second?.payload[0], 64)
  const other = start(endpoint, post)
  const smaller = response(other.message, {
    code: CODE.REQUEST_ENTITY_TOO_LARGE,
    options: [uint(OPTION.BLOCK1, 9)],
  })
  const [again] = sent(endpoint.receive(smaller, peer, 1))
  t.equal(again && optionOf(again, OPTION.BLOCK1), 9)
  t.equal(again?.payload.length, 32)
  t.end()
})

t.test('request(): an error in the middle of an upload is the answer', (t) => {
  const endpoint = endpointOf({ blockSizeMax: 64 })
  const { message } = start(endpoint, post)
  const effects = endpoint.receive(response(message, { code: CODE.REQUEST_ENTITY_INCOMPLETE }), peer, 1)
  t.same(told(effects), ['response 88'])
  t.end()
})

t.test(
  'request(): a 4.13 that asks for no smaller blocks, or comes later than the first, is the answer',
  (t) => {
    const endpoint = endpointOf({ blockSizeMax: 64 })
    const tooLarge = (message: Message, value: number): Uint8Array =>
      response(message, { code: CODE.REQUEST_ENTITY_TOO_LARGE, options: [uint(OPTION.BLOCK1, value)] })
    const first = start(endpoint, post)
    t.same(told(endpoint.receive(tooLarge(first.message, 10), peer, 1)), ['response 8d'], 'of the same size')
    const other = start(endpoint, post)
    const [second] = sent(endpoint.receive(continued(other.message), peer, 1))
    t.same(
      second && told(endpoint.receive(tooLarge(second, 17), peer, 1)),
      ['response 8d'],
      'for the second block',
    )
    t.end()
  },
)

t.test('request(): a 2.31 that makes no sense is a failure', (t) => {
  const endpoint = endpointOf({ blockSizeMax: 64 })
  const { message } = start(endpoint, post)
  t.same(told(endpoint.receive(response(message, { code: CODE.CONTINUE }), peer, 1)), ['failure bad-block'])
  const short = start(endpoint, { ...post, payload: body.subarray(0, 65) })
  const [last] = sent(endpoint.receive(continued(short.message), peer, 1))
  t.same(last && told(endpoint.receive(continued(last), peer, 1)), ['failure bad-block'], 'more than all')
  t.end()
})

function part(to: Message, num: number, { more = true, tag = 1, size = 64 } = {}): Uint8Array {
  const options = [
    { number: OPTION.BLOCK2, value: blockBytes({ num, more, szx: 2 }) },
    uint(OPTION.ETAG, tag),
  ]
  return response(to, { options, payload: new Uint8Array(size).fill(0x61 + num) })
}

t.test('request(): a long answer is fetched block by block', (t) => {
  const endpoint = endpointOf()
  const { message } = start(endpoint, { ...get, query: ['q'], accept: 42 })
  const [second] = sent(endpoint.receive(part(message, 0), peer, 1))
  t.equal(second && optionOf(second, OPTION.BLOCK2), 18)
  t.same(
    second?.options.map((option) => option.number),
    [11, 15, 17, 23],
  )
  const [third] = sent(endpoint.receive(part(second ?? message, 1), peer, 2))
  const effects = endpoint.receive(part(third ?? message, 2, { more: false, size: 3 }), peer, 3)
  t.equal(answerOf(effects), `${'a'.repeat(64)}${'b'.repeat(64)}ccc`)
  t.equal(endpoint.nextDeadline(), Infinity)
  t.end()
})

t.test('request(): an answer that changes while it is fetched is fetched anew', (t) => {
  const endpoint = endpointOf()
  const { message } = start(endpoint)
  const [second] = sent(endpoint.receive(part(message, 0), peer, 1))
  const [anew] = sent(endpoint.receive(part(second ?? message, 1, { tag: 2 }), peer, 2))
  t.equal(anew && optionOf(anew, OPTION.BLOCK2), 6)
  const effects = endpoint.receive(part(anew ?? message, 0, { tag: 2, more: false }), peer, 3)
  t.equal(answerOf(effects), 'a'.repeat(64))
  t.end()
})

t.test('request(): blocks that do not fit together, and too many of them', (t) => {
  const endpoint = endpointOf({ answerMax: 100 })
  const gap = start(endpoint)
  t.same(told(endpoint.receive(part(gap.message, 1), peer, 1)), ['failure bad-block'])
  const short = start(endpoint)
  t.same(told(endpoint.receive(part(short.message, 0, { size: 63 }), peer, 1)), ['failure bad-block'])
  const long = start(endpoint)
  const [second] = sent(endpoint.receive(part(long.message, 0), peer, 1))
  t.same(second && told(endpoint.receive(part(second, 1), peer, 1)), ['failure too-large'])
  const whole = start(endpoint)
  const large = response(whole.message, { payload: new Uint8Array(101) })
  t.same(told(endpoint.receive(large, peer, 1)), ['failure too-large'])
  t.equal(endpoint.sizes().calls, 0)
  t.end()
})

const watch: OutgoingRequest = { ...get, observe: true }

function notification(to: Message, sequence: number, reply: Reply = {}): Uint8Array {
  const options = [uint(OPTION.OBSERVE, sequence), ...(reply.options ?? [])]
  return response(to, {
    type: TYPE.NON,
    messageId: 1000 + sequence,
    payload: `${sequence}`,
    ...reply,
    options,
  })
}

t.test('observe: the first answer and each notification, the older ones left out', (t) => {
  const endpoint = endpointOf()
  const { message } = start(endpoint, watch)
  t.equal(optionOf(message, OPTION.OBSERVE), 0)
  const first = notification(message, 5, { type: TYPE.ACK, messageId: message.messageId })
  t.same(told(endpoint.receive(first, peer, 0)), ['response 45 more'])
  t.equal(
    endpoint.nextDeadline(),
    160_000,
    'it may last: Max-Age and MAX_LATENCY, then it is registered again',
  )
  t.equal(answerOf(endpoint.receive(notification(message, 7), peer, 10)), '7')
  t.same(endpoint.receive(notification(message, 6), peer, 11), [], 'older')
  t.same(told(endpoint.receive(notification(message, 7), peer, 12)), ['drop repeat-unanswered'])
  t.equal(
    answerOf(endpoint.receive(notification(message, 6, { messageId: 9 }), peer, 200_000)),
    '6',
    'after 128 s',
  )
  const confirmable = notification(message, 8, { type: TYPE.CON })
  t.same(told(endpoint.receive(confirmable, peer, 200_001)), ['send 600003f0', 'response 45 more'])
  t.end()
})

t.test('observe: order numbers come round', (t) => {
  const endpoint = endpointOf()
  const { message } = start(endpoint, watch)
  endpoint.receive(
    notification(message, 0xff_ffff, { type: TYPE.ACK, messageId: message.messageId }),
    peer,
    0,
  )
  t.equal(answerOf(endpoint.receive(notification(message, 0), peer, 1)), '0')
  t.same(endpoint.receive(notification(message, 0xff_fff0, { messageId: 3 }), peer, 2), [])
  t.end()
})

t.test('observe: an answer without Observe is the only one; an error is the last', (t) => {
  const endpoint = endpointOf()
  const plain = start(endpoint, watch)
  t.same(told(endpoint.receive(response(plain.message), peer, 0)), ['response 45'])
  const { message } = start(endpoint, watch)
  endpoint.receive(notification(message, 1, { type: TYPE.ACK, messageId: message.messageId }), peer, 0)
  const gone = response(message, { type: TYPE.CON, code: CODE.NOT_FOUND, messageId: 5 })
  t.same(told(endpoint.receive(gone, peer, 1)), ['send 60000005', 'response 84'])
  t.equal(endpoint.sizes().calls, 0)
  t.end()
})

t.test('observe: a long notification is fetched under a token of its own', (t) => {
  const endpoint = endpointOf()
  const { message } = start(endpoint, watch)
  endpoint.receive(notification(message, 1, { type: TYPE.ACK, messageId: message.messageId }), peer, 0)
  const block = { number: OPTION.BLOCK2, value: blockBytes({ num: 0, more: true, szx: 0 }) }
  const long = notification(message, 2, { options: [block], payload: 'x'.repeat(16) })
  const [fetch] = sent(endpoint.receive(long, peer, 1))
  if (fetch === undefined) return t.fail('nothing is fetched')
  t.not(hex(fetch.token), hex(message.token))
  t.equal(optionOf(fetch, OPTION.OBSERVE), undefined)
  const last = { number: OPTION.BLOCK2, value: blockBytes({ num: 1, more: false, szx: 0 }) }
  const effects = endpoint.receive(response(fetch, { options: [last], payload: 'y' }), peer, 2)
  t.same(told(effects), ['response 45 more'])
  t.equal(answerOf(effects), `${'x'.repeat(16)}y`)
  t.end()
})

t.test('cancel(): forgets a call, and takes back an observation', (t) => {
  const endpoint = endpointOf()
  const { call, message } = start(endpoint)
  t.same(endpoint.cancel(call, 1), [])
  t.equal(endpoint.nextDeadline(), Infinity)
  t.same(told(endpoint.receive(response(message), peer, 2)), ['drop unmatched'])
  const watching = start(endpoint, watch)
  const first = notification(watching.message, 1, { type: TYPE.ACK, messageId: watching.message.messageId })
  endpoint.receive(first, peer, 3)
  const [goodbye] = sent(endpoint.cancel(watching.call, 4))
  t.equal(goodbye && optionOf(goodbye, OPTION.OBSERVE), 1)
  t.equal(hex(goodbye?.token ?? bytes('')), hex(watching.message.token))
  t.same(endpoint.receive(response(goodbye ?? message), peer, 5), [])
  t.equal(endpoint.nextDeadline(), Infinity)
  t.same(endpoint.cancel(watching.call, 6), [])
  t.end()
})

t.test('request(): throws for what cannot be sent, and above callsMax', (t) => {
  const endpoint = endpointOf({ callsMax: 1 })
  t.throws(() => endpoint.request({ ...get, method: CODE.CONTENT }, 0), RangeError)
  t.throws(() => endpoint.request({ ...get, path: ['x'.repeat(256)] }, 0), RangeError)
  t.equal(endpoint.sizes().calls, 0)
  t.equal(endpoint.nextDeadline(), Infinity)
  endpoint.request(get, 0)
  t.throws(() => endpoint.request(get, 0), RangeError)
  t.end()
})

t.test('tokens and message ids are unlike from call to call, and from seed to seed', (t) => {
  const tokens = new Set<string>()
  for (const seed of [1, 2]) {
    const endpoint = endpointOf({ seed: new Uint8Array(16).fill(seed) })
    for (let n = 0; n < 500; n++) tokens.add(hex(start(endpoint).message.token))
  }
  t.equal(tokens.size, 1000)
  t.equal(total(endpointOf().counters), 0)
  t.end()
})
