import { AEAD, ID_LENGTH_MAX } from './algorithms.ts'
import { array, byteString, integer, nil, textString } from './cbor.ts'
import type { CryptoPrimitives } from './crypto.ts'

const aead = AEAD.AES_CCM_16_64_128
const NO_BYTES = new Uint8Array(0)

/** What both endpoints have to agree on beforehand (RFC 8613 section 3.2). Sender and Recipient ID change places between them. */
export interface InputParameters {
  /** Secret and with much randomness; 16 bytes or more are usual. */
  readonly masterSecret: Uint8Array
  /** Empty by default. */
  readonly masterSalt?: Uint8Array | undefined
  /** 0 to 7 bytes. The quartet of secret, salt, ID Context and Sender ID must not occur twice (section 3.3). */
  readonly senderId: Uint8Array
  /** 0 to 7 bytes, different from the Sender ID. */
  readonly recipientId: Uint8Array
  /** Not provided is something else than empty. */
  readonly idContext?: Uint8Array | undefined
}

/** The secrets of one security context (section 3.1). */
export interface DerivedKeys {
  /** 16 bytes. */
  readonly senderKey: Uint8Array
  /** 16 bytes. */
  readonly recipientKey: Uint8Array
  /** 13 bytes. */
  readonly commonIv: Uint8Array
}

/**
 * Derives Sender Key, Recipient Key and Common IV (section 3.2.1). Throws RangeError for parameters that cannot be used: an ID of
 * more than 7 bytes, two equal IDs (both sides would encrypt with one key and the same nonces), or no Master Secret.
 */
export function deriveKeys(parameters: InputParameters, crypto: CryptoPrimitives): DerivedKeys {
  const { masterSecret, masterSalt = NO_BYTES, senderId, recipientId, idContext } = parameters
  checkId(senderId)
  checkId(recipientId)
  if (isSame(senderId, recipientId))
    throw new RangeError('Failed to derive keys: Sender and Recipient ID are the same')
  if (masterSecret.length === 0) throw new RangeError('Failed to derive keys: the Master Secret is empty')
  const derive = (id: Uint8Array, type: 'Key' | 'IV'): Uint8Array => {
    const length = type === 'Key' ? aead.keyLength : aead.nonceLength
    return crypto.hkdf({ salt: masterSalt, secret: masterSecret, info: infoOf(id, idContext, type), length })
  }
  return {
    senderKey: derive(senderId, 'Key'),
    recipientKey: derive(recipientId, 'Key'),
    commonIv: derive(NO_BYTES, 'IV'),
  }
}

/** `info` of the key derivation: the CBOR array that tells the three outputs apart (section 3.2.1). */
export function infoOf(id: Uint8Array, idContext: Uint8Array | undefined, type: 'Key' | 'IV'): Uint8Array {
  return array(
    byteString(id),
    idContext === undefined ? nil() : byteString(idContext),
    integer(aead.id),
    textString(type),
    integer(type === 'Key' ? aead.keyLength : aead.nonceLength),
  )
}

/** Whether two byte strings are the same. Not for secrets: it stops at the first difference. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false
  return true
}

function checkId(id: Uint8Array): void {
  if (id.length > ID_LENGTH_MAX) throw new RangeError(`Failed to derive keys: ID of ${id.length} bytes`)
}
