import { begin, otherwise, position, scalar, text } from './plain-cbor.ts'

/** More members than this go the long way. */
const MEMBERS_MAX = 16

const keys: string[] = new Array(MEMBERS_MAX).fill('')

/**
 * The short cut for what nearly every device sends: one CBOR map of short names to numbers, short texts, booleans and null.
 * Writes it as JSON in one pass, without making an object in between. Returns undefined for everything else, legal or
 * not: then the long way (cbor.ts, state.ts) decides, so that this has no rules of its own.
 */
export function plainReading(bytes: Uint8Array): string | undefined {
  begin(0)
  const json = plainState(bytes, text)
  return position() === bytes.length ? json : undefined
}

/**
 * Reads a map of state where the last item ended. `keyOf` reads a key, in quotation marks; `scaleOf` says by what a number under the
 * key read last is divided. When it is not plain, `position` is -1 afterwards.
 */
export function plainState(
  bytes: Uint8Array,
  keyOf: (bytes: Uint8Array) => string,
  scaleOf?: () => number,
): string {
  const start = position()
  const members = bytes[start]! - 0xa0
  if (!(members >= 1 && members <= MEMBERS_MAX)) return `${otherwise()}`
  begin(start + 1)
  let json = ''
  for (let i = 0; i < members; i++) {
    const key = keyOf(bytes)
    if (position() < 0 || isReserved(key) || isAmong(key, i)) return `${otherwise()}`
    keys[i] = key
    const scale = scaleOf === undefined ? 1 : scaleOf()
    const value = scalar(bytes)
    if (position() < 0) return ''
    json += `${i === 0 ? '{' : ','}${key}:${scale !== 1 && typeof value === 'number' ? value / scale : value}`
  }
  return `${json}}`
}

function isReserved(key: string): boolean {
  return key === '"link"' || key === '"__proto__"'
}

function isAmong(key: string, count: number): boolean {
  for (let i = 0; i < count; i++) if (keys[i] === key) return true
  return false
}
