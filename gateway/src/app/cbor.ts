import { CODE } from '@pesebre/coap/codec/codes'
import { Decoder } from 'cbor-x'
import { Refusal } from './refusal.ts'

/** Deeper than a state may nest, plus the array and map of a SenML pack. */
const DEPTH_MAX = 8

const decoder = new Decoder({ mapsAsObjects: true, useRecords: false })
const utf8 = new TextDecoder('utf-8', { fatal: true })
const PROTO = new TextEncoder().encode('__proto__')

/**
 * A decoded body, and how many map entries it declared: fewer in `value` means that a key stood there twice.
 * Integers of eight bytes are bigints, whatever their value.
 */
export type Decoded = { value: unknown; members: number }

/**
 * Decodes one CBOR item (RFC 8949). The library is lenient (tags become objects, the last of two equal keys wins,
 * broken UTF-8 is patched, a key `__proto__` is renamed) and trusts declared lengths; so the bytes are walked once
 * first, and only a plain, well-formed item of map, array, string, number, boolean and null reaches it.
 */
export function decodeCbor(bytes: Uint8Array): Decoded {
  const walk = { bytes, members: 0 }
  const end = item(walk, 0, 0)
  if (end !== bytes.length) throw malformed('bytes after its end')
  return { value: decoder.decode(bytes), members: walk.members }
}

type Walk = { readonly bytes: Uint8Array; members: number }

const INDEFINITE = -1

/** How many map entries a decoded value has, at every depth. */
export function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 0
  const values = Object.values(value)
  return values.reduce<number>(
    (sum, each) => sum + countMembers(each),
    Array.isArray(value) ? 0 : values.length,
  )
}

/** Checks the item at `at` and returns the offset behind it. */
function item(walk: Walk, at: number, depth: number): number {
  const { bytes } = walk
  const first = bytes[at]
  if (first === undefined) throw malformed('ends too early')
  if (depth > DEPTH_MAX) throw malformed('nested too deeply')
  const major = first >> 5
  const info = first & 0x1f
  const next = at + 1 + argumentBytes(info, major)
  if (next > bytes.length) throw malformed('ends too early')
  const argument = info === 31 ? INDEFINITE : info < 24 ? info : uint(bytes, at + 1, next)
  switch (major) {
    case 0:
    case 1:
      return next
    case 2:
    case 3:
      return string(bytes, next, argument, major === 3)
    case 4:
      return sequence(walk, next, argument, depth + 1, false)
    case 5:
      return sequence(walk, next, argument, depth + 1, true)
    case 6:
      throw malformed('has a tag')
    default:
      // 20 to 23 are false, true, null, undefined; 25 to 27 floats.
      if ((info >= 20 && info <= 23) || (info >= 25 && info <= 27)) return next
      throw malformed('has an unknown simple value')
  }
}

function argumentBytes(info: number, major: number): number {
  if (info < 24) return 0
  if (info <= 27) return 1 << (info - 24)
  if (info === 31 && (major === 4 || major === 5)) return 0
  const isString = info === 31 && (major === 2 || major === 3)
  throw malformed(isString ? 'has a string of indefinite length' : 'has a reserved length')
}

function uint(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let i = start; i < end; i++) value = value * 256 + bytes[i]!
  return value
}

function string(bytes: Uint8Array, start: number, length: number, text: boolean): number {
  const end = start + length
  if (end > bytes.length) throw malformed('declares more than it holds')
  if (text) checkUtf8(bytes, start, end)
  return end
}

function checkUtf8(bytes: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) {
    if (bytes[i]! < 0x80) continue
    try {
      utf8.decode(bytes.subarray(i, end))
      return
    } catch {
      throw malformed('has text that is not UTF-8')
    }
  }
}

function sequence(walk: Walk, start: number, count: number, depth: number, map: boolean): number {
  const { bytes } = walk
  // Every element takes at least a byte: a huge count is found out before any work is done for it.
  if (count !== INDEFINITE && count * (map ? 2 : 1) > bytes.length - start)
    throw malformed('declares more than it holds')
  let at = start
  for (let i = 0; count === INDEFINITE || i < count; i++) {
    if (count === INDEFINITE && bytes[at] === 0xff) return at + 1
    if (map) {
      const major = (bytes[at] ?? 0) >> 5
      if (major !== 0 && major !== 1 && major !== 3)
        throw malformed('has a key that is neither text nor integer')
      const key = at
      at = item(walk, at, depth)
      if (major === 3 && isProto(bytes, key, at)) throw malformed('has the reserved key __proto__')
      walk.members++
    }
    at = item(walk, at, depth)
  }
  return at
}

/** Whether the text string in `bytes[start, end)` is the one name that no object may take from outside. */
function isProto(bytes: Uint8Array, start: number, end: number): boolean {
  const text = end - PROTO.length
  if (text !== start + 1 + argumentBytes(bytes[start]! & 0x1f, 3)) return false
  return PROTO.every((byte, i) => bytes[text + i] === byte)
}

function malformed(what: string): Refusal {
  return new Refusal(CODE.BAD_REQUEST, `CBOR ${what}`)
}
