import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { nodeCrypto as reference } from '@pesebre/coap/node-crypto'
import t from 'tap'
import { createCcm } from '../../../gateway/src/security/ccm.ts'
import { SOURCES } from '../../../gateway/src/security/ccm-wasm.ts'
import { missing, onPath } from '../../fakes/needs.ts'

t.test('createCcm() agrees with OpenSSL for every length, in any order of sealing and opening', async (t) => {
  const keys = Array.from({ length: 100 }, () => randomBytes(16))
  const ccm = createCcm()
  let wrong = 0
  for (let i = 0; i < 3000; i++) {
    const key = keys[i % keys.length]!
    const nonce = randomBytes(13)
    const aad = randomBytes(i % 13 === 0 ? 1 + (i % 254) : 1 + (i % 53))
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

t.test('createCcm() does not start on a processor that computes something else', async (t) => {
  const { Instance } = WebAssembly
  t.intercept(WebAssembly, 'Instance', {
    value: function Wrong(module: WebAssembly.Module) {
      const { exports } = new Instance(module, {})
      return { exports: { ...exports, seal: () => undefined } }
    },
  })
  t.throws(createCcm, /Failed to start AES-CCM: its WebAssembly computes something else/)
})

t.test('createCcm() refuses what its form of CCM cannot hold', async (t) => {
  const ccm = createCcm()
  const [key, nonce, aad] = [randomBytes(16), randomBytes(13), randomBytes(20)]
  t.throws(() => ccm.seal({ key, nonce: randomBytes(12), aad, data: randomBytes(1) }), RangeError)
  t.throws(() => ccm.seal({ key, nonce, aad: new Uint8Array(0), data: randomBytes(1) }), RangeError)
  t.throws(() => ccm.seal({ key, nonce, aad: randomBytes(255), data: randomBytes(1) }), RangeError)
  t.throws(() => ccm.seal({ key, nonce, aad, data: randomBytes(0x10000) }), RangeError)
  t.throws(() => ccm.open({ key, nonce, aad, data: randomBytes(7) }), RangeError)
})

const WASM = new URL('../../../gateway/wasm/', import.meta.url).pathname

t.test(
  'the committed WebAssembly is of these sources: after a change run gateway/wasm/build.sh',
  async (t) => {
    const hash = createHash('sha256')
    for (const file of ['ccm.c', 'build.sh']) hash.update(readFileSync(WASM + file))
    t.equal(hash.digest('hex'), SOURCES)
  },
)

t.test(
  'the committed WebAssembly is what clang makes of them',
  {
    skip: missing('clang and wasm-ld', () => {
      onPath('clang')
      onPath('wasm-ld')
    }),
  },
  async (t) => {
    t.match(execFileSync(`${WASM}build.sh`, ['--check'], { encoding: 'utf8' }), /as committed/)
  },
)
