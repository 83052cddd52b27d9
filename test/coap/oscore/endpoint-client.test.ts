import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { encode, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import type { Endpoint } from '@pesebre/coap/endpoint/endpoint'
import { content } from '@pesebre/coap/endpoint/response'
import type { Effect, OutgoingRequest, Peer, Response } from '@pesebre/coap/endpoint/types'
import { Recovery } from '@pesebre/coap/oscore/recovery'
import { SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import t from 'tap'
import { endpointOf, messageOf, sent, told } from '../endpoint/harness.ts'
import { Network, type Weather } from '../endpoint/network.ts'
import { Device, gatewayOf, Keys } from './secured.ts'

const CLIENT: Peer = { address: '192.0.2.1', port: 5000 }
const SERVER: Peer = { address: '192.0.2.2', port: 5683 }

/** A protected client and a gateway, and the network between them. */
function scene(answer: (payload: Uint8Array) => Response, weather: Weather = {}, keys = new Keys()) {
  const network = new Network(5, weather)
  const gateway = gatewayOf(keys, { bodyMax: 8_192 })
  const client = endpointOf()
  const device = new Device()
  network.add({ endpoint: gateway, peer: SERVER, answer: ({ request }) => answer(request.payload) })
  network.add({ endpoint: client, peer: CLIENT, answer: () => undefined })
  const security = device.security()
  const ask = (request: Partial<OutgoingRequest>): void => {
    const { effects } = client.request(
      { peer: SERVER, method: METHOD.POST, path: ['u'], security, ...request },
      network.now,
    )
    network.carryOut(CLIENT, effects)
  }
  return { network, gateway, client, device, ask, keys }
}

function texts(ends: readonly Effect[]): string[] {
  return ends.map((effect) =>
    effect.kind === 'response' ? Buffer.from(effect.response.payload).toString() : told([effect])[0]!,
  )
}

const echo = (payload: Uint8Array): Response => content(0, payload.slice(), [])

t.test(
  'createRequestSecurity(): a request of the client role, and nothing of it to be read on the way',
  (t) => {
    const seen: string[] = []
    const weather = { isLost: (bytes: Uint8Array) => seen.push(Buffer.from(bytes).toString('latin1')) < 0 }
    const { network, ask } = scene(echo, weather)
    ask({ payload: Buffer.from('secret') })
    network.run(1_000)
    t.same(texts(network.ends), ['secret'])
    t.equal(seen.length, 2)
    t.notMatch(seen.join(), 'secret')
    t.end()
  },
)

t.test('createRequestSecurity(): 100 requests over a bad network, each answered once', (t) => {
  const { network, ask, gateway } = scene(echo, {
    loss: 0.2,
    duplication: 0.2,
    delay: { min: 1, max: 3_000 },
  })
  for (let n = 0; n < 100; n++) network.at(n * 1_000, () => ask({ payload: Buffer.from(`${n}`) }))
  network.run()
  t.equal(network.ends.length, 100)
  const answered = texts(network.ends).filter((text) => text !== 'failure timeout')
  t.equal(new Set(answered).size, answered.length)
  t.ok(answered.length >= 98, `${answered.length} answers`)
  t.equal(gateway.counters.replayed, 0)
  t.end()
})

t.test('createRequestSecurity(): bodies in blocks both ways, each block protected by itself', (t) => {
  const { network, ask, gateway } = scene(echo, { loss: 0.1, duplication: 0.1 })
  const body = Buffer.from(Array.from({ length: 5_000 }, (_, at) => 97 + (at % 26)))
  ask({ payload: body, timeoutMs: 600_000 })
  network.run()
  t.same(texts(network.ends), [body.toString()])
  t.equal(gateway.counters.request, 1)
  t.ok(gateway.counters.block >= 8)
  t.end()
})

t.test('createRequestSecurity(): an observation with large states, until it is cancelled', (t) => {
  let state = 0
  const response = (): Response => ({
    ...content(0, Buffer.alloc(state % 2 ? 1_500 : 5, `${state}`)),
    observe: 'box',
  })
  const { network, gateway, client } = scene(response)
  const security = new Device().security()
  const { call, effects } = client.request({ peer: SERVER, method: METHOD.GET, observe: true, security }, 0)
  network.carryOut(CLIENT, effects)
  network.run(100)
  for (state = 1; state <= 4; state++) {
    network.carryOut(SERVER, gateway.notify('box', response(), network.now))
    network.run(network.now + 100)
  }
  t.same(
    texts(network.ends).map((text) => `${text[0]} ${text.length}`),
    ['0 5', '1 1500', '2 5', '3 1500', '4 5'],
  )
  network.carryOut(CLIENT, client.cancel(call, network.now))
  network.run(network.now + 1_000)
  t.equal(gateway.sizes().observers, 0)
  t.equal(client.sizes().calls, 0)
  t.end()
})

t.test(
  'createRequestSecurity(): a server that has lost its window gets its Echo, once, also in the middle of an upload',
  (t) => {
    const { network, ask, gateway, keys } = scene(echo)
    keys.windows[0] = new Recovery(new Uint8Array(8).fill(1))
    ask({ payload: Buffer.alloc(3_000, 'x') })
    ask({ payload: Buffer.from('second') })
    network.run(10_000)
    t.same(
      texts(network.ends)
        .map((text) => text.length)
        .sort(),
      [3_000, 6],
    )
    t.ok(gateway.counters.unproven >= 1)
    ask({ payload: Buffer.from('third') })
    const { unproven } = gateway.counters
    network.run(20_000)
    t.equal(texts(network.ends)[2], 'third')
    t.equal(gateway.counters.unproven, unproven)
    t.end()
  },
)

t.test('createRequestSecurity(): a server that asks for Echo without end is given up', (t) => {
  const { network, ask, keys } = scene(echo)
  const recovery = new Recovery(new Uint8Array(8).fill(1))
  keys.windows[0] = { echo: recovery.echo, check: () => true, commit: () => 'unproven' }
  ask({})
  network.run(10_000)
  t.same(texts(network.ends), ['failure security'])
  t.end()
})

t.test('createRequestSecurity(): without a sequence number nothing is sent', (t) => {
  const client = endpointOf()
  const security = new Device().security(new SenderSequence(0, 0))
  const { effects } = client.request({ peer: SERVER, method: METHOD.GET, security }, 0)
  t.same(told(effects), ['failure security'])
  t.equal(client.sizes().calls, 0)
  t.end()
})

t.test('createRequestSecurity(): an answer that is not protected is none, and says so with its code', (t) => {
  const { network, client, ask } = scene(echo, {}, new Keys(0))
  ask({})
  network.run(1_000)
  t.match(network.ends, [{ kind: 'failure', reason: 'unprotected', hint: CODE.UNAUTHORIZED }])
  t.equal(client.sizes().transmissions, 0)
  t.end()
})

t.test(
  'createRequestSecurity(): a forged answer is as if it had not come, and the true one is taken',
  (t) => {
    const { client, gateway, device } = scene(echo)
    const { effects } = client.request({ peer: SERVER, method: METHOD.POST, security: device.security() }, 0)
    const [request] = effects
    if (request?.kind !== 'send') return t.fail('nothing sent')
    const answer = answerOf(gateway, request.bytes)
    const forged = answer.slice()
    forged[forged.length - 1]! ^= 1
    t.same(client.receive(forged, SERVER, 1), [])
    t.equal(client.sizes().transmissions, 1, 'the request is still sent again')
    const separate = encode({ ...messageOf(forged), type: TYPE.CON, messageId: 999 })
    t.match(sent(client.receive(separate, SERVER, 1)), [{ type: TYPE.ACK, code: 0 }])
    t.same(told(client.receive(answer, SERVER, 2)), ['response 45'])
    t.match(client.counters, { 'bad-response': 2, response: 1 })
    t.end()
  },
)

t.test('createRequestSecurity(): an unprotected message does not end an observation', (t) => {
  const { network, gateway, client } = scene(() => ({ ...content(0, Buffer.from('x')), observe: 'box' }))
  const security = new Device().security()
  const { effects } = client.request({ peer: SERVER, method: METHOD.GET, observe: true, security }, 0)
  const [request] = effects
  if (request?.kind !== 'send') return t.fail('nothing sent')
  network.carryOut(CLIENT, effects)
  network.run(10)
  const { token } = messageOf(request.bytes)
  const forged = encode({
    type: TYPE.NON,
    code: CODE.NOT_FOUND,
    messageId: 7,
    token,
    options: [],
    payload: new Uint8Array(0),
  })
  t.same(client.receive(forged, SERVER, network.now), [])
  network.carryOut(SERVER, gateway.notify('box', content(0, Buffer.from('y')), network.now))
  network.run(network.now + 10)
  t.same(texts(network.ends), ['x', 'y'])
  t.end()
})

function answerOf(gateway: Endpoint, bytes: Uint8Array): Uint8Array {
  const [effect] = gateway.receive(bytes, CLIENT, 0)
  if (effect?.kind !== 'request') throw new Error('Failed to get a request')
  const [answer] = gateway.respond(effect.exchange, { code: CODE.CONTENT, options: [], settled: true }, 0)
  if (answer?.kind !== 'send') throw new Error('Failed to get an answer')
  if (!messageOf(answer.bytes).options.some(({ number }) => number === OPTION.OSCORE))
    throw new Error('Not protected')
  return answer.bytes
}
