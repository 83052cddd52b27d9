import { block, encryptBlock, useKey, wordAt } from '@pesebre/coap/oscore/aes'
import { softwareCcm } from '@pesebre/coap/oscore/aes-ccm'
import t from 'tap'
import { bytes, hex, type MessageVector, randomOf, vectors } from './harness.ts'
import { nodeCrypto } from './node-crypto.ts'

/** A block encrypted, as hexadecimal digits. */
function encrypted(key: string, plaintext: string): string {
  const data = bytes(plaintext)
  useKey(bytes(key))
  encryptBlock(wordAt(data, 0), wordAt(data, 4), wordAt(data, 8), wordAt(data, 12))
  return [block.a, block.b, block.c, block.d]
    .map((word) => (word >>> 0).toString(16).padStart(8, '0'))
    .join('')
}

t.test('encryptBlock(): the examples of FIPS 197, appendices B and C.1', (t) => {
  t.equal(
    encrypted('2b7e151628aed2a6abf7158809cf4f3c', '3243f6a8885a308d313198a2e0370734'),
    '3925841d02dc09fbdc118597196a0b32',
  )
  t.equal(
    encrypted('000102030405060708090a0b0c0d0e0f', '00112233445566778899aabbccddeeff'),
    '69c4e0d86a7b0430d8cdb78070b4c55a',
  )
  t.end()
})

t.test('softwareCcm: the messages of RFC 8613 Appendix C', (t) => {
  for (const vector of vectors<MessageVector>('messages')) {
    const [key, nonce, aad] = [bytes(vector.key), bytes(vector.nonce), bytes(vector.aad)]
    const input = { key, nonce, aad, data: bytes(vector.plaintext) }
    t.equal(hex(softwareCcm.seal(input)), vector.ciphertext, vector.section)
    t.equal(hex(softwareCcm.open({ ...input, data: bytes(vector.ciphertext) })), vector.plaintext)
  }
  t.end()
})

t.test(
  'softwareCcm: the same bytes as Node’s cipher, for every length up to five blocks and some more',
  (t) => {
    const draw = randomOf(1)
    const random = (length: number): Uint8Array => Uint8Array.from({ length }, () => draw(256))
    for (const length of [...Array.from({ length: 82 }, (_, at) => at), 1_024, 1_279, 5_000, 65_535]) {
      const input = { key: random(16), nonce: random(13), aad: random(1 + draw(60)), data: random(length) }
      const sealed = softwareCcm.seal(input)
      if (hex(sealed) !== hex(nodeCrypto.seal(input))) return t.fail(`seal: ${length} bytes`)
      if (hex(softwareCcm.open({ ...input, data: sealed })) !== hex(input.data))
        return t.fail(`open: ${length} bytes`)
    }
    t.pass('each of them')
    t.end()
  },
)

t.test('softwareCcm: not one wrong bit passes, wherever it is', (t) => {
  const draw = randomOf(2)
  const random = (length: number): Uint8Array => Uint8Array.from({ length }, () => draw(256))
  const input = { key: random(16), nonce: random(13), aad: random(26), data: random(20) }
  const sealed = { ...input, data: softwareCcm.seal(input) }
  for (const field of ['key', 'nonce', 'aad', 'data'] as const) {
    for (let bit = 0; bit < sealed[field].length * 8; bit++) {
      const spoilt = sealed[field].slice()
      spoilt[bit >> 3]! ^= 1 << (bit & 7)
      if (softwareCcm.open({ ...sealed, [field]: spoilt }) !== undefined)
        return t.fail(`${field}, bit ${bit}`)
    }
  }
  t.ok(softwareCcm.open(sealed))
  t.end()
})

t.test('softwareCcm: what it cannot do throws', (t) => {
  const input = {
    key: new Uint8Array(16),
    nonce: new Uint8Array(13),
    aad: new Uint8Array(1),
    data: new Uint8Array(9),
  }
  t.throws(() => softwareCcm.seal({ ...input, data: new Uint8Array(65_536) }), RangeError)
  t.throws(() => softwareCcm.seal({ ...input, aad: new Uint8Array(0) }), RangeError)
  t.throws(() => softwareCcm.open({ ...input, aad: new Uint8Array(0xff00) }), RangeError)
  t.end()
})
