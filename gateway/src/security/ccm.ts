import type { AeadInput, CryptoPrimitives } from '@pesebre/coap/oscore/crypto'
import { MODULE } from './ccm-wasm.ts'

const NONCE_LENGTH = 13
const TAG_LENGTH = 8
const AAD_MAX = 254
const TEXT_MAX = 0xffff
/** Where things are in `box` of wasm/ccm.c. */
const NONCE_AT = 17
const AAD_AT = 34
const TEXT_AT = 288
/** Longer results are rare: the view of each is made anew. */
const KEPT_VIEW_MAX = 1280

type Exports = {
  readonly memory: WebAssembly.Memory
  begin(): void
  box(): number
  seal(length: number, aadLength: number): void
  open(length: number, aadLength: number): number
}

/**
 * AES-CCM-16-64-128 in WebAssembly (gateway/wasm/ccm.c), one call for each message. Node's own CCM takes a new object of OpenSSL for
 * each, and making and collecting those costs ten times as much as all of this (BENCHMARKS.md).
 *
 * What it returns is a view of its memory, which the next call writes into. Throws Error on a processor that computes something else.
 */
export function createCcm(): Pick<CryptoPrimitives, 'seal' | 'open'> {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(MODULE, 'base64')), {})
  const wasm = instance.exports as Exports
  wasm.begin()
  const box = new Uint8Array(wasm.memory.buffer, wasm.box())
  const views: (Uint8Array | undefined)[] = new Array(KEPT_VIEW_MAX + 1).fill(undefined)

  function load({ key, nonce, aad, data }: AeadInput, length: number): void {
    check(nonce, aad, length)
    // Loops: on so few bytes, TypedArray's own `set` takes longer.
    for (let i = 0; i < key.length; i++) box[i] = key[i]!
    for (let i = 0; i < NONCE_LENGTH; i++) box[NONCE_AT + i] = nonce[i]!
    for (let i = 0; i < aad.length; i++) box[AAD_AT + i] = aad[i]!
    for (let i = 0; i < data.length; i++) box[TEXT_AT + i] = data[i]!
  }

  function textOf(length: number): Uint8Array {
    if (length > KEPT_VIEW_MAX) return box.subarray(TEXT_AT, TEXT_AT + length)
    views[length] ??= box.subarray(TEXT_AT, TEXT_AT + length)
    return views[length]
  }

  function seal(input: AeadInput): Uint8Array {
    const { length } = input.data
    load(input, length)
    wasm.seal(length, input.aad.length)
    return textOf(length + TAG_LENGTH)
  }

  function open(input: AeadInput): Uint8Array | undefined {
    const length = input.data.length - TAG_LENGTH
    load(input, length)
    return wasm.open(length, input.aad.length) === 1 ? textOf(length) : undefined
  }

  checkItself(seal)
  return { seal, open }
}

function check(nonce: Uint8Array, aad: Uint8Array, length: number): void {
  // Without additional data the form would be another one.
  const isAad = aad.length > 0 && aad.length <= AAD_MAX
  if (nonce.length === NONCE_LENGTH && isAad && length >= 0 && length <= TEXT_MAX) return
  throw new RangeError(
    `Failed to encrypt or decrypt: nonce ${nonce.length}, aad ${aad.length}, text ${length} bytes`,
  )
}

/** The value of RFC 8613 Appendix C.4. */
function checkItself(seal: CryptoPrimitives['seal']): void {
  const key = Buffer.from('f0910ed7295e6ad4b54fc793154302ff', 'hex')
  const nonce = Buffer.from('4622d4dd6d944168eefb549868', 'hex')
  const aad = Buffer.from('8368456e63727970743040488501810a40411440', 'hex')
  const sealed = seal({ key, nonce, aad, data: Buffer.from('01b3747631', 'hex') })
  if (Buffer.from(sealed).toString('hex') !== '612f1092f1776f1c1668b3825e')
    throw new Error('Failed to start AES-CCM: its WebAssembly computes something else on this processor')
}
