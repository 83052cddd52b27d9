/** More members, or longer texts, than this go the long way. */
const MEMBERS_MAX = 16
const TEXT_MAX = 32

/** Texts repeat from report to report: each is kept as JSON, to be found again without making a new string. */
const KEPT = 4_096
const kept: (string | undefined)[] = new Array(KEPT).fill(undefined)

const keys: string[] = new Array(MEMBERS_MAX).fill('')
const float = new DataView(new ArrayBuffer(8))

/** Where the next item begins; -1 once something is not plain. With `keys`, the scratch of one call: there is one at a time. */
let at = 0

/**
 * The short cut for what nearly every device sends: one CBOR map of short names to numbers, short texts, booleans and null.
 * Writes it as JSON in one pass, without making an object in between. Returns undefined for everything else, legal or
 * not: then the long way (cbor.ts, state.ts) decides, so that this has no rules of its own.
 */
export function plainReading(bytes: Uint8Array): string | undefined {
  const head = bytes[0]!
  const members = head - 0xa0
  if (members < 1 || members > MEMBERS_MAX) return undefined
  at = 1
  let json = ''
  for (let i = 0; i < members; i++) {
    const key = text(bytes)
    if (at < 0 || isReserved(key) || isAmong(key, i)) return undefined
    keys[i] = key
    const value = scalar(bytes)
    if (at < 0) return undefined
    json += `${i === 0 ? '{' : ','}${key}:${value}`
  }
  return at === bytes.length ? `${json}}` : undefined
}

/** The item at `at`, as JSON. */
function scalar(bytes: Uint8Array): string | number {
  const head = bytes[at]!
  switch (head >> 5) {
    case 0:
      return argument(bytes)
    case 1:
      return -1 - argument(bytes)
    case 3:
      return text(bytes)
    case 7:
      return simple(bytes, head)
    default:
      return otherwise()
  }
}

/** The number in an item's head (RFC 8949 section 3), at most 32 bits. */
function argument(bytes: Uint8Array): number {
  const info = bytes[at++]! & 31
  if (info < 24) return info
  const size = info === 24 ? 1 : info === 25 ? 2 : info === 26 ? 4 : 0
  if (size === 0 || at + size > bytes.length) return otherwise()
  let value = 0
  for (const end = at + size; at < end; at++) value = value * 256 + bytes[at]!
  return value
}

function simple(bytes: Uint8Array, head: number): string | number {
  const size = head === 0xfa ? 4 : head === 0xfb ? 8 : 0
  if (at + 1 + size > bytes.length) return otherwise()
  at++
  if (size === 0)
    return head === 0xf4 ? 'false' : head === 0xf5 ? 'true' : head === 0xf6 ? 'null' : otherwise()
  for (let i = 0; i < size; i++) float.setUint8(i, bytes[at++]!)
  const value = size === 4 ? float.getFloat32(0) : float.getFloat64(0)
  return Number.isFinite(value) ? value : otherwise()
}

/** The text at `at` in quotation marks: printable ASCII without anything to escape. */
function text(bytes: Uint8Array): string {
  const head = bytes[at]!
  const length = head === 0x78 ? (bytes[at + 1] ?? TEXT_MAX + 1) : head - 0x60
  const start = at + (head === 0x78 ? 2 : 1)
  const end = start + length
  if (!(head >= 0x60 && head <= 0x78) || length > TEXT_MAX || end > bytes.length) return `${otherwise()}`
  let hash = length
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0
  const place = (hash ^ (hash >>> 12)) & (KEPT - 1)
  at = end
  const found = kept[place]
  if (found !== undefined && isSame(found, bytes, start, length)) return found
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return `${otherwise()}`
  }
  const quoted = `"${String.fromCharCode(...bytes.subarray(start, end))}"`
  kept[place] = quoted
  return quoted
}

function isSame(quoted: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (quoted.length !== length + 2) return false
  for (let i = 0; i < length; i++) if (quoted.charCodeAt(i + 1) !== bytes[start + i]) return false
  return true
}

function isReserved(key: string): boolean {
  return key === '"link"' || key === '"__proto__"'
}

function isAmong(key: string, count: number): boolean {
  for (let i = 0; i < count; i++) if (keys[i] === key) return true
  return false
}

function otherwise(): number {
  at = -1
  return 0
}
