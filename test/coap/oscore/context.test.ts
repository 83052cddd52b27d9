import { inspect } from 'node:util'
import { nodeCrypto } from '@pesebre/coap/node-crypto'
import { deriveSecurityContext } from '@pesebre/coap/oscore/context'
import { type InputParameters, infoOf } from '@pesebre/coap/oscore/key-derivation'
import { nonceOf } from '@pesebre/coap/oscore/nonce'
import fc from 'fast-check'
import t from 'tap'
import { bytes, hex, pairOf } from './harness.ts'

const parameters: InputParameters = {
  masterSecret: new Uint8Array(16).fill(1),
  senderId: bytes('01'),
  recipientId: bytes('02'),
}

t.test('deriveSecurityContext() throws for parameters that cannot be used', (t) => {
  const illegal: readonly [name: string, change: Partial<InputParameters>][] = [
    ['a Sender ID of 8 bytes', { senderId: new Uint8Array(8) }],
    ['a Recipient ID of 8 bytes', { recipientId: new Uint8Array(8) }],
    ['equal IDs', { recipientId: bytes('01') }],
    ['two empty IDs', { senderId: bytes(''), recipientId: bytes('') }],
    ['no Master Secret', { masterSecret: bytes('') }],
  ]
  for (const [name, change] of illegal)
    t.throws(() => deriveSecurityContext({ ...parameters, ...change }, nodeCrypto), RangeError, name)
  t.doesNotThrow(() => deriveSecurityContext({ ...parameters, senderId: new Uint8Array(7) }, nodeCrypto))
  t.end()
})

t.test(
  'deriveSecurityContext() takes no Master Salt for an empty one, but no ID Context not for an empty one',
  (t) => {
    const sealed = (change: Partial<InputParameters>) =>
      hex(
        deriveSecurityContext({ ...parameters, ...change }, nodeCrypto).encrypt(
          { partialIv: 0, madeBy: 'sender' },
          bytes(''),
          bytes('02'),
        ),
      )
    t.equal(sealed({}), sealed({ masterSalt: bytes('') }))
    t.not(sealed({}), sealed({ idContext: bytes('') }))
    t.not(sealed({ idContext: bytes('01') }), sealed({ idContext: bytes('02') }))
    t.end()
  },
)

t.test('infoOf() encodes IDs of every length in the shortest form of CBOR', (t) => {
  const start = (length: number) => hex(infoOf(bytes(''), new Uint8Array(length), 'Key')).slice(0, 10)
  t.equal(start(0), '8540400a63')
  t.equal(start(23), '8540570000')
  t.equal(start(24), '8540581800')
  t.equal(start(255), '854058ff00')
  t.equal(start(256), '8540590100')
  t.throws(() => infoOf(bytes(''), new Uint8Array(65_536), 'Key'), RangeError)
  t.end()
})

t.test('SecurityContext reads what its counterpart has written, and nothing else', (t) => {
  const { client, server } = pairOf()
  const aad = bytes('aa')
  const nonce = { partialIv: 3, madeBy: 'sender' } as const
  const sealed = client.encrypt(nonce, aad, bytes('0102'))
  t.equal(hex(server.decrypt({ partialIv: 3, madeBy: 'recipient' }, aad, sealed)), '0102')
  t.equal(server.decrypt({ partialIv: 4, madeBy: 'recipient' }, aad, sealed), undefined, 'another number')
  t.equal(server.decrypt(nonce, aad, sealed), undefined, 'the same number of its own')
  t.equal(server.decrypt({ partialIv: 3, madeBy: 'recipient' }, bytes('ab'), sealed), undefined, 'other AAD')
  t.equal(client.decrypt(nonce, aad, sealed), undefined, 'its own message')
  for (let length = 0; length < sealed.length; length++)
    t.equal(server.decrypt({ partialIv: 3, madeBy: 'recipient' }, aad, sealed.subarray(0, length)), undefined)
  t.end()
})

t.test('SecurityContext does not show its secrets', (t) => {
  const context = deriveSecurityContext(parameters, nodeCrypto)
  const shown = inspect(context, { showHidden: true, depth: 9 }) + JSON.stringify(context)
  t.notMatch(shown, /key|iv\b|secret/i)
  t.end()
})

t.test('nonceOf() gives every ID and every Partial IV a nonce of its own', (t) => {
  const part = fc.record({
    id: fc.uint8Array({ maxLength: 7 }),
    partialIv: fc.oneof(
      fc.nat(300),
      fc.maxSafeNat().map((n) => n % 2 ** 40),
    ),
  })
  const commonIv = new Uint8Array(13).fill(0x5a)
  fc.assert(
    fc.property(part, part, (one, other) => {
      const isSame = hex(one.id) === hex(other.id) && one.partialIv === other.partialIv
      return isSame === (hex(nonceOf({ commonIv, ...one })) === hex(nonceOf({ commonIv, ...other })))
    }),
    { numRuns: 2_000, seed: 8613 },
  )
  t.equal(
    hex(nonceOf({ commonIv: new Uint8Array(13), id: bytes('a1b2'), partialIv: 0x12_3456_789a })),
    '020000000000a1b2123456789a',
  )
  t.end()
})
