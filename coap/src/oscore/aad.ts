import { AEAD, ID_LENGTH_MAX, OSCORE_VERSION, PARTIAL_IV_LENGTH_MAX } from './algorithms.ts'
import { array, byteString, concat, integer, textString } from './cbor.ts'
import { partialIvLength, writePartialIv } from './option.ts'

/** What binds a message to one request (RFC 8613 section 5.4). */
export interface RequestIdentity {
  /** `kid` of the request: the Sender ID of the client. At most 7 bytes. */
  readonly kid: Uint8Array
  /** Where it begins in `kid`, and goes on to the end; default 0. */
  readonly kidAt?: number | undefined
  /** Partial IV of the request. */
  readonly partialIv: number
}

/**
 * The additional authenticated data of a request, and of every response to it: the `Enc_structure` of COSE around `external_aad`. Good
 * until the next call: it takes less time to write the few bytes that differ again than to keep them with each request.
 */
export function aadOf({ kid, kidAt = 0, partialIv }: RequestIdentity): Uint8Array {
  const pivLength = partialIvLength(partialIv)
  const kidLength = kid.length - kidAt
  const idsLength = kidLength + pivLength
  const aad = byIdsLength[idsLength]!
  let at = IDS_AT
  aad[at++] = BYTE_STRING | kidLength
  for (let i = kidAt; i < kid.length; i++) aad[at++] = kid[i]!
  aad[at++] = BYTE_STRING | pivLength
  at = writePartialIv(aad, at, partialIv)
  // Class I options: there are none.
  aad[at] = BYTE_STRING
  return aad
}

/** What is the same in all of that length. All lengths are below 24, so that the head of a byte string is one byte. */
function blank(idsLength: number): Uint8Array {
  const arrayLength = ARRAY_START.length + 1 + idsLength + 1 + 1
  return concat([
    STRUCTURE_START,
    Uint8Array.of(BYTE_STRING | arrayLength),
    ARRAY_START,
    new Uint8Array(idsLength + 3),
  ])
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
/** Where the kid begins: behind the head of external_aad and the beginning of the array in it. */
const IDS_AT = STRUCTURE_START.length + 1 + ARRAY_START.length
/** One for each length that kid and Partial IV have together. */
const byIdsLength = Array.from({ length: ID_LENGTH_MAX + PARTIAL_IV_LENGTH_MAX + 1 }, (_, length) =>
  blank(length),
)
