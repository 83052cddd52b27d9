import { CODE } from '@pesebre/coap/codec/codes'
import { TYPE } from '@pesebre/coap/codec/message'
import { text } from '@pesebre/coap/endpoint/response'
import type { Response } from '@pesebre/coap/endpoint/types'
import t from 'tap'
import { datagram, endpointOf, peer, requested, told, total } from './harness.ts'

const answers: readonly [name: string, response: Response][] = [
  ['a plain answer', { code: CODE.CHANGED }],
  ['an answer with a payload', text('a body of some length')],
]

for (const type of [TYPE.CON, TYPE.NON]) {
  const name = type === TYPE.CON ? 'CON' : 'NON'
  for (const [kind, response] of answers) {
    t.test(`the same ${name} again gets the same bytes, and one effect: ${kind}`, (t) => {
      const endpoint = endpointOf()
      const data = datagram({ type, payload: 'x' })
      const { exchange } = requested(endpoint.receive(data, peer, 0))
      t.same(told(endpoint.receive(data.slice(), peer, 1)), ['drop repeat-pending'], 'while pending')
      const first = told(endpoint.respond(exchange, response, 2))
      t.equal(first.length, 1)
      for (const now of [3, 10_000, 246_000]) t.same(told(endpoint.receive(data.slice(), peer, now)), first)
      t.equal(endpoint.counters.request, 1)
      t.equal(total(endpoint.counters), 5)
      t.end()
    })
  }

  t.test(`the same ${name} from a new port is a new request`, (t) => {
    const endpoint = endpointOf()
    requested(endpoint.receive(datagram({ type }), peer, 0))
    requested(endpoint.receive(datagram({ type }), { ...peer, port: 5001 }, 0))
    requested(endpoint.receive(datagram({ type }), { ...peer, address: '192.0.2.2' }, 0))
    t.equal(endpoint.counters.request, 3)
    t.end()
  })

  t.test(`a ${name} with the same message id and token but new content is a new request`, (t) => {
    const endpoint = endpointOf()
    const before = requested(endpoint.receive(datagram({ type, payload: '{"n":1}' }), peer, 0))
    endpoint.respond(before.exchange, { code: CODE.CHANGED }, 0)
    const after = requested(endpoint.receive(datagram({ type, payload: '{"n":2}' }), peer, 1))
    t.equal(Buffer.from(after.request.payload).toString(), '{"n":2}')
    t.end()
  })

  t.test(`a ${name} is forgotten after a lifetime`, (t) => {
    const endpoint = endpointOf()
    const { exchange } = requested(endpoint.receive(datagram({ type }), peer, 0))
    endpoint.respond(exchange, { code: CODE.CHANGED }, 0)
    requested(endpoint.receive(datagram({ type }), peer, 247_100))
    t.equal(endpoint.counters.request, 2)
    t.end()
  })
}

t.test('a CON and a NON of otherwise equal content are two requests', (t) => {
  const endpoint = endpointOf()
  requested(endpoint.receive(datagram({ type: TYPE.CON }), peer, 0))
  requested(endpoint.receive(datagram({ type: TYPE.NON }), peer, 0))
  t.equal(endpoint.counters.request, 2)
  t.end()
})

t.test('a repeat while pending, after the empty ACK, gets that ACK again', (t) => {
  const endpoint = endpointOf()
  requested(endpoint.receive(datagram(), peer, 0))
  t.same(told(endpoint.advance(1_000)), ['send 60000001'])
  t.same(told(endpoint.receive(datagram(), peer, 2_000)), ['send 60000001'])
  t.equal(endpoint.counters.repeat, 1)
  t.end()
})

t.test('70,000 requests from one peer within 247 s: all are taken, though message ids come round', (t) => {
  const endpoint = endpointOf()
  for (let n = 0; n < 70_000; n++) {
    const data = datagram({ messageId: n & 0xffff, payload: `${n}` })
    const [effect] = endpoint.receive(data, peer, n * 3)
    if (effect?.kind !== 'request') throw new Error(`Failed to take request: ${n}`)
    endpoint.respond(effect.exchange, { code: CODE.CHANGED }, n * 3)
  }
  t.equal(endpoint.counters.request, 70_000)
  t.equal(endpoint.sizes().evicted.exchanges, 0)
  t.end()
})

t.test('a table that is full lets the oldest go and counts it', (t) => {
  const endpoint = endpointOf({ exchangesMax: 16 })
  for (let messageId = 0; messageId < 20; messageId++) {
    const { exchange } = requested(endpoint.receive(datagram({ messageId }), peer, messageId))
    endpoint.respond(exchange, { code: CODE.CHANGED }, messageId)
  }
  t.equal(endpoint.sizes().exchanges, 16)
  t.equal(endpoint.sizes().evicted.exchanges, 4)
  requested(endpoint.receive(datagram({ messageId: 3 }), peer, 30))
  t.same(told(endpoint.receive(datagram({ messageId: 19 }), peer, 30)), ['send 61440013ab'])
  t.end()
})

t.test('an answer whose bytes had to make room is made anew by the application', (t) => {
  const endpoint = endpointOf({ answerBytesMax: 256 })
  const answer = (messageId: number): void => {
    const { exchange } = requested(endpoint.receive(datagram({ messageId }), peer, messageId))
    endpoint.respond(exchange, text(`answer ${messageId} of some length`), messageId)
  }
  for (let messageId = 0; messageId < 20; messageId++) answer(messageId)
  t.equal(endpoint.receive(datagram({ messageId: 19 }), peer, 30)[0]?.kind, 'send')
  answer(0)
  t.equal(endpoint.receive(datagram({ messageId: 0 }), peer, 31)[0]?.kind, 'send')
  t.end()
})
