import { AEAD, PARTIAL_IV_LENGTH_MAX } from './algorithms.ts'

const { nonceLength } = AEAD.AES_CCM_16_64_128

/** What a nonce is made of (RFC 8613 section 5.2). */
export interface NonceParts {
  /** 13 bytes. */
  readonly commonIv: Uint8Array
  /** Sender ID of the endpoint that made the Partial IV. */
  readonly id: Uint8Array
  /** The Partial IV as a number. */
  readonly partialIv: number
}

/** The AEAD nonce: size of the ID, the ID and the Partial IV, each padded on the left, XOR the Common IV. */
export function nonceOf({ commonIv, id, partialIv }: NonceParts): Uint8Array {
  const nonce = commonIv.slice(0, nonceLength)
  applyNonceParts(nonce, partialIv, { bytes: id, from: 0 })
  return nonce
}

/** Makes a nonce of the Common IV that `nonce` holds. The ID is in `bytes`, from `from` to the end. */
export function applyNonceParts(
  nonce: Uint8Array,
  partialIv: number,
  { bytes, from }: { readonly bytes: Uint8Array; readonly from: number },
): void {
  const idLength = bytes.length - from
  nonce[0]! ^= idLength
  const idEnd = nonceLength - PARTIAL_IV_LENGTH_MAX
  for (let at = 0; at < idLength; at++) nonce[idEnd - idLength + at]! ^= bytes[from + at]!
  // 40 bits: the upper 8 are beyond what the bit operators reach.
  nonce[idEnd]! ^= Math.floor(partialIv / 2 ** 32)
  nonce[idEnd + 1]! ^= partialIv >>> 24
  nonce[idEnd + 2]! ^= partialIv >>> 16
  nonce[idEnd + 3]! ^= partialIv >>> 8
  nonce[idEnd + 4]! ^= partialIv
}
