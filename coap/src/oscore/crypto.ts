/**
 * The cryptography that OSCORE stands on, passed in by the caller so that this package is bound to no runtime. All functions are
 * synchronous. Bytes that they are given are only theirs during the call: the next call writes into the same memory. And what `seal`
 * and `open` return is only good until the next call of either, so that they may do the same.
 */
export interface CryptoPrimitives {
  /** HKDF-SHA-256, both steps (RFC 5869). */
  hkdf(input: HkdfInput): Uint8Array
  /** AES-CCM-16-64-128: the ciphertext followed by the tag of 8 bytes. */
  seal(input: AeadInput): Uint8Array
  /** The plaintext, or undefined when the tag does not fit. `data` is never shorter than the tag. */
  open(input: AeadInput): Uint8Array | undefined
}

export interface HkdfInput {
  /** May be empty. */
  readonly salt: Uint8Array
  readonly secret: Uint8Array
  readonly info: Uint8Array
  /** Bytes wanted. */
  readonly length: number
}

export interface AeadInput {
  /** 16 bytes. */
  readonly key: Uint8Array
  /** 13 bytes. */
  readonly nonce: Uint8Array
  readonly aad: Uint8Array
  /** The plaintext to seal, or the ciphertext with its tag to open. */
  readonly data: Uint8Array
}
