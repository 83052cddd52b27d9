/** The few items of CBOR (RFC 8949) that OSCORE puts into key derivation and authentication. Nothing is ever decoded. */

const MAJOR = { UINT: 0, NEGATIVE: 1, BYTES: 2, TEXT: 3, ARRAY: 4 } as const
const encoder = new TextEncoder()

/** An integer, also a negative one. Throws RangeError for what does not fit 16 bits. */
export function integer(value: number): Uint8Array {
  return value < 0 ? head(MAJOR.NEGATIVE, -1 - value) : head(MAJOR.UINT, value)
}

export function byteString(bytes: Uint8Array): Uint8Array {
  return concat([head(MAJOR.BYTES, bytes.length), bytes])
}

export function textString(text: string): Uint8Array {
  const bytes = encoder.encode(text)
  return concat([head(MAJOR.TEXT, bytes.length), bytes])
}

/** An array of items that are encoded already. */
export function array(...items: readonly Uint8Array[]): Uint8Array {
  return concat([head(MAJOR.ARRAY, items.length), ...items])
}

export function nil(): Uint8Array {
  return Uint8Array.of(0xf6)
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** The head of an item in its shortest form (RFC 8949 section 4.2.1). */
function head(major: number, value: number): Uint8Array {
  const type = major << 5
  if (!Number.isInteger(value) || value < 0 || value > 0xffff)
    throw new RangeError(`Failed to encode a CBOR head of value: ${value}`)
  if (value < 24) return Uint8Array.of(type | value)
  if (value < 0x100) return Uint8Array.of(type | 24, value)
  return Uint8Array.of(type | 25, value >> 8, value & 0xff)
}
