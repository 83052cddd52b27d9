import { createCipheriv, createDecipheriv, createSecretKey, hash, type KeyObject } from 'node:crypto'
import type { AeadInput, CryptoPrimitives, HkdfInput } from '@pesebre/coap/oscore/crypto'
import { type Ccm, createCcm } from './ccm.ts'

const ALGORITHM = 'aes-128-ccm'
const TAG_LENGTH = 8
const TAG = { authTagLength: TAG_LENGTH } as const
/** Keys kept ready for use. Who sends often is among them; others cost some microseconds more. A power of two. */
const HOT_KEYS = 4096

/** `ccm`: from the second use on. */
type HotKey = { readonly words: Int32Array; readonly key: KeyObject; ccm: Ccm | undefined }

/** The cryptography of OSCORE on Node's own, for one thread. */
export function createNodeCrypto(): CryptoPrimitives {
  const hot = new Array<HotKey | undefined>(HOT_KEYS)

  function keyOf(bytes: Uint8Array): HotKey {
    const a = word(bytes, 0)
    const b = word(bytes, 4)
    const c = word(bytes, 8)
    const d = word(bytes, 12)
    // Keys are random: any of their bits will do to spread them.
    const at = a & (HOT_KEYS - 1)
    const held = hot[at]
    if (held !== undefined) {
      const { words } = held
      if (words[0] === a && words[1] === b && words[2] === c && words[3] === d) {
        held.ccm ??= createCcm(held.key)
        return held
      }
    }
    const made = { words: Int32Array.of(a, b, c, d), key: createSecretKey(bytes), ccm: undefined }
    hot[at] = made
    return made
  }

  function seal({ key: bytes, nonce, aad, data }: AeadInput): Uint8Array {
    const { key, ccm } = keyOf(bytes)
    if (ccm !== undefined) return ccm.seal(nonce, aad, data)
    const cipher = createCipheriv(ALGORITHM, key, nonce, TAG)
    cipher.setAAD(aad, { plaintextLength: data.length })
    const sealed = new Uint8Array(data.length + TAG_LENGTH)
    sealed.set(cipher.update(data))
    cipher.final()
    sealed.set(cipher.getAuthTag(), data.length)
    return sealed
  }

  function open({ key: bytes, nonce, aad, data }: AeadInput): Uint8Array | undefined {
    const { key, ccm } = keyOf(bytes)
    if (ccm !== undefined) return ccm.open(nonce, aad, data)
    const end = data.length - TAG_LENGTH
    const decipher = createDecipheriv(ALGORITHM, key, nonce, TAG)
    decipher.setAuthTag(data.subarray(end)).setAAD(aad, { plaintextLength: end })
    const plaintext = decipher.update(data.subarray(0, end))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    return plaintext
  }

  return { hkdf, seal, open }
}

/** HKDF-SHA-256, both steps, for at most one hash of output (RFC 5869). */
function hkdf({ salt, secret, info, length }: HkdfInput): Uint8Array {
  return hkdfExpand(hmac(salt, secret), info, length)
}

/** HKDF-Expand with SHA-256 (RFC 5869 section 2.3) for at most one hash of output, 32 bytes. */
export function hkdfExpand(key: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (length > HASH_LENGTH) throw new RangeError(`Failed to derive a key: of ${length} bytes`)
  return hmac(key, Buffer.concat([info, ONE])).subarray(0, length)
}

const HASH_LENGTH = 32
const BLOCK_LENGTH = 64
const ONE = Uint8Array.of(1)

/**
 * HMAC-SHA-256 (RFC 2104) on the one-shot hash, for keys of at most one block. Node's own makes an object of OpenSSL each time,
 * and anybody can make us derive keys: this takes a third of the time, and leaves nothing behind that waits for the garbage collector.
 */
function hmac(key: Uint8Array, data: Uint8Array): Buffer {
  const inner = Buffer.alloc(BLOCK_LENGTH + data.length, 0x36)
  const outer = Buffer.alloc(BLOCK_LENGTH + HASH_LENGTH, 0x5c)
  for (let i = 0; i < key.length; i++) {
    inner[i]! ^= key[i]!
    outer[i]! ^= key[i]!
  }
  inner.set(data, BLOCK_LENGTH)
  outer.set(hash('sha256', inner, 'buffer'), BLOCK_LENGTH)
  return hash('sha256', outer, 'buffer')
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}
