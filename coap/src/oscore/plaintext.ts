import { decode, encode, type Message, type Option, TYPE } from '../codec/message.ts'
import { OPTION } from '../codec/options.ts'
import { createScan, scan } from '../codec/scan.ts'
import { Slab } from '../codec/slab.ts'

/**
 * The fields of a message that OSCORE protects or replaces (RFC 8613 section 4). The header's type, message id and token stay as they
 * are: they belong to one hop.
 */
export type MessageFields = Pick<Message, 'code' | 'options' | 'payload'>

const NO_BYTES = new Uint8Array(0)
const PAYLOAD_MARKER = 0xff
/** Where the code would be if it came right before the options: plaintext is a message without header (section 5.3). */
const CODE_AT = 3

/** The plaintext: code, inner options, payload. Do not write into it. Throws RangeError for what no message can hold. */
export function encodePlaintext(code: number, options: readonly Option[], payload: Uint8Array): Uint8Array {
  if (options.length === 0) return withoutOptions(code, payload)
  const bytes = encode({ type: TYPE.CON, code, messageId: 0, token: NO_BYTES, options, payload })
  bytes[CODE_AT] = code
  return bytes.subarray(CODE_AT)
}

/** Most responses have none. */
function withoutOptions(code: number, payload: Uint8Array): Uint8Array {
  if (payload.length === 0) {
    codesAlone[code] ??= Uint8Array.of(code)
    return codesAlone[code]
  }
  const bytes = new Uint8Array(2 + payload.length)
  bytes[0] = code
  bytes[1] = PAYLOAD_MARKER
  bytes.set(payload, 2)
  return bytes
}

/** The plaintext of a message that is nothing but its code, by that: nearly every answer is the same one. */
const codesAlone: (Uint8Array | undefined)[] = new Array(0x100).fill(undefined)

/** What was in a plaintext. Its options are read when they are asked for: a server goes on with `bytes`. */
export class Plain implements MessageFields {
  /** As a message of its own: confirmable, message id 0, no token. */
  readonly bytes: Uint8Array
  /** Value of the first Echo option (RFC 9175 section 2.2), undefined without one. */
  readonly echo: Uint8Array | undefined
  #message: Message | undefined

  constructor(bytes: Uint8Array, echo: Uint8Array | undefined) {
    this.bytes = bytes
    this.echo = echo
  }

  get code(): number {
    return this.bytes[1]!
  }

  get options(): readonly Option[] {
    return this.#decoded().options
  }

  get payload(): Uint8Array {
    return this.#decoded().payload
  }

  #decoded(): Message {
    if (this.#message === undefined) {
      const decoded = decode(this.bytes)
      // It was scanned before it came here.
      if (!decoded.ok) throw new Error(`Failed to decode a plaintext: ${decoded.reason}`)
      this.#message = decoded.message
    }
    return this.#message
  }
}

/** Reads a plaintext. Undefined if it is malformed, or has an OSCORE option: there is no OSCORE inside OSCORE (section 4.1.3.7). */
export function decodePlaintext(plaintext: Uint8Array): Plain | undefined {
  const bytes = slab.take(CODE_AT + plaintext.length)
  for (let at = 0; at < plaintext.length; at++) bytes[CODE_AT + at] = plaintext[at]!
  bytes[0] = 0x40
  bytes[1] = bytes[CODE_AT]!
  bytes[CODE_AT] = 0
  if (scan(bytes, scratch) !== undefined) return undefined
  const { optionCount, numbers, starts, ends } = scratch
  let echo: Uint8Array | undefined
  for (let i = 0; i < optionCount; i++) {
    if (numbers[i] === OPTION.OSCORE) return undefined
    if (numbers[i] === OPTION.ECHO) echo ??= bytes.subarray(starts[i]!, ends[i]!)
  }
  return new Plain(bytes, echo)
}

const scratch = createScan()
const slab = new Slab()
