import { CODE } from '@pesebre/coap/codec/codes'
import { type Message, type Option, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { utf8 } from '@pesebre/coap/codec/text'
import type { Endpoint } from '@pesebre/coap/endpoint/endpoint'
import type { Response } from '@pesebre/coap/endpoint/types'
import t from 'tap'
import { bytes, datagram, endpointOf, exchangeOf, hex, optionOf, peer, sent, uint } from '../harness.ts'

const HOUR = 3_600_000

function observedEndpoint(): Endpoint {
  const endpoint = endpointOf()
  const register = datagram({ code: 1, path: ['t'], options: [uint(OPTION.OBSERVE, 0)] })
  exchangeOf(endpoint, register, { ...state('one'), observe: 't' })
  return endpoint
}

function state(text: string, confirmable?: boolean): Response {
  return { code: CODE.CONTENT, payload: utf8(text), ...(confirmable !== undefined && { confirmable }) }
}

function acknowledge(endpoint: Endpoint, { messageId }: Message, now: number): Message[] {
  return sent(endpoint.receive(bytes(`60 00 ${messageId.toString(16).padStart(4, '0')}`), peer, now))
}

function text({ payload }: Message): string {
  return Buffer.from(payload).toString()
}

t.test(
  'notify(): confirmable true asks for an ACK each time, also of an observer that has proved itself',
  (t) => {
    const endpoint = observedEndpoint()
    for (const now of [1, 2, 3]) {
      const [notification] = sent(endpoint.notify('t', state('new', true), now))
      t.equal(notification?.type, TYPE.CON)
      acknowledge(endpoint, notification!, now)
    }
    t.equal(sent(endpoint.notify('t', state('new'), 4))[0]?.type, TYPE.NON, 'by default once is enough')
    t.end()
  },
)

t.test('notify(): confirmable false asks for none, but after a day (RFC 7641 section 4.5)', (t) => {
  const endpoint = observedEndpoint()
  for (const hour of [0, 1, 23]) {
    t.equal(sent(endpoint.notify('t', state('new', false), hour * HOUR))[0]?.type, TYPE.NON, `hour ${hour}`)
  }
  const [daily] = sent(endpoint.notify('t', state('new', false), 24 * HOUR))
  t.equal(daily?.type, TYPE.CON)
  acknowledge(endpoint, daily!, 24 * HOUR)
  t.equal(sent(endpoint.notify('t', state('new', false), 25 * HOUR))[0]?.type, TYPE.NON)
  t.end()
})

t.test(
  'a retransmission carries the newest state, under a new id and a higher number, never two at a time',
  (t) => {
    const endpoint = observedEndpoint()
    const [first] = sent(endpoint.notify('t', state('two', true), 0))
    t.same(sent(endpoint.notify('t', state('three', true), 1)), [], 'waits for the first')
    t.same(sent(endpoint.notify('t', state('four', true), 2)), [])
    const [second, ...others] = sent(endpoint.advance(endpoint.nextDeadline()))
    t.same(others, [])
    t.equal(text(second!), 'four', 'what was between is left out')
    t.not(second?.messageId, first?.messageId)
    t.ok(optionOf(second!, OPTION.OBSERVE)! > optionOf(first!, OPTION.OBSERVE)!)
    t.equal(endpoint.sizes().transmissions, 1)
    const [third] = sent(endpoint.advance(endpoint.nextDeadline()))
    t.equal(third?.messageId, second?.messageId, 'no newer state: the same bytes')
    t.same(acknowledge(endpoint, second!, 20_000), [])
    t.equal(endpoint.sizes().transmissions, 0)
    t.equal(endpoint.sizes().observers, 1)
    t.end()
  },
)

t.test('a silent observer is given up after as many attempts, however often the state has changed', (t) => {
  const endpoint = observedEndpoint()
  const ids = new Set(sent(endpoint.notify('t', state('0', true), 0)).map(({ messageId }) => messageId))
  let attempts = 1
  for (let now = endpoint.nextDeadline(); endpoint.sizes().transmissions > 0; now = endpoint.nextDeadline()) {
    endpoint.notify('t', state(`${attempts}`, true), now)
    for (const { messageId } of sent(endpoint.advance(now))) {
      ids.add(messageId)
      attempts++
    }
  }
  t.equal(attempts, 5, 'the first and MAX_RETRANSMIT more')
  t.equal(ids.size, 5)
  t.equal(endpoint.sizes().observers, 0)
  t.end()
})

t.test('the end of an observation that waits for an ACK is not overtaken by a later state', (t) => {
  const endpoint = observedEndpoint()
  const [first] = sent(endpoint.notify('t', state('two', true), 0))
  endpoint.notify('t', { code: CODE.NOT_FOUND, confirmable: true }, 1)
  endpoint.notify('t', state('three', true), 2)
  const [last] = acknowledge(endpoint, first!, 3)
  t.equal(last?.code, CODE.NOT_FOUND)
  t.equal(last?.type, TYPE.CON)
  t.equal(optionOf(last!, OPTION.OBSERVE), undefined)
  t.equal(endpoint.isObserved('t'), false)
  t.same(sent(endpoint.notify('t', state('four', true), 4)), [])
  t.end()
})

t.test(
  'a request for a later block that repeats Observe and the token leaves the observation as it is',
  (t) => {
    const endpoint = endpointOf()
    const whole = { ...state('x'.repeat(1_500)), observe: 't' }
    const get = (messageId: number, ...options: Option[]): Message[] =>
      exchangeOf(
        endpoint,
        datagram({ code: 1, path: ['t'], messageId, options: [uint(OPTION.OBSERVE, 0), ...options] }),
        whole,
      )
    t.equal(optionOf(get(1)[0]!, OPTION.OBSERVE), 1)
    const [second] = get(2, uint(OPTION.BLOCK2, (1 << 4) | 6))
    t.equal(second?.payload.length, 476)
    t.equal(optionOf(second!, OPTION.OBSERVE), 1, 'the number of the state that it is a part of')
    t.equal(endpoint.isObserved('t'), true)
    t.equal(optionOf(sent(endpoint.notify('t', state('new'), 1))[0]!, OPTION.OBSERVE), 2)
    const stranger = datagram({
      code: 1,
      path: ['t'],
      messageId: 3,
      token: Uint8Array.of(9),
      options: [uint(OPTION.OBSERVE, 0), uint(OPTION.BLOCK2, (1 << 4) | 6)],
    })
    t.equal(optionOf(exchangeOf(endpoint, stranger, whole)[0]!, OPTION.OBSERVE), undefined)
    t.equal(endpoint.sizes().observers, 1)
    t.end()
  },
)

t.test(
  'the end of an observation goes out with the next retransmission, and is repeated until it arrives',
  (t) => {
    const endpoint = observedEndpoint()
    endpoint.notify('t', state('two', true), 0)
    endpoint.notify('t', { code: CODE.NOT_FOUND, confirmable: true }, 1)
    const [last] = sent(endpoint.advance(endpoint.nextDeadline()))
    t.equal(last?.code, CODE.NOT_FOUND)
    t.equal(endpoint.isObserved('t'), false)
    const [again] = sent(endpoint.advance(endpoint.nextDeadline()))
    t.equal(again?.messageId, last?.messageId)
    acknowledge(endpoint, last!, 30_000)
    t.equal(endpoint.nextDeadline(), Infinity)
    t.equal(hex(last!.token), 'ab')
    t.end()
  },
)
