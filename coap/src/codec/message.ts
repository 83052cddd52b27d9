import { EMPTY, isReserved } from './codes.ts'
import { OPTION_NUMBER_MAX, TOKEN_MAX } from './parameters.ts'
import { createScan, type Malformed, scan } from './scan.ts'

/** Message types (RFC 7252 section 3). */
export const TYPE = { CON: 0, NON: 1, ACK: 2, RST: 3 } as const

/** One option: its number and the bytes of its value. */
export interface Option {
  readonly number: number
  readonly value: Uint8Array
}

/** One CoAP message. What `decode` returns shares its bytes with the datagram. */
export interface Message {
  /** 0 CON, 1 NON, 2 ACK, 3 RST. */
  readonly type: number
  readonly code: number
  /** 0 to 65535. */
  readonly messageId: number
  /** 0 to 8 bytes. */
  readonly token: Uint8Array
  /** In order of number when decoded; `encode` takes any order and keeps that of equal numbers. */
  readonly options: readonly Option[]
  readonly payload: Uint8Array
}

export type Decoded =
  | { readonly ok: true; readonly message: Message }
  | { readonly ok: false; readonly reason: Malformed }

/** Longest value that an option header can announce: 65535 + 269. */
const VALUE_MAX = 65_804
const NO_OPTIONS: readonly Option[] = []
const scratch = createScan()

/** Reads a datagram. Never throws: a datagram that is not a CoAP message comes back with the reason. */
export function decode(bytes: Uint8Array): Decoded {
  const reason = scan(bytes, scratch)
  if (reason !== undefined) return { ok: false, reason }
  const { type, code, messageId, tokenEnd, optionCount, numbers, starts, ends, payloadStart } = scratch
  const options: Option[] = []
  for (let i = 0; i < optionCount; i++) {
    options.push({ number: numbers[i]!, value: bytes.subarray(starts[i]!, ends[i]!) })
  }
  const token = bytes.subarray(4, tokenEnd)
  return {
    ok: true,
    message: { type, code, messageId, token, options, payload: bytes.subarray(payloadStart) },
  }
}

/**
 * Writes a message. Throws RangeError for one that RFC 7252 section 3 does not allow, since making such a message is a
 * mistake of the caller. Values are written as they are: it does not look at what an option's definition allows.
 */
export function encode(message: Message): Uint8Array {
  const options = inOrder(message.options)
  const bytes = new Uint8Array(encodedSize(message, options))
  write(message, options, bytes)
  return bytes
}

/** Bytes that `message` takes, with its options already in order. Throws as `encode` does. */
export function encodedSize(message: Message, options: readonly Option[]): number {
  const { type, code, messageId, token, payload } = message
  if (!isUpTo(type, 3)) throw new RangeError(`Failed to encode a message of type: ${type}`)
  if (!isUpTo(code, 0xff) || isReserved(code))
    throw new RangeError(`Failed to encode a message of code: ${code}`)
  if (!isUpTo(messageId, 0xffff))
    throw new RangeError(`Failed to encode a message with message id: ${messageId}`)
  if (token.length > TOKEN_MAX) throw new RangeError(`Failed to encode a token of length: ${token.length}`)
  if (code === EMPTY && token.length + options.length + payload.length > 0) {
    throw new RangeError('Failed to encode an empty message: it has a token, options or a payload')
  }
  let size = 4 + token.length + (payload.length === 0 ? 0 : 1 + payload.length)
  let previous = 0
  for (const { number, value } of options) {
    if (!isUpTo(number, OPTION_NUMBER_MAX))
      throw new RangeError(`Failed to encode an option of number: ${number}`)
    if (value.length > VALUE_MAX)
      throw new RangeError(`Failed to encode an option of length: ${value.length}`)
    size += 1 + extension(number - previous) + extension(value.length) + value.length
    previous = number
  }
  return size
}

/** The options in order of their numbers; those of one number stay in the order they came in. */
export function inOrder(options: readonly Option[]): readonly Option[] {
  if (options.length === 0) return NO_OPTIONS
  for (let i = 1; i < options.length; i++) {
    if (options[i - 1]!.number > options[i]!.number) return options.toSorted((a, b) => a.number - b.number)
  }
  return options
}

/** Writes into `bytes`, which has exactly `encodedSize` bytes. */
export function write(message: Message, options: readonly Option[], bytes: Uint8Array): void {
  const { type, code, messageId, token, payload } = message
  bytes[0] = 0x40 | (type << 4) | token.length
  bytes[1] = code
  bytes[2] = messageId >> 8
  bytes[3] = messageId & 0xff
  bytes.set(token, 4)
  let at = 4 + token.length
  let previous = 0
  for (const { number, value } of options) {
    const delta = number - previous
    bytes[at] = (nibble(delta) << 4) | nibble(value.length)
    at = writeExtension(bytes, at + 1, delta)
    at = writeExtension(bytes, at, value.length)
    bytes.set(value, at)
    at += value.length
    previous = number
  }
  if (payload.length === 0) return
  bytes[at] = 0xff
  bytes.set(payload, at + 1)
}

/** The four bits of an option header for a delta or a length (RFC 7252 section 3.1). */
function nibble(value: number): number {
  return value < 13 ? value : value < 269 ? 13 : 14
}

function extension(value: number): number {
  return value < 13 ? 0 : value < 269 ? 1 : 2
}

function writeExtension(bytes: Uint8Array, at: number, value: number): number {
  if (value < 13) return at
  if (value < 269) {
    bytes[at] = value - 13
    return at + 1
  }
  bytes[at] = (value - 269) >> 8
  bytes[at + 1] = (value - 269) & 0xff
  return at + 2
}

function isUpTo(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max
}
