import { createEndpoint } from '@pesebre/coap/endpoint/endpoint'
import t from 'tap'

const peer = { address: '192.0.2.1', port: 5000 }
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const sent = (effects: readonly { kind: string }[]): string[] =>
  effects.map((effect) =>
    'bytes' in effect ? Buffer.from(effect.bytes as Uint8Array).toString('hex') : effect.kind,
  )

t.test('receive(): a CON, its repeat while pending, its answer, and the repeat of that', (t) => {
  const endpoint = createEndpoint({ seed: new Uint8Array(16) })
  const post = hex('42 02 0001 abcd b1 75 11 3c ff a0')
  const [effect] = endpoint.receive(post, peer, 0)
  if (effect?.kind !== 'request') throw new Error('no request')
  t.same(effect.request.path, ['u'])
  t.equal(effect.request.contentFormat, 60)
  t.same(sent(endpoint.receive(post, peer, 1)), ['drop'])
  t.same(sent(endpoint.respond(effect.exchange, { code: 0x44 }, 2)), ['62440001abcd'])
  t.same(sent(endpoint.receive(post, peer, 3)), ['62440001abcd'])
  t.same(sent(endpoint.respond(effect.exchange, { code: 0x44 }, 4)), [])
  t.end()
})

t.test('receive(): an empty CON gets RST', (t) => {
  const endpoint = createEndpoint({ seed: new Uint8Array(16) })
  t.same(sent(endpoint.receive(hex('40 00 1234'), peer, 0)), ['70001234'])
  t.end()
})
