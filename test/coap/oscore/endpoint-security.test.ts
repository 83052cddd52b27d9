import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { encode, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import type { Peer } from '@pesebre/coap/endpoint/types'
import { createSecurity } from '@pesebre/coap/oscore/endpoint-security'
import { Recovery } from '@pesebre/coap/oscore/recovery'
import { SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import t from 'tap'
import {
  endpointOf,
  exchangeOf,
  messageOf,
  optionOf,
  peer,
  requested,
  sent,
  told,
  uint,
} from '../endpoint/harness.ts'
import { hex } from './harness.ts'
import { Device, gatewayOf, Keys, nameOf } from './secured.ts'

const CHANGED = { code: CODE.CHANGED }
const SETTLED = { code: CODE.CHANGED, settled: true }
const text = (payload: Uint8Array): string => Buffer.from(payload).toString()

t.test(
  'createSecurity(): a protected request reaches the application as what it is inside, and who made it',
  (t) => {
    const endpoint = gatewayOf(new Keys())
    const device = new Device(1)
    const ask = device.ask({
      options: [uint(OPTION.CONTENT_FORMAT, 60), uint(OPTION.ACCEPT, 60)],
      payload: 'abc',
    })
    const { exchange, request } = requested(endpoint.receive(ask.data, peer, 0))
    t.match(request, { method: METHOD.POST, path: ['u'], contentFormat: 60, accept: 60, confirmable: true })
    t.equal(text(request.payload), 'abc')
    t.equal(request.size, ask.data.length)
    t.equal(request.principal, nameOf(1))
    t.equal(request.sequence, 0)
    t.notOk(request.options.some(({ number }) => number === OPTION.OSCORE))
    const [answer] = sent(endpoint.respond(exchange, { ...SETTLED, payload: Buffer.from('yes') }, 1))
    t.match(answer, { type: TYPE.ACK, code: CODE.CHANGED })
    const inside = device.open(ask, answer!)
    t.equal(inside.code, CODE.CHANGED)
    t.equal(text(inside.payload), 'yes')
    t.end()
  },
)

t.test('createSecurity(): an unprotected request has no principal, whatever it says', (t) => {
  const endpoint = gatewayOf(new Keys())
  const data = encode({
    type: TYPE.CON,
    code: METHOD.POST,
    messageId: 1,
    token: Uint8Array.of(1),
    options: [{ number: OPTION.URI_PATH, value: Buffer.from('u') }],
    payload: Buffer.from('{}'),
  })
  const { request } = requested(endpoint.receive(data, peer, 0))
  t.equal(request.principal, undefined)
  t.equal(request.sequence, undefined)
  t.end()
})

t.test(
  'Response.settled: only then the nonce of the request is used, and an empty answer has 15 bytes',
  (t) => {
    const endpoint = gatewayOf(new Keys())
    const device = new Device()
    const token = new Uint8Array(0)
    const first = device.ask({ token })
    const [short] = endpoint.respond(requested(endpoint.receive(first.data, peer, 0)).exchange, SETTLED, 0)
    t.equal(short?.kind === 'send' && short.bytes.length, 15)
    const second = device.ask({ token })
    const [long] = exchangeOf(endpoint, second.data, CHANGED)
    const option = long?.options.find(({ number }) => number === OPTION.OSCORE)
    t.equal(hex(option?.value), '0100', 'a Partial IV of our own')
    t.equal(device.open(second, long!).code, CODE.CHANGED)
    t.end()
  },
)

t.test(
  'Protection.protect(): without a sequence number nothing is said, and a repeat gets the same nothing',
  (t) => {
    const endpoint = gatewayOf(new Keys(1, { sequence: new SenderSequence(0, 0) }))
    const device = new Device()
    const ask = device.ask()
    t.same(exchangeOf(endpoint, ask.data, CHANGED), [])
    t.equal(endpoint.sizes().withheld, 1)
    t.same(told(endpoint.receive(ask.data, peer, 1)), ['drop repeat-unanswered'])
    t.equal(exchangeOf(endpoint, device.ask().data, SETTLED).length, 1, 'the nonce of the request needs none')
    t.end()
  },
)

t.test('Protection.protect(): the nonce of a request answers once, however often that is asked for', (t) => {
  const keys = new Keys()
  const security = createSecurity({ find: keys.find, sequence: keys.sequence })
  const opened = security.open(messageOf(new Device().ask().data), peer, 0)
  if (opened.kind !== 'opened') return t.fail(opened.kind)
  const fields = { code: CODE.CHANGED, options: [], payload: new Uint8Array(0) }
  const values = [1, 2, 3].map(() => hex(opened.protection.protect(fields, true)?.options[0]?.value))
  t.same(values, ['', '0100', '0101'])
  t.end()
})

t.test('S3: late messages inside the window pass, once, in every order of three', (t) => {
  for (const order of ['012', '021', '102', '120', '201', '210']) {
    const endpoint = gatewayOf(new Keys())
    const device = new Device()
    const asks = [device.ask(), device.ask(), device.ask()]
    for (const at of order) requested(endpoint.receive(asks[Number(at)]!.data, peer, 0))
    // From another port, so that they are no repeats of the same datagrams.
    for (const { data } of asks) {
      const [refusal] = sent(endpoint.receive(data, { ...peer, port: 6000 }, 1))
      t.equal(refusal?.code, CODE.UNAUTHORIZED, order)
    }
    t.match(endpoint.counters, { request: 3, replayed: 3 })
  }
  t.end()
})

t.test('S3: the window is 64 wide; what is behind it is refused', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  requested(endpoint.receive(device.ask({ number: 100 }).data, peer, 0))
  requested(endpoint.receive(device.ask({ number: 37 }).data, peer, 0))
  t.equal(sent(endpoint.receive(device.ask({ number: 36 }).data, peer, 0))[0]?.code, CODE.UNAUTHORIZED)
  t.match(endpoint.counters, { request: 2, replayed: 1 })
  t.end()
})

t.test('S3: a forged message moves nothing and burns no number', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  const genuine = device.ask()
  const forged = [device.ask({ number: 5 }), device.ask({ number: 2 ** 39 }), genuine]
  for (const { data } of forged) {
    const copy = data.slice()
    copy[copy.length - 1]! ^= 1
    t.equal(sent(endpoint.receive(copy, peer, 0))[0]?.code, CODE.BAD_REQUEST)
  }
  t.equal(endpoint.counters['decryption-failed'], 3)
  requested(endpoint.receive(genuine.data, peer, 1))
  requested(endpoint.receive(device.ask({ number: 5 }).data, peer, 1))
  t.end()
})

t.test('S5: a retransmitted CON gets the same bytes, not "replay"', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  const { data } = device.ask()
  const { exchange } = requested(endpoint.receive(data, peer, 0))
  t.same(told(endpoint.receive(data, peer, 1)), ['drop repeat-pending'], 'while it is pending')
  const [first] = endpoint.respond(exchange, { ...SETTLED, payload: Buffer.from('once') }, 2)
  const again = endpoint.receive(data, peer, 3)
  t.same(told(again), told([first!]))
  t.match(endpoint.counters, { request: 1, replayed: 0, repeat: 1, 'repeat-pending': 1 })
  t.end()
})

t.test('S5: the answers to 20,000 protected requests are all still there for their repeats', (t) => {
  const endpoint = gatewayOf(new Keys(), { exchangesMax: 1 << 15 })
  const device = new Device()
  const asks = Array.from({ length: 20_000 }, (_, n) => device.ask({ messageId: n }))
  const answers = asks.map(
    ({ data }) => exchangeOf(endpoint, data, { ...SETTLED, payload: new Uint8Array(30) })[0],
  )
  for (let n = 0; n < asks.length; n += 97) {
    const [again] = sent(endpoint.receive(asks[n]!.data, peer, 1))
    if (again === undefined || hex(again.payload) !== hex(answers[n]!.payload)) return t.fail(`repeat ${n}`)
  }
  t.equal(endpoint.counters.replayed, 0)
  t.end()
})

t.test('S5: refused requests leave nothing behind that could push the answers out', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  for (let n = 0; n < 1_000; n++) {
    const { data } = device.ask({ messageId: n })
    data[data.length - 1]! ^= 1
    endpoint.receive(data, peer, 0)
  }
  t.match(endpoint.sizes(), { exchanges: 0 })
  t.equal(endpoint.counters['decryption-failed'], 1_000)
  t.end()
})

t.test('S6: 100 rebindings cost no round trip, and notifications follow', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  const observe = device.ask({
    code: METHOD.GET,
    path: ['commands'],
    options: [uint(OPTION.OBSERVE, 0)],
    payload: '',
  })
  exchangeOf(endpoint, observe.data, { code: CODE.CONTENT, observe: 'box' }, 0, portOf(1))
  for (let n = 2; n <= 101; n++) {
    const ask = device.ask()
    const [answer] = exchangeOf(endpoint, ask.data, SETTLED, n, portOf(n))
    if (answer === undefined || device.open(ask, answer).code !== CODE.CHANGED)
      return t.fail(`rebinding ${n}`)
    const [effect] = endpoint.notify(
      'box',
      { code: CODE.CONTENT, payload: Buffer.from(`${n}`), confirmable: false },
      n,
    )
    if (effect?.kind !== 'send') return t.fail(`notification ${n}`)
    t.equal(effect.peer.port, portOf(n).port)
    t.equal(text(device.open(observe, effect.bytes).payload), `${n}`)
  }
  t.end()
})

t.test('S6: a replay, a forgery or a late message from elsewhere moves no notification', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  const early = device.ask()
  const observe = device.ask({ code: METHOD.GET, options: [uint(OPTION.OBSERVE, 0)], payload: '' })
  exchangeOf(endpoint, observe.data, { code: CODE.CONTENT, observe: 'box' }, 0, portOf(1))
  const next = device.ask()
  exchangeOf(endpoint, next.data, SETTLED, 1, portOf(2))
  const forged = device.ask()
  forged.data[forged.data.length - 1]! ^= 1
  const elsewhere = { address: '203.0.113.9', port: 9 }
  for (const { data } of [next, observe, forged, early]) exchangeOf(endpoint, data, CHANGED, 2, elsewhere)
  t.match(endpoint.counters, { request: 3, replayed: 2, 'decryption-failed': 1 })
  const [effect] = endpoint.notify('box', { code: CODE.CONTENT }, 3)
  t.same(effect?.kind === 'send' && effect.peer, portOf(2))
  t.end()
})

t.test('S6: a re-registration moves the notifications, and binds them to itself', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  const draft = { code: METHOD.GET, token: Uint8Array.of(7), options: [uint(OPTION.OBSERVE, 0)], payload: '' }
  const asks = [device.ask(draft), device.ask(draft), device.ask(draft)]
  // The second comes last: it was overtaken by the third, and changes nothing.
  for (const at of [0, 2, 1])
    exchangeOf(endpoint, asks[at]!.data, { code: CODE.CONTENT, observe: 'box' }, 0, portOf(at))
  t.equal(endpoint.sizes().observers, 1)
  const [effect] = endpoint.notify('box', { code: CODE.CONTENT, payload: Buffer.from('new') }, 1)
  if (effect?.kind !== 'send') return t.fail('no notification')
  t.equal(effect.peer.port, portOf(2).port)
  t.equal(text(device.open(asks[2]!, effect.bytes).payload), 'new')
  t.throws(() => device.open(asks[0]!, effect.bytes), /decryption-failed/)
  t.end()
})

t.test('S6: a late registration from elsewhere gets its notifications where the principal is', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  const draft = { code: METHOD.GET, options: [uint(OPTION.OBSERVE, 0)], payload: '' }
  const late = device.ask(draft)
  const response = { code: CODE.CONTENT, observe: 'box' }
  exchangeOf(endpoint, device.ask(draft).data, response, 0, portOf(1))
  exchangeOf(endpoint, late.data, response, 1, { address: '203.0.113.9', port: 9 })
  const ports = endpoint
    .notify('box', { code: CODE.CONTENT }, 2)
    .map((effect) => effect.kind === 'send' && effect.peer.port)
  t.same(ports, [portOf(1).port, portOf(1).port])
  t.end()
})

t.test('S6: a notification on its way goes on at the new port, with its newest state', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  const observe = device.ask({ code: METHOD.GET, options: [uint(OPTION.OBSERVE, 0)], payload: '' })
  exchangeOf(endpoint, observe.data, { code: CODE.CONTENT, observe: 'box' }, 0, portOf(1))
  const [lost] = endpoint.notify('box', { code: CODE.CONTENT, payload: Buffer.from('one') }, 1)
  t.equal(lost?.kind === 'send' && lost.peer.port, portOf(1).port)
  exchangeOf(endpoint, device.ask().data, SETTLED, 2, portOf(2))
  const [again] = endpoint.advance(endpoint.nextDeadline())
  if (again?.kind !== 'send') return t.fail('not sent again')
  t.equal(again.peer.port, portOf(2).port)
  t.equal(text(device.open(observe, again.bytes).payload), 'one')
  t.end()
})

t.test('an observation is ended by its principal from anywhere, and by no older message', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  const draft = { code: METHOD.GET, token: Uint8Array.of(7), payload: '' }
  const early = device.ask({ ...draft, options: [uint(OPTION.OBSERVE, 1)] })
  const observe = device.ask({ ...draft, options: [uint(OPTION.OBSERVE, 0)] })
  const end = device.ask({ ...draft, options: [uint(OPTION.OBSERVE, 1)] })
  const response = { code: CODE.CONTENT, observe: 'box' }
  exchangeOf(endpoint, observe.data, response)
  exchangeOf(endpoint, early.data, response, 1, portOf(2))
  t.equal(endpoint.sizes().observers, 1)
  exchangeOf(endpoint, end.data, response, 2, portOf(3))
  t.equal(endpoint.sizes().observers, 0)
  t.end()
})

t.test('an observation needs Observe outside as well: a proxy has taken it out otherwise', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  const { data } = device.ask({ code: METHOD.GET, options: [uint(OPTION.OBSERVE, 0)], payload: '' })
  const outer = messageOf(data)
  const options = outer.options.filter(({ number }) => number !== OPTION.OBSERVE)
  exchangeOf(endpoint, encode({ ...outer, options }), { code: CODE.CONTENT, observe: 'box' })
  t.equal(endpoint.sizes().observers, 0)
  t.end()
})

t.test('Observe, Block1 and other options outside alone mean nothing', (t) => {
  const endpoint = gatewayOf(new Keys())
  const outside = [
    uint(OPTION.OBSERVE, 0),
    uint(OPTION.CONTENT_FORMAT, 50),
    uint(OPTION.BLOCK1, 8),
    uint(65001, 1),
  ]
  const { request } = requested(endpoint.receive(new Device().ask({ outside }).data, peer, 0))
  t.equal(request.observe, undefined)
  t.equal(request.contentFormat, undefined)
  t.end()
})

t.test('Block1 inside: an upload goes on from another port, and is nobody else’s', (t) => {
  const endpoint = gatewayOf(new Keys())
  const [device, other] = [new Device(0), new Device(1)]
  const block = (from: Device, num: number, more: boolean, fill: number) =>
    from.ask({
      options: [uint(OPTION.BLOCK1, (num << 4) | (more ? 8 : 0))],
      payload: new Uint8Array(more ? 16 : 4).fill(fill),
    })
  const first = block(device, 0, true, 1)
  const [go] = sent(endpoint.receive(first.data, portOf(1), 0))
  t.equal(device.open(first, go!).code, CODE.CONTINUE)
  // The same address and port, but another key: it has no block 0.
  const stranger = block(other, 1, false, 2)
  const [refused] = sent(endpoint.receive(stranger.data, portOf(1), 0))
  t.equal(other.open(stranger, refused!).code, CODE.REQUEST_ENTITY_INCOMPLETE)
  const last = block(device, 1, false, 3)
  const { request, exchange } = requested(endpoint.receive(last.data, portOf(2), 0))
  t.equal(hex(request.payload), `${'01'.repeat(16)}${'03'.repeat(4)}`)
  const inside = device.open(last, sent(endpoint.respond(exchange, CHANGED, 0))[0]!)
  t.ok(inside.options.some(({ number }) => number === OPTION.BLOCK1))
  t.end()
})

t.test(
  'Block2 inside: later blocks come from what was kept, for another port too, and are not settled',
  (t) => {
    const endpoint = gatewayOf(new Keys())
    const device = new Device()
    const body = Buffer.alloc(2_000, 'x')
    const first = device.ask({ code: METHOD.GET, payload: '' })
    const [start] = exchangeOf(
      endpoint,
      first.data,
      { code: CODE.CONTENT, payload: body, settled: true },
      0,
      portOf(1),
    )
    t.equal(device.open(first, start!).payload.length, 1_024)
    t.ok(start!.payload.length < 1_100)
    const second = device.ask({ code: METHOD.GET, options: [uint(OPTION.BLOCK2, (1 << 4) | 6)], payload: '' })
    const [rest] = sent(endpoint.receive(second.data, portOf(2), 1))
    t.equal(device.open(second, rest!).payload.length, 976)
    const value = rest!.options.find(({ number }) => number === OPTION.OSCORE)?.value
    t.equal(value?.length, 2, 'a Partial IV of our own: nobody has said that this request cannot come again')
    t.end()
  },
)

t.test('No-Response inside is obeyed, and outside it is not', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  const inside = device.ask({ type: TYPE.NON, options: [uint(OPTION.NO_RESPONSE, 26)] })
  t.same(exchangeOf(endpoint, inside.data, SETTLED), [])
  const outside = device.ask({ type: TYPE.NON, outside: [uint(OPTION.NO_RESPONSE, 26)] })
  t.equal(exchangeOf(endpoint, outside.data, SETTLED)[0]?.type, TYPE.NON)
  t.end()
})

t.test('an unknown critical option inside: 4.02 under protection on CON, silence on NON', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  const con = device.ask({ options: [uint(65001, 1)] })
  const [refusal] = sent(endpoint.receive(con.data, peer, 0))
  t.equal(refusal?.code, CODE.CHANGED, 'nothing is to be seen outside')
  t.equal(device.open(con, refusal!).code, CODE.BAD_OPTION)
  const non = device.ask({ type: TYPE.NON, options: [uint(65001, 1)] })
  t.same(told(endpoint.receive(non.data, peer, 0)), ['drop bad-option-non'])
  t.same(told(endpoint.receive(non.data, peer, 0)), ['drop repeat-unanswered'])
  t.end()
})

t.test('a body beyond the limit, and one request too many: 4.13 and 5.03 under protection', (t) => {
  const endpoint = gatewayOf(new Keys(), { bodyMax: 64, pendingMax: 1 })
  const device = new Device()
  const large = device.ask({ payload: new Uint8Array(65) })
  const [tooLarge] = sent(endpoint.receive(large.data, peer, 0))
  t.equal(device.open(large, tooLarge!).code, CODE.REQUEST_ENTITY_TOO_LARGE)
  requested(endpoint.receive(device.ask().data, peer, 0))
  const many = device.ask()
  const [overload] = sent(endpoint.receive(many.data, peer, 0))
  t.equal(device.open(many, overload!).code, CODE.SERVICE_UNAVAILABLE)
  t.end()
})

t.test('without the setting, an OSCORE option is one that is not known', (t) => {
  const endpoint = endpointOf()
  const device = new Device()
  t.match(sent(endpoint.receive(device.ask().data, peer, 0)), [{ type: TYPE.ACK, code: CODE.BAD_OPTION }])
  t.same(told(endpoint.receive(device.ask({ type: TYPE.NON }).data, peer, 0)), ['drop bad-option-non'])
  t.end()
})

t.test(
  'a lost window: one Echo round trip, whose repeat gets the same bytes, and no recorded message passes',
  (t) => {
    const keys = new Keys()
    const device = new Device()
    const recorded = device.ask()
    keys.windows[0] = new Recovery(new Uint8Array(8).fill(0xec))
    const endpoint = gatewayOf(keys)
    const ask = device.ask()
    const [challenge, ...none] = sent(endpoint.receive(ask.data, peer, 0))
    t.equal(none.length, 0)
    t.equal(hex(sent(endpoint.receive(ask.data, peer, 0))[0]?.payload), hex(challenge?.payload))
    const inside = device.open(ask, challenge!)
    t.equal(inside.code, CODE.UNAUTHORIZED)
    const echo = inside.options.find(({ number }) => number === OPTION.ECHO)!
    requested(endpoint.receive(device.ask({ options: [echo] }).data, peer, 1))
    t.equal(sent(endpoint.receive(recorded.data, peer, 2))[0]?.code, CODE.UNAUTHORIZED)
    t.match(endpoint.counters, { unproven: 1, repeat: 1, request: 1, replayed: 1 })
    t.end()
  },
)

t.test('an observation: 2.05 and Observe outside as long as more may follow, then neither', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  const ask = device.ask({ code: METHOD.GET, options: [uint(OPTION.OBSERVE, 0)], payload: '' })
  const [first] = exchangeOf(endpoint, ask.data, { code: CODE.CONTENT, observe: 'box', settled: true })
  t.equal(first?.code, CODE.CONTENT, '2.05 outside: more may follow')
  t.equal(optionOf(first!, OPTION.OBSERVE), 1)
  t.equal(device.open(ask, first!).isFinal, false)
  const [last] = sent(endpoint.notify('box', { code: CODE.NOT_FOUND }, 1))
  t.equal(last?.code, CODE.CHANGED)
  t.match(device.open(ask, last!), { code: CODE.NOT_FOUND, isFinal: true })
  t.equal(endpoint.sizes().observers, 0)
  t.end()
})

t.test('S11: one principal has its share of the tables, from however many ports it comes', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  for (let n = 0; n < 500; n++) {
    const observe = device.ask({ code: METHOD.GET, options: [uint(OPTION.OBSERVE, 0)], payload: '' })
    exchangeOf(endpoint, observe.data, { code: CODE.CONTENT, observe: 'box' }, 0, portOf(n))
    const path = [`upload-${n}`]
    const block = device.ask({ path, options: [uint(OPTION.BLOCK1, 8)], payload: new Uint8Array(16) })
    endpoint.receive(block.data, portOf(n), 0)
    const large = { code: CODE.CONTENT, payload: new Uint8Array(2_000) }
    exchangeOf(endpoint, device.ask({ code: METHOD.GET, path, payload: '' }).data, large, 0, portOf(n))
  }
  t.match(endpoint.sizes(), { observers: 16, uploads: 4, downloads: 4, pending: 0 })
  t.equal(endpoint.notify('box', { code: CODE.CONTENT }, 1).length, 16)
  t.end()
})

function portOf(number: number): Peer {
  return { ...peer, port: 10_000 + number }
}
