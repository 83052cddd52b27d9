import { CODE } from '@pesebre/coap/codec/codes'
import { Decoder } from 'cbor-x'
import { Refusal } from './refusal.ts'

/** Deeper than a state may nest, plus the array and map of a SenML pack. */
const DEPTH_MAX = 8

const decoder = new Decoder({ mapsAsObjects: true, useRecords: false })
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** A decoded body, and how many map entries it declared: fewer in `value` means that a key stood there twice. */
export type Decoded = { value: unknown; members: number }

/**
 * Decodes one CBOR item (RFC 8949). The library is lenient (tags become objects, the last of two equal keys wins,
 * broken UTF-8 is patched) and trusts declared lengths; so the bytes are walked once first, and only a plain,
 * well-formed item of map, array, string, number, boolean and null reaches it.
 */
export function decodeCbor(bytes: Uint8Array): Decoded {
  const walk = { bytes, members: 0 }
  const end = item(walk, 0, 0)
  if (end !== bytes.length) throw malformed('bytes after its end')
  return { value: decoder.decode(bytes), members: walk.members }
}

type Walk = { readonly bytes: Uint8Array; members: number }

const INDEFINITE = -1

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
  throw malformed(info === 31 ? 'has a string of indefinite length' : 'has a reserved length')
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
      at = item(walk, at, depth)
      walk.members++
    }
    at = item(walk, at, depth)
  }
  return at
}

function malformed(what: string): Refusal {
  return new Refusal(CODE.BAD_REQUEST, `CBOR ${what}`)
}
