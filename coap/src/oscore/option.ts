import { PARTIAL_IV_LENGTH_MAX, SEQUENCE_NUMBER_MAX } from './algorithms.ts'

/** What the value of the OSCORE option says (RFC 8613 section 6.1): the compressed header of the COSE object. */
export interface OscoreOption {
  /** The Sender Sequence Number of whoever made it: 0 to 2^40 - 1. Always there in requests. */
  readonly partialIv?: number | undefined
  /** The ID Context, when it is sent. At most 255 bytes. */
  readonly kidContext?: Uint8Array | undefined
  /** The Sender ID of whoever made the message. Always there in requests. */
  readonly kid?: Uint8Array | undefined
}

/** The bits of the first byte; the three lowest are the length of the Partial IV. */
const FLAG = { KID: 0x08, KID_CONTEXT: 0x10, RESERVED: 0xe0, PARTIAL_IV_LENGTH: 0x07 } as const
const NO_BYTES = new Uint8Array(0)
/** Longest value of the option (section 2). */
const VALUE_MAX = 255

/** The option's value; empty when it has nothing to say (section 2). Throws RangeError for what it cannot hold. */
export function encodeOscoreOption(option: OscoreOption): Uint8Array {
  const { partialIv, kidContext, kid } = option
  if (partialIv === undefined && kidContext === undefined && kid === undefined) return NO_BYTES
  const length = partialIv === undefined ? 0 : partialIvLength(partialIv)
  const size = 1 + length + (kidContext === undefined ? 0 : 1 + kidContext.length) + (kid?.length ?? 0)
  if (size > VALUE_MAX) throw new RangeError(`Failed to encode an OSCORE option of length: ${size}`)
  const bytes = new Uint8Array(size)
  bytes[0] = length | (kidContext === undefined ? 0 : FLAG.KID_CONTEXT) | (kid === undefined ? 0 : FLAG.KID)
  let at = 1
  if (partialIv !== undefined) at = writePartialIv(bytes, at, partialIv)
  if (kidContext !== undefined) {
    bytes[at] = kidContext.length
    bytes.set(kidContext, at + 1)
    at += 1 + kidContext.length
  }
  if (kid !== undefined) bytes.set(kid, at)
  return bytes
}

/**
 * Reads the option's value; undefined if it is malformed, which includes what the RFC forbids senders: reserved bits and lengths, a
 * Partial IV with leading zeros, a byte of no flags, bytes behind the end. Never throws. IDs share memory with `bytes`.
 */
export function decodeOscoreOption(bytes: Uint8Array): OscoreOption | undefined {
  if (bytes.length === 0) return {}
  const flags = bytes[0]!
  const length = flags & FLAG.PARTIAL_IV_LENGTH
  if (flags === 0 || (flags & FLAG.RESERVED) !== 0 || length > PARTIAL_IV_LENGTH_MAX) return undefined
  let at = 1 + length
  if (at > bytes.length) return undefined
  let partialIv: number | undefined
  if (length > 0) {
    // Only zero itself begins with a zero. Another form of the same number would be the same nonce.
    if (bytes[1] === 0 && length > 1) return undefined
    partialIv = 0
    for (let i = 1; i < at; i++) partialIv = partialIv * 256 + bytes[i]!
  }
  let kidContext: Uint8Array | undefined
  if ((flags & FLAG.KID_CONTEXT) !== 0) {
    if (at === bytes.length) return undefined
    const end = at + 1 + bytes[at]!
    if (end > bytes.length) return undefined
    kidContext = bytes.subarray(at + 1, end)
    at = end
  }
  if ((flags & FLAG.KID) !== 0) return { partialIv, kidContext, kid: bytes.subarray(at) }
  return at === bytes.length ? { partialIv, kidContext } : undefined
}

/** Bytes of a Partial IV in its only allowed form, the shortest (section 5). Throws RangeError for a number that is none. */
export function partialIvLength(partialIv: number): number {
  if (!Number.isInteger(partialIv) || partialIv < 0 || partialIv > SEQUENCE_NUMBER_MAX)
    throw new RangeError(`Failed to encode a Partial IV: ${partialIv}`)
  if (partialIv < 0x100) return 1
  if (partialIv < 0x1_0000) return 2
  if (partialIv < 0x100_0000) return 3
  return partialIv < 2 ** 32 ? 4 : 5
}

/** Writes a Partial IV, big-endian and without leading zeros, and returns where it ends. */
export function writePartialIv(bytes: Uint8Array, at: number, partialIv: number): number {
  const end = at + partialIvLength(partialIv)
  let rest = partialIv
  for (let i = end - 1; i >= at; i--) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return end
}
