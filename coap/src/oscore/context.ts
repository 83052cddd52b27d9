import { aadOf } from './aad.ts'
import { AEAD } from './algorithms.ts'
import type { CryptoPrimitives } from './crypto.ts'
import { type DerivedKeys, deriveKeys, type InputParameters } from './key-derivation.ts'
import { applyNonceParts } from './nonce.ts'

const { keyLength, nonceLength, tagLength } = AEAD.AES_CCM_16_64_128
const IV_AT = 2 * keyLength
const ID_AT = IV_AT + nonceLength
// Keys and nonces on their way into the cipher. One set for all: nothing here is asynchronous.
const key = new Uint8Array(keyLength)
const nonce = new Uint8Array(nonceLength)

/** Which nonce: a Partial IV, and the endpoint that made it, as this context sees it. */
export interface NonceChoice {
  readonly partialIv: number
  /** `sender`: we made the Partial IV; `recipient`: the other endpoint did. */
  readonly madeBy: 'sender' | 'recipient'
}

/**
 * What does not change of a security context (RFC 8613 section 3.1): IDs and keys. The Sender Sequence Number and the replay window
 * are held beside it (sender-sequence, replay-window), since they have to survive what it need not.
 *
 * It is made to be kept a hundred thousand times: the secrets and the Recipient ID are one small array; Sender ID and ID Context
 * are kept as given, so that contexts can share them. Its secrets do not show when it is printed.
 */
export class SecurityContext {
  readonly senderId: Uint8Array
  readonly idContext: Uint8Array | undefined
  readonly #crypto: CryptoPrimitives
  /** Sender Key, Recipient Key, Common IV, Recipient ID. */
  readonly #bytes: Uint8Array

  /** `deriveSecurityContext` makes one. */
  constructor(parameters: InputParameters, keys: DerivedKeys, crypto: CryptoPrimitives) {
    this.senderId = parameters.senderId
    this.idContext = parameters.idContext
    this.#crypto = crypto
    this.#bytes = new Uint8Array(ID_AT + parameters.recipientId.length)
    this.#bytes.set(keys.senderKey)
    this.#bytes.set(keys.recipientKey, keyLength)
    this.#bytes.set(keys.commonIv, IV_AT)
    this.#bytes.set(parameters.recipientId, ID_AT)
  }

  get recipientId(): Uint8Array {
    return this.#bytes.slice(ID_AT)
  }

  /** The additional authenticated data of a request by its Partial IV, and of every response to it; good until the next call. */
  aadOf({ partialIv, madeBy }: NonceChoice): Uint8Array {
    if (madeBy === 'sender') return aadOf({ kid: this.senderId, partialIv })
    return aadOf({ kid: this.#bytes, kidAt: ID_AT, partialIv })
  }

  /**
   * Encrypts with the Sender Key. What it returns is good until the next call. Only `protectRequest` and `protectResponse` may call it: they are what keeps a nonce from being
   * used twice.
   */
  encrypt(choice: NonceChoice, aad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    this.#load(0, choice)
    return this.#crypto.seal({ key, nonce, aad, data: plaintext })
  }

  /** Decrypts with the Recipient Key; undefined if that fails. What it returns is good until the next call. */
  decrypt(choice: NonceChoice, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array | undefined {
    if (ciphertext.length <= tagLength) return undefined
    this.#load(keyLength, choice)
    return this.#crypto.open({ key, nonce, aad, data: ciphertext })
  }

  #load(keyAt: number, { partialIv, madeBy }: NonceChoice): void {
    const bytes = this.#bytes
    for (let at = 0; at < keyLength; at++) key[at] = bytes[keyAt + at]!
    for (let at = 0; at < nonceLength; at++) nonce[at] = bytes[IV_AT + at]!
    if (madeBy === 'sender') applyNonceParts(nonce, partialIv, { bytes: this.senderId, from: 0 })
    else applyNonceParts(nonce, partialIv, { bytes, from: ID_AT })
  }
}

/**
 * Derives the security context of one endpoint; the other's has Sender and Recipient ID exchanged (section 3.2). Costs three runs of
 * HKDF. Throws RangeError for parameters that cannot be used, as `deriveKeys` does.
 */
export function deriveSecurityContext(
  parameters: InputParameters,
  crypto: CryptoPrimitives,
): SecurityContext {
  return new SecurityContext(parameters, deriveKeys(parameters, crypto), crypto)
}
