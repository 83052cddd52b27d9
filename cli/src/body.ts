import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { decode, Encoder } from 'cbor-x'
import { Misuse } from './command.ts'

/** What `-t` takes, and the Content-Format that it stands for. */
export const BODY_TYPES = {
  json: CONTENT_FORMAT.JSON,
  cbor: CONTENT_FORMAT.CBOR,
  senml: CONTENT_FORMAT.SENML_JSON,
  text: CONTENT_FORMAT.TEXT,
} as const
export type BodyType = keyof typeof BODY_TYPES

const cbor = new Encoder({ useRecords: false, variableMapSize: true, tagUint8Array: false })
const utf8 = new TextDecoder('utf-8', { fatal: true })
const BRACE = 0x7b
const BRACKET = 0x5b

/** @throws Misuse for a type that is none */
export function bodyTypeOf(text: string): BodyType {
  if (Object.hasOwn(BODY_TYPES, text)) return text as BodyType
  throw new Misuse(`-t must be one of ${Object.keys(BODY_TYPES).join(', ')}: "${text}"`)
}

/**
 * Makes the body to send. JSON text becomes CBOR where CBOR is asked for; bytes that are CBOR already go as they are
 * (JSON begins with a brace or a bracket, and no CBOR map or array begins with those bytes).
 * @throws Misuse for text that should be JSON and is not
 */
export function encodeBody(type: BodyType, given: Uint8Array): Uint8Array {
  if (type === 'text') return given
  const first = given.find((byte) => byte > 0x20)
  if (type === 'cbor' && first !== BRACE && first !== BRACKET) return given
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(given))
  } catch (error) {
    throw new Misuse(`The body is not valid JSON: ${(error as Error).message}`)
  }
  return type === 'cbor' ? cbor.encode(value) : given
}

/** What a body means: a value for JSON and CBOR, text where it is text; undefined where only the bytes can be shown. */
export function decodeBody(format: number | undefined, payload: Uint8Array): unknown {
  try {
    switch (format) {
      case CONTENT_FORMAT.CBOR:
      case CONTENT_FORMAT.SENML_CBOR:
        return decode(payload)
      case CONTENT_FORMAT.JSON:
      case CONTENT_FORMAT.SENML_JSON:
        return JSON.parse(utf8.decode(payload))
      // Diagnostic payloads have no format and are text (RFC 7252 section 5.5.2).
      case undefined:
      case CONTENT_FORMAT.TEXT:
      case CONTENT_FORMAT.LINK_FORMAT:
      case CONTENT_FORMAT.XML:
        return utf8.decode(payload)
    }
  } catch {
    // Not what it says it is: shown as bytes.
  }
  return undefined
}

/** A body for the eye. */
export function showBody(format: number | undefined, payload: Uint8Array): string {
  const value = decodeBody(format, payload)
  if (value === undefined) return Buffer.from(payload).toString('hex')
  if (typeof value !== 'string') return JSON.stringify(toJson(value), undefined, 2)
  return format === CONTENT_FORMAT.LINK_FORMAT ? value.replaceAll(',<', ',\n<') : value
}

/** What JSON cannot say and CBOR can: bytes, as CBOR's diagnostic notation writes them, and 64-bit integers, as text. */
export function toJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return `h'${Buffer.from(value).toString('hex')}'`
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) return value.map(toJson)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toJson(inner)]))
}
