import { decode, encode, type Message, type Option, TYPE } from '../codec/message.ts'
import { OPTION } from '../codec/options.ts'

/**
 * The fields of a message that OSCORE protects or replaces (RFC 8613 section 4). The header's type, message id and token stay as they
 * are: they belong to one hop.
 */
export type MessageFields = Pick<Message, 'code' | 'options' | 'payload'>

const NO_BYTES = new Uint8Array(0)
/** Where the code would be if it came right before the options: plaintext is a message without header (section 5.3). */
const CODE_AT = 3

/** The plaintext: code, inner options, payload. Throws RangeError for what no message can hold. */
export function encodePlaintext(code: number, options: readonly Option[], payload: Uint8Array): Uint8Array {
  const bytes = encode({ type: TYPE.CON, code, messageId: 0, token: NO_BYTES, options, payload })
  bytes[CODE_AT] = code
  return bytes.subarray(CODE_AT)
}

/** Reads a plaintext. Undefined if it is malformed, or has an OSCORE option: there is no OSCORE inside OSCORE (section 4.1.3.7). */
export function decodePlaintext(plaintext: Uint8Array): MessageFields | undefined {
  const bytes = new Uint8Array(CODE_AT + plaintext.length)
  bytes.set(plaintext, CODE_AT)
  bytes[0] = 0x40
  bytes[1] = bytes[CODE_AT]!
  bytes[CODE_AT] = 0
  const decoded = decode(bytes)
  if (!decoded.ok || decoded.message.options.some(({ number }) => number === OPTION.OSCORE)) return undefined
  const { code, options, payload } = decoded.message
  return { code, options, payload }
}
