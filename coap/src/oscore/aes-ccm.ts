import { block, encryptBlock, useKey, wordAt } from './aes.ts'
import { AEAD } from './algorithms.ts'
import type { AeadInput, CryptoPrimitives } from './crypto.ts'

const { tagLength } = AEAD.AES_CCM_16_64_128
const BLOCK = 16
/** First byte of the nonce blocks (RFC 3610 sections 2.2 and 2.3): length field of 2 bytes; for the tag, its length and that there is AAD. */
const COUNTER_FLAGS = 0x01 << 24
const TAG_FLAGS = 0x59 << 24
/** Largest message that the length field of 2 bytes can tell, and AAD whose length takes 2 bytes. */
const LENGTH_MAX = 0xffff
const AAD_MAX = 0xfeff

// The authenticated blocks of the message at hand; larger when one needs it.
let blocks = new Uint8Array(128 * BLOCK)
const tag = { high: 0, low: 0 }

/**
 * AES-CCM-16-64-128 (RFC 3610) in plain JavaScript, for messages of the size of a datagram: setting up a cipher of the platform takes
 * longer than this takes for all of it, and leaves objects behind that the garbage collector has to end one by one.
 *
 * It looks things up in tables, so that its time depends a little on key and data through the caches of the processor. Who can run code
 * of his own on the same processor core may learn from that; where strangers can, take the platform's cipher.
 *
 * AAD must not be empty (in OSCORE it never is).
 */
export const softwareCcm: Pick<CryptoPrimitives, 'seal' | 'open'> = {
  seal({ key, nonce, aad, data }: AeadInput): Uint8Array {
    const { length } = data
    checkLengths(length, aad.length)
    const sealed = new Uint8Array(length + tagLength)
    useKey(key)
    applyKeystream(nonce, { from: data, to: sealed, length })
    computeTag(nonce, aad, { bytes: data, length })
    writeWord(sealed, length, tag.high)
    writeWord(sealed, length + 4, tag.low)
    return sealed
  },
  open({ key, nonce, aad, data }: AeadInput): Uint8Array | undefined {
    const length = data.length - tagLength
    checkLengths(length, aad.length)
    const plaintext = new Uint8Array(length)
    useKey(key)
    applyKeystream(nonce, { from: data, to: plaintext, length })
    computeTag(nonce, aad, { bytes: plaintext, length })
    // All bits at once: how much of a wrong tag is right does not show.
    const difference = (tag.high ^ wordAt(data, length)) | (tag.low ^ wordAt(data, length + 4))
    return difference === 0 ? plaintext : undefined
  },
}

function checkLengths(length: number, aadLength: number): void {
  if (length < 0 || length > LENGTH_MAX || aadLength === 0 || aadLength > AAD_MAX)
    throw new RangeError(`Failed to use AES-CCM: ${length} bytes with ${aadLength} bytes of AAD`)
}

/** Encrypts the block that is made of the flags, the nonce and a counter or length. */
function encryptNonce(flags: number, nonce: Uint8Array, last: number): void {
  encryptBlock(
    flags | (nonce[0]! << 16) | (nonce[1]! << 8) | nonce[2]!,
    wordAt(nonce, 3),
    wordAt(nonce, 7),
    (nonce[11]! << 24) | (nonce[12]! << 16) | last,
  )
}

/** Encrypts or decrypts in counter mode (section 2.3): the first block has counter 1. */
function applyKeystream(
  nonce: Uint8Array,
  { from, to, length }: { from: Uint8Array; to: Uint8Array; length: number },
): void {
  for (let at = 0, counter = 1; at < length; counter++) {
    encryptNonce(COUNTER_FLAGS, nonce, counter)
    at = applyWord(block.a, from, to, { at, length })
    at = applyWord(block.b, from, to, { at, length })
    at = applyWord(block.c, from, to, { at, length })
    at = applyWord(block.d, from, to, { at, length })
  }
}

function applyWord(
  word: number,
  from: Uint8Array,
  to: Uint8Array,
  { at, length }: { at: number; length: number },
): number {
  const end = Math.min(at + 4, length)
  for (let shift = 24, i = at; i < end; i++, shift -= 8) to[i] = from[i]! ^ (word >>> shift)
  return end
}

/** Computes the tag (section 2.2) and encrypts it with the block of counter 0. */
function computeTag(
  nonce: Uint8Array,
  aad: Uint8Array,
  { bytes, length }: { bytes: Uint8Array; length: number },
): void {
  const size = roundUp(2 + aad.length) + roundUp(length)
  if (blocks.length < size) blocks = new Uint8Array(size)
  blocks[0] = aad.length >> 8
  blocks[1] = aad.length
  let at = pad(copy(aad, aad.length, 2))
  at = pad(copy(bytes, length, at))
  encryptNonce(TAG_FLAGS, nonce, length)
  for (let start = 0; start < at; start += BLOCK) {
    encryptBlock(
      block.a ^ wordAt(blocks, start),
      block.b ^ wordAt(blocks, start + 4),
      block.c ^ wordAt(blocks, start + 8),
      block.d ^ wordAt(blocks, start + 12),
    )
  }
  const { a, b } = block
  encryptNonce(COUNTER_FLAGS, nonce, 0)
  tag.high = a ^ block.a
  tag.low = b ^ block.b
}

function copy(bytes: Uint8Array, length: number, at: number): number {
  for (let i = 0; i < length; i++) blocks[at + i] = bytes[i]!
  return at + length
}

/** Fills up with zeros to the end of the block. */
function pad(from: number): number {
  const end = roundUp(from)
  for (let at = from; at < end; at++) blocks[at] = 0
  return end
}

function roundUp(length: number): number {
  return (length + BLOCK - 1) & ~(BLOCK - 1)
}

function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24
  bytes[at + 1] = word >>> 16
  bytes[at + 2] = word >>> 8
  bytes[at + 3] = word
}
