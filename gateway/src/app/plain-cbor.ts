/** One pass over CBOR (RFC 8949) of the plain kind that nearly every device sends. What is not plain is left to cbor.ts. */

/** More than this in a text goes the long way. */
const TEXT_MAX = 32

/** Texts repeat from report to report: each is kept as JSON, to be found again without making a new string. */
const KEPT = 4_096
const kept: (string | undefined)[] = new Array(KEPT).fill(undefined)

const float = new DataView(new ArrayBuffer(8))

/** The scratch of one reading: there is one at a time. */
let at = 0

/** Begins to read at an offset. */
export function begin(offset: number): void {
  at = offset
}

/** Where the next item begins; -1 once something was not plain. */
export function position(): number {
  return at
}

/** Says that what was read is not plain. Returns 0. */
export function otherwise(): number {
  at = -1
  return 0
}

/** The next item, a number, short text, boolean or null, as JSON. */
export function scalar(bytes: Uint8Array): string | number {
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
export function argument(bytes: Uint8Array): number {
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

/** The next item, a text, in quotation marks: printable ASCII without anything to escape. */
export function text(bytes: Uint8Array): string {
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
