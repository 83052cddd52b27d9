import { hash } from 'node:crypto'
import type { CryptoPrimitives, HkdfInput } from '@pesebre/coap/oscore/crypto'
import { createCcm } from './ccm.ts'

/** The cryptography of OSCORE, for one thread: hashes are Node's own. */
export function createNodeCrypto(): CryptoPrimitives {
  return { hkdf, ...createCcm() }
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
