import { createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { nodeCrypto as reference } from '@pesebre/coap/node-crypto'
import t from 'tap'
import { createNodeCrypto, hkdfExpand } from '../../../gateway/src/security/node-crypto.ts'

t.test('hkdf() and hkdfExpand() agree with those of Node', async (t) => {
  const { hkdf } = createNodeCrypto()
  for (let i = 0; i < 200; i++) {
    const [salt, secret, info] = [randomBytes(i % 33), randomBytes(1 + (i % 64)), randomBytes(i % 50)]
    const length = 1 + (i % 32)
    const expected = Buffer.from(hkdfSync('sha256', secret, salt, info, length))
    t.ok(expected.equals(hkdf({ salt, secret, info, length })))
    const key = randomBytes(32)
    const block = createHmac('sha256', key).update(info).update(Uint8Array.of(1)).digest()
    t.ok(block.subarray(0, length).equals(hkdfExpand(key, info, length)))
  }
  t.throws(() => hkdfExpand(randomBytes(32), randomBytes(1), 33), RangeError)
})

t.test(
  'seal() and open() agree with a plain use of the cipher, also for more keys than are kept',
  async (t) => {
    const crypto = createNodeCrypto()
    const keys = Array.from({ length: 6000 }, () => randomBytes(16))
    const nonce = randomBytes(13)
    let wrong = 0
    for (const round of [0, 1])
      for (const [i, key] of keys.entries()) {
        const input = { key, nonce, aad: randomBytes(20), data: randomBytes(1 + ((i + round) % 60)) }
        const sealed = crypto.seal(input)
        if (i % 50 === 0 && !Buffer.from(reference.seal(input)).equals(sealed)) wrong++
        const opened = crypto.open({ ...input, data: sealed })
        if (opened === undefined || !input.data.equals(opened)) wrong++
        sealed[0]! ^= 1
        if (i % 50 === 0 && crypto.open({ ...input, data: sealed }) !== undefined) wrong++
      }
    t.equal(wrong, 0)
  },
)
