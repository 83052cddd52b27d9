import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { type Message, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import type { Endpoint } from '@pesebre/coap/endpoint/endpoint'
import { content, text } from '@pesebre/coap/endpoint/response'
import type { Peer, Response } from '@pesebre/coap/endpoint/types'
import t from 'tap'
import {
  bytes,
  type Draft,
  datagram,
  endpointOf,
  exchangeOf,
  hex,
  optionOf,
  peer,
  requested,
  sent,
  uint,
} from '../harness.ts'

let lastId = 0

function state(value: string): Response {
  return { ...text(value), observe: 'obs' }
}

function observe(draft: Draft = {}, value = 0): Uint8Array {
  lastId++
  const options = [uint(OPTION.OBSERVE, value), ...(draft.options ?? [])]
  return datagram({ code: METHOD.GET, path: ['obs'], messageId: lastId & 0xffff, ...draft, options })
}

function register(endpoint: Endpoint, from: Peer = peer, draft: Draft = {}): Message | undefined {
  return exchangeOf(endpoint, observe(draft), state('0'), 0, from)[0]
}

function reply(type: number, message: Message | undefined): Uint8Array {
  return datagram({ type, code: 0, path: [], token: bytes(''), messageId: message?.messageId ?? -1 })
}

function outline(message: Message | undefined): string {
  if (message === undefined) return 'none'
  const payload = Buffer.from(message.payload).toString()
  return `${message.type} ${hex(message.token)} ${message.code.toString(16)} ${optionOf(message, OPTION.OBSERVE)} ${payload}`
}

t.test('register, notify, acknowledge', (t) => {
  const endpoint = endpointOf()
  t.equal(outline(register(endpoint)), '2 ab 45 1 0')
  t.ok(endpoint.isObserved('obs'))
  const [first] = sent(endpoint.notify('obs', state('1'), 10))
  t.equal(
    outline(first),
    '0 ab 45 2 1',
    'the first one is confirmable: the peer has to show that it is there',
  )
  t.same(endpoint.receive(reply(TYPE.ACK, first), peer, 11), [])
  const [second] = sent(endpoint.notify('obs', state('2'), 20))
  t.equal(outline(second), '1 ab 45 3 2')
  t.not(first?.messageId, second?.messageId)
  t.same(endpoint.notify('other', state('1'), 20), [])
  t.end()
})

t.test('a confirmable notification comes again after a while', (t) => {
  const endpoint = endpointOf({ confirmNotificationsMs: 60_000 })
  register(endpoint)
  const [first] = sent(endpoint.notify('obs', state('1'), 0))
  endpoint.receive(reply(TYPE.ACK, first), peer, 100)
  const types = [200, 60_099, 60_100, 60_101].map(
    (now) => sent(endpoint.notify('obs', state(`${now}`), now))[0]?.type,
  )
  t.same(types, [TYPE.NON, TYPE.NON, TYPE.CON, undefined])
  t.end()
})

t.test('while a confirmable notification is on its way, the newest state waits for its end', (t) => {
  const endpoint = endpointOf()
  register(endpoint)
  const [first] = sent(endpoint.notify('obs', state('1'), 0))
  t.same(endpoint.notify('obs', state('2'), 1), [])
  t.same(endpoint.notify('obs', state('3'), 2), [])
  t.equal(outline(sent(endpoint.receive(reply(TYPE.ACK, first), peer, 3))[0]), '1 ab 45 3 3')
  t.same(endpoint.nextDeadline(), Infinity)
  t.end()
})

t.test('only a GET with Observe 0 whose answer is 2.xx and can be observed registers', (t) => {
  const cases: readonly [name: string, data: Uint8Array, response: Response][] = [
    ['not observable', observe(), text('0')],
    ['4.04', observe(), { code: CODE.NOT_FOUND, observe: 'obs' }],
    ['a POST', observe({ code: METHOD.POST }), state('0')],
    ['no Observe', datagram({ code: METHOD.GET }), state('0')],
    ['Observe 1', observe({}, 1), state('0')],
    ['Observe 2', observe({}, 2), state('0')],
  ]
  for (const [name, data, response] of cases) {
    const endpoint = endpointOf()
    const [message] = exchangeOf(endpoint, data, response)
    t.equal(message && optionOf(message, OPTION.OBSERVE), undefined, name)
    t.equal(endpoint.sizes().observers, 0, name)
  }
  t.end()
})

t.test('deregister: Observe 1 with the same token', (t) => {
  const endpoint = endpointOf()
  register(endpoint)
  exchangeOf(endpoint, observe({ token: bytes('cd') }, 1), state('0'))
  t.equal(endpoint.sizes().observers, 1, 'another token is another observation')
  exchangeOf(endpoint, observe({}, 1), state('0'))
  t.equal(endpoint.sizes().observers, 0)
  t.notOk(endpoint.isObserved('obs'))
  t.end()
})

t.test('registering again with the same token goes on counting', (t) => {
  const endpoint = endpointOf()
  register(endpoint)
  endpoint.notify('obs', state('1'), 0)
  t.equal(outline(register(endpoint)), '2 ab 45 3 0')
  t.equal(endpoint.sizes().observers, 1)
  t.end()
})

t.test('an RST ends the observation: to a CON and to a NON', (t) => {
  const endpoint = endpointOf()
  register(endpoint)
  const [first] = sent(endpoint.notify('obs', state('1'), 0))
  endpoint.receive(reply(TYPE.RST, first), peer, 1)
  t.equal(endpoint.sizes().observers, 0)
  register(endpoint)
  const [confirmable] = sent(endpoint.notify('obs', state('1'), 0))
  endpoint.receive(reply(TYPE.ACK, confirmable), peer, 1)
  const [other] = sent(endpoint.notify('obs', state('2'), 2))
  endpoint.receive(reply(TYPE.RST, other), { ...peer, port: 1 }, 3)
  t.equal(endpoint.sizes().observers, 1, 'not the RST of somebody else')
  endpoint.receive(reply(TYPE.RST, other), peer, 3)
  t.equal(endpoint.sizes().observers, 0)
  t.equal(endpoint.counters.reset, 2)
  t.end()
})

t.test('an RST counts for the last notification only: no more is kept of those before', (t) => {
  const endpoint = endpointOf()
  register(endpoint)
  const [confirmable] = sent(endpoint.notify('obs', state('1'), 0))
  endpoint.receive(reply(TYPE.ACK, confirmable), peer, 1)
  const [old] = sent(endpoint.notify('obs', state('2'), 2))
  const [last] = sent(endpoint.notify('obs', state('3'), 3))
  endpoint.receive(reply(TYPE.RST, old), peer, 4)
  t.equal(endpoint.counters.unmatched, 1)
  t.equal(endpoint.sizes().observers, 1)
  endpoint.receive(reply(TYPE.RST, last), peer, 5)
  t.equal(endpoint.sizes().observers, 0)
  t.end()
})

t.test('a notification that is never acknowledged ends the observation', (t) => {
  const endpoint = endpointOf()
  register(endpoint)
  endpoint.notify('obs', state('1'), 0)
  let sentAgain = 0
  for (let next = endpoint.nextDeadline(); next !== Infinity; next = endpoint.nextDeadline()) {
    sentAgain += endpoint.advance(next).length
  }
  t.equal(sentAgain, 4)
  t.equal(endpoint.sizes().observers, 0)
  t.end()
})

t.test('an answer that is not 2.xx is the last notification', (t) => {
  const endpoint = endpointOf()
  register(endpoint)
  const [last] = sent(endpoint.notify('obs', { code: CODE.NOT_FOUND }, 0))
  t.equal(outline(last), '0 ab 84 undefined ')
  t.equal(endpoint.sizes().observers, 0)
  t.same(endpoint.notify('obs', state('1'), 1), [])
  t.same(endpoint.receive(reply(TYPE.ACK, last), peer, 2), [])
  t.end()
})

t.test('a long notification is cut, and the rest is fetched without the application', (t) => {
  const endpoint = endpointOf()
  register(endpoint)
  const [first] = sent(
    endpoint.notify('obs', { ...content(42, new Uint8Array(1500).fill(1)), observe: 'obs' }, 0),
  )
  t.equal(first && optionOf(first, OPTION.BLOCK2), 14)
  t.equal(first && optionOf(first, OPTION.OBSERVE), 2)
  const next = datagram({
    code: METHOD.GET,
    path: ['obs'],
    token: bytes('01'),
    messageId: 9,
    options: [uint(OPTION.BLOCK2, 22)],
  })
  const [second] = sent(endpoint.receive(next, peer, 1))
  t.equal(second?.payload.length, 1500 - 1024)
  t.equal(endpoint.counters.request, 1)
  t.end()
})

t.test('registered thousands of times: bounded per peer, whose oldest goes', (t) => {
  const endpoint = endpointOf({ observersPerPeer: 4 })
  for (let n = 0; n < 5_000; n++) register(endpoint, peer, { token: Uint8Array.of(n >> 8, n) })
  t.equal(endpoint.sizes().observers, 4)
  const tokens = sent(endpoint.notify('obs', state('1'), 0)).map((message) => hex(message.token))
  t.same(tokens, ['1384', '1385', '1386', '1387'])
  t.end()
})

t.test('registered by thousands of strangers: those that have proven themselves stay', (t) => {
  const endpoint = endpointOf({ observersMax: 20 })
  register(endpoint)
  const [first] = sent(endpoint.notify('obs', state('1'), 0))
  endpoint.receive(reply(TYPE.ACK, first), peer, 1)
  for (let port = 10_000; port < 13_000; port++) register(endpoint, { address: '198.51.100.1', port })
  t.equal(endpoint.sizes().observers, 20)
  t.equal(endpoint.sizes().evicted.observers, 2_981)
  t.ok(sent(endpoint.notify('obs', state('2'), 2)).some((message) => message.type === TYPE.NON))
  t.end()
})

t.test('when all that are there have proven themselves, the answer is an ordinary one', (t) => {
  const endpoint = endpointOf({ observersMax: 2 })
  for (const port of [1, 2]) register(endpoint, { ...peer, port })
  for (const effect of endpoint.notify('obs', state('1'), 0)) {
    if (effect.kind !== 'send') continue
    const [message] = sent([effect])
    endpoint.receive(reply(TYPE.ACK, message), effect.peer, 1)
  }
  t.equal(outline(register(endpoint, { ...peer, port: 3 })), '2 ab 45 undefined 0')
  t.equal(endpoint.sizes().observers, 2)
  t.end()
})

t.test('an answer that comes late registers too', (t) => {
  const endpoint = endpointOf()
  const { exchange } = requested(endpoint.receive(observe(), peer, 0))
  endpoint.advance(1_000)
  t.equal(outline(sent(endpoint.respond(exchange, state('0'), 2_000))[0]), '0 ab 45 1 0')
  t.equal(endpoint.sizes().observers, 1)
  t.end()
})
