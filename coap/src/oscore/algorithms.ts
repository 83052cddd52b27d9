/**
 * The algorithms of a security context, by the names they have in RFC 8613 section 3.2 and the COSE registry. Both are the ones that
 * every implementation must have, and the only ones here.
 */

/** An AEAD algorithm. Lengths in bytes. */
export interface AeadAlgorithm {
  readonly name: string
  /** Number in the registry "COSE Algorithms", as it goes into the key derivation and the additional authenticated data. */
  readonly id: number
  readonly keyLength: number
  readonly nonceLength: number
  readonly tagLength: number
}

/** AEAD algorithms (RFC 9053 section 4.2). */
export const AEAD = {
  AES_CCM_16_64_128: { name: 'AES-CCM-16-64-128', id: 10, keyLength: 16, nonceLength: 13, tagLength: 8 },
} as const satisfies Record<string, AeadAlgorithm>

/** HKDF algorithms (RFC 9053 section 5.1). */
export const HKDF = {
  HKDF_SHA_256: { name: 'HKDF SHA-256', id: -10 },
} as const

/** The version of OSCORE that goes into the additional authenticated data (RFC 8613 section 5.4). */
export const OSCORE_VERSION = 1

/** Longest Partial IV, bytes (section 6.1). */
export const PARTIAL_IV_LENGTH_MAX = 5

/** Highest Sender Sequence Number (section 7.2.1). */
export const SEQUENCE_NUMBER_MAX = 2 ** 40 - 1

/** Longest Sender ID or Recipient ID, bytes: what the nonce has room for (section 3.3). */
export const ID_LENGTH_MAX = AEAD.AES_CCM_16_64_128.nonceLength - PARTIAL_IV_LENGTH_MAX - 1
