import { AEAD, OSCORE_VERSION } from './algorithms.ts'
import { array, byteString, concat, integer, textString } from './cbor.ts'
import { partialIvLength, writePartialIv } from './option.ts'

/** What binds a message to one request (RFC 8613 section 5.4). */
export interface RequestIdentity {
  /** `kid` of the request: the Sender ID of the client. At most 7 bytes. */
  readonly kid: Uint8Array
  /** Partial IV of the request. */
  readonly partialIv: number
}

/** The additional authenticated data of a request, and of every response to it: the `Enc_structure` of COSE around `external_aad`. */
export function aadOf({ kid, partialIv }: RequestIdentity): Uint8Array {
  const pivLength = partialIvLength(partialIv)
  const arrayLength = ARRAY_START.length + 1 + kid.length + 1 + pivLength + 1
  const aad = new Uint8Array(STRUCTURE_START.length + 1 + arrayLength)
  aad.set(STRUCTURE_START)
  let at = STRUCTURE_START.length
  // All lengths are below 24, so that the head of a byte string is one byte.
  aad[at++] = BYTE_STRING | arrayLength
  aad.set(ARRAY_START, at)
  at += ARRAY_START.length
  aad[at++] = BYTE_STRING | kid.length
  aad.set(kid, at)
  at += kid.length
  aad[at++] = BYTE_STRING | pivLength
  at = writePartialIv(aad, at, partialIv)
  // Class I options: there are none.
  aad[at] = BYTE_STRING
  return aad
}

const BYTE_STRING = 0x40
/** `Enc_structure` up to external_aad: its head, "Encrypt0" and the empty protected header. */
const STRUCTURE_START = concat([Uint8Array.of(0x83), textString('Encrypt0'), byteString(new Uint8Array(0))])
/** `aad_array` up to request_kid: its head, the version and the algorithms. */
const ARRAY_START = concat([
  Uint8Array.of(0x85),
  integer(OSCORE_VERSION),
  array(integer(AEAD.AES_CCM_16_64_128.id)),
])
