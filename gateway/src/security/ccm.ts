import type { AeadInput, CryptoPrimitives } from '@pesebre/coap/oscore/crypto'
import { AES } from '@stablelib/aes'

const BLOCK = 16
const NONCE_LENGTH = 13
const TAG_LENGTH = 8
/** First byte of B_0: additional data follow, M = 8, L = 2 (RFC 3610 section 2.2). */
const B0_FLAGS = 0x40 | (((TAG_LENGTH - 2) / 2) << 3) | 1
/** First byte of the counter blocks: L = 2 (section 2.3). */
const COUNTER_FLAGS = 1

// One of each for all messages: nothing here is asynchronous.
/** The nonce where B_0 and the counter blocks have it; the first byte and the last two are written for each. */
const place = new Uint8Array(BLOCK)
const block = new Uint8Array(BLOCK)
const tag = new Uint8Array(BLOCK)

/** Keys whose schedule is kept: who sends often is among them. A power of two. */
const HOT_KEYS = 4096

type Hot = { readonly key: Uint8Array; readonly aes: AES }

/**
 * AES-CCM-16-64-128 (RFC 3610; COSE algorithm 10) on the AES of @stablelib/aes. Node's own CCM takes a new object of OpenSSL for
 * each message, and making and collecting those costs several times as much as all of this (BENCHMARKS.md).
 *
 * That AES looks things up in tables of 4 kB, so that its time depends a little on key and data, through the caches of the processor.
 * Who can run code on the gateway's own core may learn from that; over a network nobody has been seen to, and each device has a key
 * of its own. Libraries with larger tables are as fast in a loop, but not where the rest of a gateway fills the same caches.
 */
export function createCcm(): Pick<CryptoPrimitives, 'seal' | 'open'> {
  const hot = new Array<Hot | undefined>(HOT_KEYS)

  function scheduleOf(key: Uint8Array): AES {
    // Keys are random: any of their bits will do to spread them.
    const at = (key[0]! | (key[1]! << 8)) & (HOT_KEYS - 1)
    const held = hot[at]
    if (held !== undefined && isSame(held.key, key)) return held.aes
    const aes = new AES(key, true)
    hot[at] = { key: key.slice(), aes }
    return aes
  }

  function seal({ key, nonce, aad, data }: AeadInput): Uint8Array {
    check(nonce, aad, data.length)
    const aes = scheduleOf(key)
    const sealed = new Uint8Array(data.length + TAG_LENGTH)
    place.set(nonce, 1)
    computeTag(aes, { aad, data, length: data.length })
    applyStream(aes, { from: data, to: sealed, length: data.length })
    for (let i = 0; i < TAG_LENGTH; i++) sealed[data.length + i] = tag[i]!
    return sealed
  }

  function open({ key, nonce, aad, data }: AeadInput): Uint8Array | undefined {
    const length = data.length - TAG_LENGTH
    check(nonce, aad, length)
    const aes = scheduleOf(key)
    const plaintext = new Uint8Array(length)
    place.set(nonce, 1)
    applyStream(aes, { from: data, to: plaintext, length })
    computeTag(aes, { aad, data: plaintext, length })
    // Over all bytes, whatever they are: how long it takes tells nobody how much of a forged tag was right.
    let difference = 0
    for (let i = 0; i < TAG_LENGTH; i++) difference |= tag[i]! ^ data[length + i]!
    return difference === 0 ? plaintext : undefined
  }

  return { seal, open }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  for (let i = 0; i < BLOCK; i++) if (one[i] !== other[i]) return false
  return true
}

/** Puts the encrypted tag into `tag`: CBC-MAC over B_0, the additional data and the plaintext (section 2.2), under S_0. */
function computeTag(
  aes: AES,
  { aad, data, length }: { aad: Uint8Array; data: Uint8Array; length: number },
): void {
  encryptPlace(aes, B0_FLAGS, length)
  // The first two bytes of the additional data's blocks are its length.
  block[0]! ^= aad.length >> 8
  block[1]! ^= aad.length
  absorb(aes, { data: aad, length: aad.length, offset: 2 })
  absorb(aes, { data, length, offset: 0 })
  for (let i = 0; i < TAG_LENGTH; i++) tag[i] = block[i]!
  encryptPlace(aes, COUNTER_FLAGS, 0)
  for (let i = 0; i < TAG_LENGTH; i++) tag[i]! ^= block[i]!
}

/** Chains `length` bytes of `data` into the block, zeros filling up the last one. `offset`: bytes that the block has already. */
function absorb(
  aes: AES,
  { data, length, offset }: { data: Uint8Array; length: number; offset: number },
): void {
  let at = offset
  for (let i = 0; i < length; i++) {
    block[at]! ^= data[i]!
    if (++at < BLOCK) continue
    aes.encryptBlock(block, block)
    at = 0
  }
  if (at > 0) aes.encryptBlock(block, block)
}

/** Encrypts or decrypts `length` bytes in counter mode (section 2.3). */
function applyStream(
  aes: AES,
  { from, to, length }: { from: Uint8Array; to: Uint8Array; length: number },
): void {
  for (let start = 0, counter = 1; start < length; start += BLOCK, counter++) {
    encryptPlace(aes, COUNTER_FLAGS, counter)
    const size = Math.min(BLOCK, length - start)
    for (let i = 0; i < size; i++) to[start + i] = from[start + i]! ^ block[i]!
  }
}

/** Puts the encrypted B_0 or S_counter into the block. */
function encryptPlace(aes: AES, flags: number, last: number): void {
  place[0] = flags
  place[BLOCK - 2] = last >> 8
  place[BLOCK - 1] = last
  aes.encryptBlock(place, block)
}

/** Two bytes hold the length of the text; and additional data of 0xff00 bytes and more would be written in another form. */
function check(nonce: Uint8Array, aad: Uint8Array, length: number): void {
  if (
    nonce.length !== NONCE_LENGTH ||
    length < 0 ||
    length > 0xffff ||
    aad.length === 0 ||
    aad.length >= 0xff00
  )
    throw new RangeError(
      `Failed to encrypt or decrypt: nonce ${nonce.length}, aad ${aad.length}, text ${length} bytes`,
    )
}
