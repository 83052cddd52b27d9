/**
 * A second reader of CBOR (RFC 8949), written apart from the gateway's and for clarity only, to hold that one against:
 * one plain item of at most nine levels, integer and text keys, no tags.
 */

/** What `bytes` says, as one text that is equal for equal values, or undefined if it must be refused. */
export function readCbor(bytes: Uint8Array): string | undefined {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), at: 0 }
  try {
    const value = read(reader, 0)
    return reader.at === bytes.length ? canonical(value) : undefined
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return undefined
    throw error
  }
}

/** A decoded value as text; of two entries with one key the later counts, in its place. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (value instanceof Uint8Array) return `h'${Buffer.from(value).toString('hex')}'`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join()}}`
  }
  if (typeof value === 'string') return JSON.stringify(value)
  return Object.is(value, -0) ? '-0' : String(value)
}

type Reader = { view: DataView; at: number }

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function read(reader: Reader, depth: number): unknown {
  if (depth > 8) throw new RangeError('Too deep')
  const first = reader.view.getUint8(reader.at++)
  const major = first >> 5
  const info = first & 31
  if (major === 7) return simple(reader, info)
  if (major === 6) throw new RangeError('Tag')
  if (info === 31) {
    if (major !== 4 && major !== 5) throw new RangeError('Indefinite')
    return major === 4 ? list(reader, depth, Infinity) : map(reader, depth, Infinity)
  }
  const argument = unsigned(reader, info)
  switch (major) {
    case 0:
      return info === 27 ? argument : Number(argument)
    case 1:
      return info === 27 ? -1n - argument : Number(-1n - argument)
    case 2:
      return take(reader, argument)
    case 3:
      return utf8.decode(take(reader, argument))
    case 4:
      return list(reader, depth, Number(argument))
    default:
      return map(reader, depth, Number(argument))
  }
}

function unsigned(reader: Reader, info: number): bigint {
  if (info < 24) return BigInt(info)
  if (info > 27) throw new RangeError('Reserved')
  const bytes = take(reader, BigInt(1 << (info - 24)))
  return bytes.reduce((value, byte) => value * 256n + BigInt(byte), 0n)
}

function take(reader: Reader, length: bigint): Uint8Array {
  const { view, at } = reader
  if (length > BigInt(view.byteLength - at)) throw new RangeError('Too short')
  reader.at += Number(length)
  return new Uint8Array(view.buffer, view.byteOffset + at, Number(length))
}

function list(reader: Reader, depth: number, count: number): unknown[] {
  const values: unknown[] = []
  while (values.length < count) {
    if (count === Infinity && isBreak(reader)) break
    values.push(read(reader, depth + 1))
  }
  return values
}

function map(reader: Reader, depth: number, count: number): Record<string, unknown> {
  const entries: [string, unknown][] = []
  while (entries.length < count) {
    if (count === Infinity && isBreak(reader)) break
    if (![0, 1, 3].includes(reader.view.getUint8(reader.at) >> 5)) throw new RangeError('Key')
    const key = read(reader, depth + 1)
    if (key === '__proto__') throw new RangeError('Key')
    entries.push([String(key), read(reader, depth + 1)])
  }
  return Object.fromEntries(entries)
}

function isBreak(reader: Reader): boolean {
  if (reader.view.getUint8(reader.at) !== 0xff) return false
  reader.at++
  return true
}

function simple(reader: Reader, info: number): unknown {
  const { view, at } = reader
  switch (info) {
    case 20:
      return false
    case 21:
      return true
    case 22:
      return null
    case 23:
      return undefined
    case 25:
      reader.at += 2
      return half(view.getUint16(at))
    case 26:
      reader.at += 4
      return view.getFloat32(at)
    case 27:
      reader.at += 8
      return view.getFloat64(at)
  }
  throw new RangeError('Simple')
}

/** RFC 8949 appendix D. */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31
  const mantissa = bits & 1023
  const size =
    exponent === 0
      ? mantissa * 2 ** -24
      : exponent === 31
        ? mantissa === 0
          ? Infinity
          : Number.NaN
        : (mantissa + 1024) * 2 ** (exponent - 25)
  return bits & 0x8000 ? -size : size
}
