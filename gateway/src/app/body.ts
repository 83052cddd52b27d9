import { CODE } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { countMembers, decodeCbor } from './cbor.ts'
import { plainReading } from './plain-reading.ts'
import { escapeForSqs } from './record.ts'
import { Refusal } from './refusal.ts'
import { CBOR_LABELS, resolveSenml, type Sample } from './senml.ts'
import { toState } from './state.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * What was measured at one instant, its state as JSON that SQS takes, which may hold only until the next reading. `at` in milliseconds since
 * 1970.
 */
export type Reading = { at: number; json: Uint8Array }

/** What a body reports, ready for the journal. See `samplesOf`, which decides what is legal. */
export function readingsOf(payload: Uint8Array, format: number | undefined, arrival: number): Reading[] {
  // ASCII only, so that there is nothing in it to escape.
  const json = format === CONTENT_FORMAT.CBOR ? plainReading(payload) : undefined
  if (json !== undefined) return [{ at: arrival, json }]
  return samplesOf(payload, format, arrival).map(({ at, state }) => ({
    at,
    json: Buffer.from(escapeForSqs(JSON.stringify(state))),
  }))
}

/**
 * What a body reports: one sample for JSON, CBOR and text, one per instant for SenML, oldest first.
 * `arrival` in milliseconds since 1970. Throws a Refusal with 4.00 or 4.15.
 */
export function samplesOf(payload: Uint8Array, format: number | undefined, arrival: number): Sample[] {
  if (payload.length === 0) throw new Refusal(CODE.BAD_REQUEST, 'Empty body')
  switch (format ?? guess(payload)) {
    case CONTENT_FORMAT.CBOR: {
      const { value, members } = decodeCbor(payload)
      return [{ at: arrival, state: toState(value, members) }]
    }
    case CONTENT_FORMAT.JSON:
      return [{ at: arrival, state: toState(parseJson(payload)) }]
    case CONTENT_FORMAT.SENML_CBOR: {
      const { value, members } = decodeCbor(payload)
      if (countMembers(value) !== members) throw new Refusal(CODE.BAD_REQUEST, 'Duplicate key in a map')
      return senml(resolveSenml(value, arrival, CBOR_LABELS))
    }
    case CONTENT_FORMAT.SENML_JSON:
      return senml(resolveSenml(parseJson(payload), arrival))
    case CONTENT_FORMAT.TEXT:
      return [{ at: arrival, state: toState({ value: textValue(payload) }) }]
  }
  throw new Refusal(CODE.UNSUPPORTED_CONTENT_FORMAT, 'Content-Format must be 60, 50, 112, 110 or 0')
}

function senml(samples: Sample[]): Sample[] {
  return samples.map(({ at, state }) => ({ at, state: toState(state) }))
}

/** A body of CBOR or JSON (a map tells itself) as it is. Throws a Refusal with 4.00 or 4.15. */
export function decodeBody(payload: Uint8Array, format: number | undefined): unknown {
  switch (format ?? guess(payload)) {
    case CONTENT_FORMAT.CBOR: {
      const { value, members } = decodeCbor(payload)
      if (countMembers(value) !== members) throw new Refusal(CODE.BAD_REQUEST, 'Duplicate key in a map')
      return value
    }
    case CONTENT_FORMAT.JSON:
      return parseJson(payload)
  }
  throw new Refusal(CODE.UNSUPPORTED_CONTENT_FORMAT, 'Content-Format must be 60, 50, 112 or 110')
}

/** Simple senders leave Content-Format out (RFC 7252 section 5.10.3 lets a server guess): a map tells itself. */
function guess(payload: Uint8Array): number | undefined {
  const first = payload[0]!
  if (first === 0x7b) return CONTENT_FORMAT.JSON
  return first >> 5 === 5 ? CONTENT_FORMAT.CBOR : undefined
}

function parseJson(payload: Uint8Array): unknown {
  const text = decodeText(payload)
  try {
    return JSON.parse(text)
  } catch {
    throw new Refusal(CODE.BAD_REQUEST, 'Body is not valid JSON')
  }
}

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/

/**
 * Plain text that is a number is stored as one, so that `-e 21.5` makes a value and not a word. What would not come
 * back as it was (a serial number of 19 digits, 007) stays text.
 */
function textValue(payload: Uint8Array): string | number {
  const text = decodeText(payload).trim()
  if (!NUMBER.test(text)) return text
  const number = Number(text)
  return Number.isInteger(number) && !Number.isSafeInteger(number)
    ? text
    : Number.isFinite(number)
      ? number
      : text
}

function decodeText(payload: Uint8Array): string {
  try {
    return utf8.decode(payload)
  } catch {
    throw new Refusal(CODE.BAD_REQUEST, 'Body is not UTF-8')
  }
}
