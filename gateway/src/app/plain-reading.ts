import { JsonBytes } from './json-bytes.ts'
import { begin, otherwise, position, scalar, text } from './plain-cbor.ts'

/** More members than this go the long way. */
const MEMBERS_MAX = 16

const keys: string[] = new Array(MEMBERS_MAX).fill('')
const json = new JsonBytes()

/**
 * The short cut for what nearly every device sends: one CBOR map of short names to numbers, short texts, booleans and null.
 * Writes it as JSON in one pass, without making an object or text in between; the bytes hold until the next reading. Returns undefined
 * for everything else, legal or not: then the long way (cbor.ts, state.ts) decides, so that this has no rules of its own.
 */
export function plainReading(bytes: Uint8Array): Uint8Array | undefined {
  begin(0)
  const state = plainState(bytes, text)
  return position() === bytes.length ? state : undefined
}

/**
 * Reads a map of state where the last item ended. `keyOf` reads a key, in quotation marks; `scaleOf` says by what a number under the
 * key read last is divided. When it is not plain, `position` is -1 afterwards.
 */
export function plainState(
  bytes: Uint8Array,
  keyOf: (bytes: Uint8Array) => string,
  scaleOf?: () => number,
): Uint8Array | undefined {
  const start = position()
  const members = bytes[start]! - 0xa0
  if (!(members >= 1 && members <= MEMBERS_MAX)) return notPlain()
  begin(start + 1)
  json.begin()
  for (let i = 0; i < members; i++) {
    const key = keyOf(bytes)
    if (position() < 0 || isReserved(key) || isAmong(key, i)) return notPlain()
    keys[i] = key
    const scale = scaleOf === undefined ? 1 : scaleOf()
    const value = scalar(bytes)
    if (position() < 0) return undefined
    json.ascii(i === 0 ? '{' : ',')
    json.ascii(key)
    json.ascii(':')
    if (typeof value === 'number') json.number(scale === 1 ? value : value / scale)
    else json.ascii(value)
  }
  json.ascii('}')
  return json.done()
}

function notPlain(): undefined {
  otherwise()
}

function isReserved(key: string): boolean {
  return key === '"link"' || key === '"__proto__"'
}

function isAmong(key: string, count: number): boolean {
  for (let i = 0; i < count; i++) if (keys[i] === key) return true
  return false
}
