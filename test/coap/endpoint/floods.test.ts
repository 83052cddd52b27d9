import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { blockBytes } from '@pesebre/coap/codec/block'
import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import type { Endpoint } from '@pesebre/coap/endpoint/endpoint'
import { text } from '@pesebre/coap/endpoint/response'
import type { Peer, Response } from '@pesebre/coap/endpoint/types'
import t from 'tap'
import { datagram, endpointOf, peer, requested, told, total, uint } from './harness.ts'
import { generator } from './network.ts'

setFlagsFromString('--expose_gc')
const collect = runInNewContext('gc') as () => void

/** Bytes that stay, of the heap and of the buffers beside it, after `run`. */
function retained(run: () => void): number {
  const used = (): number => {
    collect()
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const before = used()
  run()
  return used() - before
}

const ok: Response = { code: CODE.CHANGED }
const sentence = text('an answer of some thirty bytes')

function flood(endpoint: Endpoint, count: number, response: Response, type: number = TYPE.CON): void {
  for (let n = 0; n < count; n++) {
    const from: Peer = { address: `10.0.${n & 255}.${(n >> 8) & 255}`, port: 1024 + (n % 10_000) }
    const data = datagram({ type, messageId: n & 0xffff, path: ['feeder', 'bella'], payload: `{"n":${n}}` })
    const [effect] = endpoint.receive(data, from, n / 100)
    if (effect?.kind === 'request') endpoint.respond(effect.exchange, response, n / 100)
  }
}

for (const [name, response, type] of [
  ['CON, plain answer', ok, TYPE.CON],
  ['NON, plain answer', ok, TYPE.NON],
  ['CON, answer with a payload', sentence, TYPE.CON],
] as const) {
  t.test(`at most 300 bytes stay of a finished exchange: ${name}`, (t) => {
    flood(endpointOf(), 1_000, response, type)
    const endpoint = endpointOf()
    const count = 100_000
    const bytes = retained(() => flood(endpoint, count, response, type))
    t.equal(endpoint.sizes().exchanges, count)
    t.equal(endpoint.sizes().evicted.exchanges, 0)
    t.ok(bytes / count <= 300, `${Math.round(bytes / count)} bytes for each`)
    t.end()
  })
}

t.test('after a million exchanges the table is as large as after its limit', (t) => {
  const endpoint = endpointOf({ exchangesMax: 1 << 14, answerBytesMax: 1 << 18 })
  flood(endpoint, 50_000, sentence)
  const { exchangeBytes } = endpoint.sizes()
  const bytes = retained(() => flood(endpoint, 250_000, sentence))
  t.equal(endpoint.sizes().exchangeBytes, exchangeBytes)
  t.ok(bytes < 2_000_000, `${bytes} more`)
  t.end()
})

const floods: readonly [name: string, send: (endpoint: Endpoint, n: number) => void][] = [
  [
    'first blocks of uploads',
    (endpoint, n) => {
      const options = [{ number: OPTION.BLOCK1, value: blockBytes({ num: 0, more: true, szx: 6 }) }]
      const data = datagram({ messageId: n & 0xffff, options, payload: new Uint8Array(1024) })
      endpoint.receive(data, stranger(n), n)
    },
  ],
  [
    'registrations to observe',
    (endpoint, n) => {
      const data = datagram({ code: METHOD.GET, messageId: n & 0xffff, options: [uint(OPTION.OBSERVE, 0)] })
      const [effect] = endpoint.receive(data, stranger(n), n)
      if (effect?.kind === 'request') endpoint.respond(effect.exchange, { ...sentence, observe: 'u' }, n)
    },
  ],
  [
    'confirmable requests that the application does not answer',
    (endpoint, n) => {
      endpoint.receive(datagram({ messageId: n & 0xffff, payload: `${n}` }), stranger(n), n / 100)
    },
  ],
  [
    'tokens, each new',
    (endpoint, n) => {
      const token = Uint8Array.of(n, n >> 8, n >> 16)
      const [effect] = endpoint.receive(datagram({ messageId: n & 0xffff, token }), peer, n)
      if (effect?.kind === 'request') endpoint.respond(effect.exchange, sentence, n)
    },
  ],
  [
    'answers of many blocks, never fetched',
    (endpoint, n) => {
      const [effect] = endpoint.receive(datagram({ code: METHOD.GET, messageId: n & 0xffff }), stranger(n), n)
      const payload = new Uint8Array(5_000)
      if (effect?.kind === 'request') endpoint.respond(effect.exchange, { code: CODE.CONTENT, payload }, n)
    },
  ],
  [
    'answers and acknowledgements out of the blue',
    (endpoint, n) => {
      endpoint.receive(
        datagram({ type: n % 3, code: CODE.CONTENT, messageId: n & 0xffff, path: [] }),
        stranger(n),
        n,
      )
    },
  ],
]

for (const [name, send] of floods) {
  t.test(`20,000 ${name}: under 40 MB, and the next request is served`, (t) => {
    const endpoint = endpointOf()
    const bytes = retained(() => {
      for (let n = 0; n < 20_000; n++) send(endpoint, n)
    })
    t.ok(bytes < 40e6, `${(bytes / 1e6).toFixed(1)} MB`)
    t.equal(total(endpoint.counters), 20_000, 'each is counted once')
    const { pending } = endpoint.sizes()
    t.ok(pending <= 16_384)
    // Where the flood has filled what waits for the application, it is let go after a lifetime.
    const later = 600_000
    endpoint.advance(later)
    endpoint.advance(2 * later)
    const { exchange } = requested(endpoint.receive(datagram({ payload: 'good' }), peer, 2 * later))
    t.same(told(endpoint.respond(exchange, ok, 2 * later)), ['send 61440001ab'])
    t.end()
  })
}

t.test('100,000 junk datagrams from as many addresses: nothing stays, each is counted', (t) => {
  const endpoint = endpointOf()
  const random = generator(4)
  const bytes = retained(() => {
    for (let n = 0; n < 100_000; n++) {
      const junk = Uint8Array.from({ length: random() * 40 }, () => random() * 256)
      endpoint.receive(junk, stranger(n), n)
    }
  })
  t.equal(total(endpoint.counters), 100_000)
  const { pending, exchanges, uploads, observers, calls } = endpoint.sizes()
  t.ok(exchanges < 5_000, 'what looks like a request is remembered as one')
  t.ok(pending <= exchanges)
  t.same([uploads, observers, calls], [0, 0, 0])
  t.ok(bytes < 5e6, `${(bytes / 1e6).toFixed(1)} MB`)
  t.end()
})

function stranger(n: number): Peer {
  return { address: `10.${n & 255}.${(n >> 8) & 255}.${(n >> 16) & 255}`, port: 1 + (n % 60_000) }
}
