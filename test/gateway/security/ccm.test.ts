import { randomBytes } from 'node:crypto'
import t from 'tap'
import { createCcm } from '../../../gateway/src/security/ccm.ts'
import { nodeCrypto as reference } from '../../coap/oscore/node-crypto.ts'

t.test('createCcm() agrees with OpenSSL for every length, in any order of sealing and opening', async (t) => {
  // Many, some of which share a place in the table of hot ones.
  const keys = Array.from({ length: 100 }, (_, i) =>
    Buffer.concat([Buffer.of(i % 7, 16 * (i % 5)), randomBytes(14)]),
  )
  const ccm = createCcm()
  let wrong = 0
  for (let i = 0; i < 3000; i++) {
    const key = keys[i % keys.length]!
    const nonce = randomBytes(13)
    const aad = randomBytes(1 + (i % 53))
    const data = randomBytes(i % 11 === 0 ? i : i % 71)
    const sealed = reference.seal({ key, nonce, aad, data })
    if (i % 3 !== 0 && !Buffer.from(ccm.seal({ key, nonce, aad, data })).equals(sealed)) wrong++
    if (i % 3 !== 1) {
      const opened = ccm.open({ key, nonce, aad, data: sealed })
      if (opened === undefined || !data.equals(opened)) wrong++
    }
    const forged = Uint8Array.from(sealed)
    forged[i % forged.length]! ^= 1 << (i % 8)
    if (ccm.open({ key, nonce, aad, data: forged }) !== undefined) wrong++
    const other = Uint8Array.from(aad)
    other[i % other.length]! ^= 1
    if (ccm.open({ key, nonce, aad: other, data: sealed }) !== undefined) wrong++
  }
  t.equal(wrong, 0)
})

t.test('createCcm() makes the value of RFC 8613 Appendix C.4', async (t) => {
  const bytes = (text: string) => Buffer.from(text, 'hex')
  const key = bytes('f0910ed7295e6ad4b54fc793154302ff')
  const nonce = bytes('4622d4dd6d944168eefb549868')
  const aad = bytes('8368456e63727970743040488501810a40411440')
  const sealed = createCcm().seal({ key, nonce, aad, data: bytes('01b3747631') })
  t.equal(Buffer.from(sealed).toString('hex'), '612f1092f1776f1c1668b3825e')
})

t.test('createCcm() refuses what its form of CCM cannot hold', async (t) => {
  const ccm = createCcm()
  const [key, nonce, aad] = [randomBytes(16), randomBytes(13), randomBytes(20)]
  t.throws(() => ccm.seal({ key, nonce: randomBytes(12), aad, data: randomBytes(1) }), RangeError)
  t.throws(() => ccm.seal({ key, nonce, aad: new Uint8Array(0), data: randomBytes(1) }), RangeError)
  t.throws(() => ccm.seal({ key, nonce, aad: randomBytes(0xff00), data: randomBytes(1) }), RangeError)
  t.throws(() => ccm.seal({ key, nonce, aad, data: randomBytes(0x10000) }), RangeError)
  t.throws(() => ccm.open({ key, nonce, aad, data: randomBytes(7) }), RangeError)
})
