import { unsafe } from '@noble/ciphers/aes.js'
import type { AeadInput, CryptoPrimitives } from '@pesebre/coap/oscore/crypto'

const BLOCK = 16
const NONCE_LENGTH = 13
const TAG_LENGTH = 8
/** First byte of B_0: additional data follow, M = 8, L = 2 (RFC 3610 section 2.2). */
const B0_FLAGS = 0x40 | (((TAG_LENGTH - 2) / 2) << 3) | 1
/** First byte of the counter blocks: L = 2 (section 2.3). */
const COUNTER_FLAGS = 1

// One of each for all messages: nothing here is asynchronous.
const words = new Uint32Array(BLOCK / 4)
const block = new Uint8Array(words.buffer)
const tag = new Uint8Array(BLOCK)

/** Keys whose schedule is kept: who sends often is among them. A power of two. */
const HOT_KEYS = 4096

/**
 * AES-CCM-16-64-128 (RFC 3610; COSE algorithm 10) on the AES of @noble/ciphers. Node's own CCM takes a new object of OpenSSL for
 * each message, and making and collecting those costs several times as much as all of this (BENCHMARKS.md).
 *
 * That AES looks things up in tables, so that its time depends a little on key and data, through the caches of the processor. Who can
 * run code on the gateway's own core may learn from that; over a network nobody has been seen to, and each device has a key of its own.
 */
export function createCcm(): Pick<CryptoPrimitives, 'seal' | 'open'> {
  const hot = new Array<Schedule | undefined>(HOT_KEYS)

  function scheduleOf(key: Uint8Array): Schedule {
    // Keys are random: any of their bits will do to spread them.
    const at = (key[0]! | (key[1]! << 8)) & (HOT_KEYS - 1)
    const held = hot[at]
    if (held !== undefined && begins(held, key)) return held
    const made = unsafe.expandKeyLE(key)
    hot[at] = made
    return made
  }

  function seal({ key, nonce, aad, data }: AeadInput): Uint8Array {
    check(nonce, aad, data.length)
    const schedule = scheduleOf(key)
    const sealed = new Uint8Array(data.length + TAG_LENGTH)
    computeTag(schedule, { nonce, aad, data, length: data.length })
    applyStream(schedule, nonce, { from: data, to: sealed, length: data.length })
    for (let i = 0; i < TAG_LENGTH; i++) sealed[data.length + i] = tag[i]!
    return sealed
  }

  function open({ key, nonce, aad, data }: AeadInput): Uint8Array | undefined {
    const length = data.length - TAG_LENGTH
    check(nonce, aad, length)
    const schedule = scheduleOf(key)
    const plaintext = new Uint8Array(length)
    applyStream(schedule, nonce, { from: data, to: plaintext, length })
    computeTag(schedule, { nonce, aad, data: plaintext, length })
    // Over all bytes, whatever they are: how long it takes tells nobody how much of a forged tag was right.
    let difference = 0
    for (let i = 0; i < TAG_LENGTH; i++) difference |= tag[i]! ^ data[length + i]!
    return difference === 0 ? plaintext : undefined
  }

  return { seal, open }
}

/** Whether a schedule is that of a key: it begins with it (FIPS 197 section 5.2). */
function begins(schedule: Schedule, key: Uint8Array): boolean {
  for (let i = 0; i < 4; i++) {
    const at = 4 * i
    const word = key[at]! | (key[at + 1]! << 8) | (key[at + 2]! << 16) | (key[at + 3]! << 24)
    if (schedule[i] !== word >>> 0) return false
  }
  return true
}

type Schedule = ReturnType<typeof unsafe.expandKeyLE>

/** Puts the encrypted tag into `tag`: CBC-MAC over B_0, the additional data and the plaintext (section 2.2), under S_0. */
function computeTag(
  schedule: Schedule,
  { nonce, aad, data, length }: { nonce: Uint8Array; aad: Uint8Array; data: Uint8Array; length: number },
): void {
  block[0] = B0_FLAGS
  for (let i = 0; i < NONCE_LENGTH; i++) block[1 + i] = nonce[i]!
  block[BLOCK - 2] = length >> 8
  block[BLOCK - 1] = length
  encrypt(schedule)
  // The first two bytes of the additional data's blocks are its length.
  block[0]! ^= aad.length >> 8
  block[1]! ^= aad.length
  absorb(schedule, { data: aad, length: aad.length, offset: 2 })
  absorb(schedule, { data, length, offset: 0 })
  for (let i = 0; i < TAG_LENGTH; i++) tag[i] = block[i]!
  counterBlock(schedule, nonce, 0)
  for (let i = 0; i < TAG_LENGTH; i++) tag[i]! ^= block[i]!
}

/** Chains `length` bytes of `data` into the block, zeros filling up the last one. `offset`: bytes that the block has already. */
function absorb(
  schedule: Schedule,
  { data, length, offset }: { data: Uint8Array; length: number; offset: number },
): void {
  let at = offset
  for (let i = 0; i < length; i++) {
    block[at]! ^= data[i]!
    if (++at < BLOCK) continue
    encrypt(schedule)
    at = 0
  }
  if (at > 0) encrypt(schedule)
}

/** Encrypts or decrypts `length` bytes in counter mode (section 2.3). */
function applyStream(
  schedule: Schedule,
  nonce: Uint8Array,
  { from, to, length }: { from: Uint8Array; to: Uint8Array; length: number },
): void {
  for (let start = 0, counter = 1; start < length; start += BLOCK, counter++) {
    counterBlock(schedule, nonce, counter)
    const end = Math.min(start + BLOCK, length)
    for (let i = start; i < end; i++) to[i] = from[i]! ^ block[i - start]!
  }
}

/** Puts S_counter into the block. */
function counterBlock(schedule: Schedule, nonce: Uint8Array, counter: number): void {
  block[0] = COUNTER_FLAGS
  for (let i = 0; i < NONCE_LENGTH; i++) block[1 + i] = nonce[i]!
  block[BLOCK - 2] = counter >> 8
  block[BLOCK - 1] = counter
  encrypt(schedule)
}

/** Encrypts the block in place. The library counts bytes from the lowest of a word, as all processors that Node runs on do. */
function encrypt(schedule: Schedule): void {
  const { s0, s1, s2, s3 } = unsafe.encrypt(schedule, words[0]!, words[1]!, words[2]!, words[3]!)
  words[0] = s0
  words[1] = s1
  words[2] = s2
  words[3] = s3
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
