import { type Cipheriv, createCipheriv, type KeyObject } from 'node:crypto'

/** AES-CCM-16-64-128 of one key (RFC 3610 with L = 2 and M = 8; COSE algorithm 10): a nonce of 13 bytes, a tag of 8. */
export type Ccm = {
  /** The ciphertext with its tag. */
  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array
  /** The plaintext, undefined when the tag does not fit. `sealed` is at least as long as a tag. */
  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined
}

const BLOCK = 16
const NONCE_LENGTH = 13
const TAG_LENGTH = 8
/** First byte of B_0: additional data follow, M = 8, L = 2. */
const B0_FLAGS = 0x40 | (((TAG_LENGTH - 2) / 2) << 3) | 1
/** First byte of the counter blocks: L = 2. */
const COUNTER_FLAGS = 1
const ZEROS = Buffer.alloc(BLOCK)

/**
 * CCM put together from two block ciphers of OpenSSL that live as long as the key is in use: CBC for the MAC, ECB for the counter
 * blocks. Node's own CCM takes a new cipher object for each message, and with it most of the time of a message goes into making
 * and collecting those; this is three times as fast. Only for keys that are used again and again, since it begins with two objects.
 */
export function createCcm(key: KeyObject): Ccm {
  const mac: Cipheriv = createCipheriv('aes-128-cbc', key, ZEROS)
  const blocks: Cipheriv = createCipheriv('aes-128-ecb', key, null)
  // What the next block is chained to. A MAC begins with zeros, so this is taken out of its first block again.
  let chained: Uint8Array = ZEROS

  /** CBC-MAC over B_0, the additional data and the plaintext (RFC 3610 section 2.2). The first 8 bytes count. */
  function macOf(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const start = BLOCK + padded(2 + aad.length)
    const input = Buffer.alloc(start + padded(plaintext.length))
    input[0] = B0_FLAGS
    input.set(nonce, 1)
    input[BLOCK - 2] = plaintext.length >> 8
    input[BLOCK - 1] = plaintext.length
    input[BLOCK] = aad.length >> 8
    input[BLOCK + 1] = aad.length
    input.set(aad, BLOCK + 2)
    input.set(plaintext, start)
    for (let i = 0; i < BLOCK; i++) input[i]! ^= chained[i]!
    chained = mac.update(input).subarray(-BLOCK)
    return chained
  }

  /** The encrypted counter blocks A_0, for the tag, and A_1 and following, for the text (section 2.3). */
  function streamOf(nonce: Uint8Array, length: number): Uint8Array {
    const input = Buffer.alloc(BLOCK + padded(length))
    for (let at = 0, counter = 0; at < input.length; at += BLOCK, counter++) {
      input[at] = COUNTER_FLAGS
      input.set(nonce, at + 1)
      input[at + BLOCK - 2] = counter >> 8
      input[at + BLOCK - 1] = counter
    }
    return blocks.update(input)
  }

  function seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    check(nonce, aad, plaintext.length)
    const tag = macOf(nonce, aad, plaintext)
    const stream = streamOf(nonce, plaintext.length)
    const sealed = new Uint8Array(plaintext.length + TAG_LENGTH)
    for (let i = 0; i < plaintext.length; i++) sealed[i] = plaintext[i]! ^ stream[BLOCK + i]!
    for (let i = 0; i < TAG_LENGTH; i++) sealed[plaintext.length + i] = tag[i]! ^ stream[i]!
    return sealed
  }

  function open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    const length = sealed.length - TAG_LENGTH
    check(nonce, aad, length)
    const stream = streamOf(nonce, length)
    const plaintext = new Uint8Array(length)
    for (let i = 0; i < length; i++) plaintext[i] = sealed[i]! ^ stream[BLOCK + i]!
    const tag = macOf(nonce, aad, plaintext)
    // Over all bytes, whatever they are: how long it takes tells nobody how much of a forged tag was right.
    let difference = 0
    for (let i = 0; i < TAG_LENGTH; i++) difference |= tag[i]! ^ stream[i]! ^ sealed[length + i]!
    return difference === 0 ? plaintext : undefined
  }

  return { seal, open }
}

function padded(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK
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
