/**
 * A keyed digest of a peer and a datagram: HalfSipHash-1-3 (SipHash of Aumasson and Bernstein on 32-bit words, as Linux has it
 * for its hash tables), 64 bits of output. Keyed, so that nobody who does not know the seed can prepare two datagrams that
 * count as one, or fill one bucket of a table.
 */
export interface Digest {
  /** The two halves of the digest of the last `update`, as signed 32-bit integers. */
  low: number
  high: number
  /** A hash of the peer alone, a signed 32-bit integer. */
  peer: number
  /** Digests the address, the port and all of `bytes`. */
  update(address: string, port: number, bytes: Uint8Array): void
}

/** Longest textual IPv6 address with a zone; a longer one is digested by its beginning and its length. */
const ADDRESS_MAX = 64

/** `seed` has 8 bytes or more; the first 8 are the key. */
export function createDigest(seed: Uint8Array): Digest {
  const key0 = word(seed, 0)
  const key1 = word(seed, 4)
  const state = new Int32Array(4)
  const letters = new Uint8Array(ADDRESS_MAX)
  return {
    low: 0,
    high: 0,
    peer: 0,
    update(address, port, bytes) {
      state[0] = key0
      state[1] = key1 ^ 0xee
      state[2] = key0 ^ 0x6c796765
      state[3] = key1 ^ 0x74656462
      const length = Math.min(address.length, ADDRESS_MAX - 4)
      for (let at = 0; at < length; at++) letters[at] = address.charCodeAt(at)
      // Port and length go in behind the address, so that no address can run into the bytes of another's datagram.
      letters[length] = port
      letters[length + 1] = port >> 8
      letters[length + 2] = address.length
      letters[length + 3] = 0xff
      absorb(state, letters, length + 4)
      this.peer = Math.imul(state[0] ^ state[1] ^ state[2] ^ state[3], 0x9e3779b1)
      absorb(state, bytes, bytes.length)
      state[2]! ^= 0xee
      this.low = squeeze(state)
      state[1]! ^= 0xdd
      this.high = squeeze(state)
    },
  }
}

/** One round for each word, the last one padded with zeros and the length. */
function absorb(state: Int32Array, bytes: Uint8Array, length: number): void {
  let v0 = state[0]!
  let v1 = state[1]!
  let v2 = state[2]!
  let v3 = state[3]!
  const whole = length & ~3
  let at = 0
  let m = 0
  do {
    if (at < whole) {
      m = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    } else {
      m = length << 24
      if (at < length) m |= bytes[at]!
      if (at + 1 < length) m |= bytes[at + 1]! << 8
      if (at + 2 < length) m |= bytes[at + 2]! << 16
    }
    at += 4
    v3 ^= m
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= m
  } while (at <= whole)
  state[0] = v0
  state[1] = v1
  state[2] = v2
  state[3] = v3
}

/** Three rounds and one word of output. */
function squeeze(state: Int32Array): number {
  let v0 = state[0]!
  let v1 = state[1]!
  let v2 = state[2]!
  let v3 = state[3]!
  for (let round = 0; round < 3; round++) {
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
  }
  state[0] = v0
  state[1] = v1
  state[2] = v2
  state[3] = v3
  return v1 ^ v3
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}
