import { EMPTY, isReserved } from './codes.ts'
import { OPTION_NUMBER_MAX, OPTIONS_MAX, TOKEN_MAX } from './parameters.ts'

/** What makes a datagram something other than a CoAP message that may be acted on. */
export const MALFORMED = [
  /** No bytes at all, or fewer than the four of the header. */
  'short',
  /** Version other than 1 (RFC 7252 section 3: must be silently ignored). */
  'version',
  /** Token length 9 to 15 (section 3). */
  'token-length',
  /** The token runs past the end. */
  'token-end',
  /** Code 0.00 followed by a token, options or a payload (section 4.1). */
  'empty-with-content',
  /** Code of class 1, 6 or 7 (section 12.1). */
  'reserved-code',
  /** Option delta or length 15 outside the payload marker (section 3.1). */
  'option-nibble',
  /** An option's header or value runs past the end. */
  'option-end',
  /** Option number above 65535. */
  'option-number',
  /** More options than OPTIONS_MAX: our own limit. */
  'too-many-options',
  /** A payload marker with nothing behind it (section 3). */
  'payload-empty',
] as const
export type Malformed = (typeof MALFORMED)[number]

/** Where the parts of one datagram are, as indexes into it. Reused from datagram to datagram: nothing is copied. */
export interface Scan {
  type: number
  code: number
  messageId: number
  /** The token is `bytes[4, tokenEnd)`. */
  tokenEnd: number
  optionCount: number
  /** Option `i` has `numbers[i]` and the value `bytes[starts[i], ends[i])`. */
  readonly numbers: Int32Array
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** The payload is `bytes[payloadStart, bytes.length)`. */
  payloadStart: number
}

export function createScan(): Scan {
  return {
    type: 0,
    code: 0,
    messageId: 0,
    tokenEnd: 4,
    optionCount: 0,
    numbers: new Int32Array(OPTIONS_MAX),
    starts: new Int32Array(OPTIONS_MAX),
    ends: new Int32Array(OPTIONS_MAX),
    payloadStart: 4,
  }
}

/**
 * Finds the parts of a datagram in one pass (RFC 7252 section 3). Returns what is wrong with it, or undefined; never throws.
 * Type, code and message id are filled in even for a malformed message, once version and length allow it.
 */
export function scan(bytes: Uint8Array, into: Scan): Malformed | undefined {
  const size = bytes.length
  if (size < 4) return 'short'
  const first = bytes[0]!
  if (first >> 6 !== 1) return 'version'
  const code = bytes[1]!
  into.type = (first >> 4) & 3
  into.code = code
  into.messageId = (bytes[2]! << 8) | bytes[3]!
  into.optionCount = 0
  const tokenLength = first & 15
  if (tokenLength > TOKEN_MAX) return 'token-length'
  if (code === EMPTY) {
    into.tokenEnd = 4
    into.payloadStart = 4
    return size === 4 && tokenLength === 0 ? undefined : 'empty-with-content'
  }
  if (isReserved(code)) return 'reserved-code'
  const tokenEnd = 4 + tokenLength
  if (tokenEnd > size) return 'token-end'
  into.tokenEnd = tokenEnd
  return scanOptions(bytes, into)
}

function scanOptions(bytes: Uint8Array, into: Scan): Malformed | undefined {
  const size = bytes.length
  let at = into.tokenEnd
  let number = 0
  let count = 0
  while (at < size) {
    const head = bytes[at++]!
    if (head === 0xff) {
      if (at === size) return 'payload-empty'
      break
    }
    let delta = head >> 4
    let length = head & 15
    if (delta === 15 || length === 15) return 'option-nibble'
    if (delta === 13) {
      if (at >= size) return 'option-end'
      delta = bytes[at++]! + 13
    } else if (delta === 14) {
      if (at + 1 >= size) return 'option-end'
      delta = ((bytes[at]! << 8) | bytes[at + 1]!) + 269
      at += 2
    }
    if (length === 13) {
      if (at >= size) return 'option-end'
      length = bytes[at++]! + 13
    } else if (length === 14) {
      if (at + 1 >= size) return 'option-end'
      length = ((bytes[at]! << 8) | bytes[at + 1]!) + 269
      at += 2
    }
    number += delta
    if (number > OPTION_NUMBER_MAX) return 'option-number'
    const end = at + length
    if (end > size) return 'option-end'
    if (count === OPTIONS_MAX) return 'too-many-options'
    into.numbers[count] = number
    into.starts[count] = at
    into.ends[count] = end
    count++
    at = end
  }
  into.optionCount = count
  into.payloadStart = at
  return undefined
}
