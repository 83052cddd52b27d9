/** AES-128 (FIPS 197), encryption only: all that CCM needs. Blocks are four words, big-endian. */

const ROUNDS = 10
const SCHEDULE = 4 * (ROUNDS + 1)
/** SubBytes (section 5.1.1), and the first column of SubBytes and MixColumns in one: the others are rotations of it. */
const SUBSTITUTED = new Uint8Array(256)
const MIXED = new Int32Array(256)
fillTables()

const schedule = new Int32Array(SCHEDULE)

/** What `encryptBlock` has made, until its next call. One set for all: nothing here is asynchronous. */
export const block = { a: 0, b: 0, c: 0, d: 0 }

/** Makes ready to encrypt with a key of 16 bytes (section 5.2), until the next call. */
export function useKey(key: Uint8Array): void {
  for (let at = 0; at < 4; at++) schedule[at] = wordAt(key, 4 * at)
  let roundConstant = 1
  for (let at = 4; at < SCHEDULE; at++) {
    let word = schedule[at - 1]!
    if ((at & 3) === 0) {
      word = rotatedSubstitution(word) ^ (roundConstant << 24)
      roundConstant = doubled(roundConstant)
    }
    schedule[at] = schedule[at - 4]! ^ word
  }
}

/** Encrypts one block into `block` (section 5.1). */
export function encryptBlock(a: number, b: number, c: number, d: number): void {
  let s0 = a ^ schedule[0]!
  let s1 = b ^ schedule[1]!
  let s2 = c ^ schedule[2]!
  let s3 = d ^ schedule[3]!
  let at = 4
  for (; at < 4 * ROUNDS; at += 4) {
    const t0 = mix(s0, s1, s2, s3) ^ schedule[at]!
    const t1 = mix(s1, s2, s3, s0) ^ schedule[at + 1]!
    const t2 = mix(s2, s3, s0, s1) ^ schedule[at + 2]!
    s3 = mix(s3, s0, s1, s2) ^ schedule[at + 3]!
    s0 = t0
    s1 = t1
    s2 = t2
  }
  block.a = substitute(s0, s1, s2, s3) ^ schedule[at]!
  block.b = substitute(s1, s2, s3, s0) ^ schedule[at + 1]!
  block.c = substitute(s2, s3, s0, s1) ^ schedule[at + 2]!
  block.d = substitute(s3, s0, s1, s2) ^ schedule[at + 3]!
}

/** Four bytes as a signed word, big-endian. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

/** SubBytes, ShiftRows and MixColumns for one column. */
function mix(w0: number, w1: number, w2: number, w3: number): number {
  const x1 = MIXED[(w1 >>> 16) & 0xff]!
  const x2 = MIXED[(w2 >>> 8) & 0xff]!
  const x3 = MIXED[w3 & 0xff]!
  return (
    MIXED[w0 >>> 24]! ^ ((x1 >>> 8) | (x1 << 24)) ^ ((x2 >>> 16) | (x2 << 16)) ^ ((x3 >>> 24) | (x3 << 8))
  )
}

/** SubBytes and ShiftRows for one column. */
function substitute(w0: number, w1: number, w2: number, w3: number): number {
  return (
    (SUBSTITUTED[w0 >>> 24]! << 24) |
    (SUBSTITUTED[(w1 >>> 16) & 0xff]! << 16) |
    (SUBSTITUTED[(w2 >>> 8) & 0xff]! << 8) |
    SUBSTITUTED[w3 & 0xff]!
  )
}

/** RotWord and SubWord (section 5.2). */
function rotatedSubstitution(word: number): number {
  const rotated = (word << 8) | (word >>> 24)
  return substitute(rotated, rotated, rotated, rotated)
}

/** Times x in GF(2^8) (section 4.2.1). */
function doubled(byte: number): number {
  return ((byte << 1) ^ ((byte & 0x80) === 0 ? 0 : 0x11b)) & 0xff
}

/** SubBytes as section 5.1.1 defines it: the inverse in GF(2^8), then an affine map. 3 generates all that have an inverse. */
function fillTables(): void {
  let power = 1
  let inverse = 1
  do {
    power ^= doubled(power)
    // Divided by 3, which is the same as times 0xf6.
    inverse ^= inverse << 1
    inverse ^= inverse << 2
    inverse ^= inverse << 4
    inverse &= 0xff
    if ((inverse & 0x80) !== 0) inverse ^= 0x09
    const twice = inverse | (inverse << 8)
    SUBSTITUTED[power] = 0x63 ^ twice ^ (twice >>> 7) ^ (twice >>> 6) ^ (twice >>> 5) ^ (twice >>> 4)
  } while (power !== 1)
  // Zero has no inverse.
  SUBSTITUTED[0] = 0x63
  for (let byte = 0; byte < 256; byte++) {
    const s = SUBSTITUTED[byte]!
    MIXED[byte] = (doubled(s) << 24) | (s << 16) | (s << 8) | (doubled(s) ^ s)
  }
}
