/** Option values of format `uint` (RFC 7252 section 3.2): big-endian, leading zero bytes allowed, none needed for zero. */

/** The number held in `bytes[start, end)`. At most six bytes, so that no bit is lost; option definitions allow four. */
export function readUint(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) value = value * 256 + bytes[at]!
  return value
}

/** The shortest form of a number, as a sender should make it. Throws RangeError beyond 32 bits. */
export function uintBytes(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) {
    throw new RangeError(`Failed to encode a uint option: ${value}`)
  }
  const length = value === 0 ? 0 : value < 0x100 ? 1 : value < 0x1_0000 ? 2 : value < 0x100_0000 ? 3 : 4
  const bytes = new Uint8Array(length)
  for (let at = length - 1, rest = value; at >= 0; at--, rest = Math.floor(rest / 256))
    bytes[at] = rest & 0xff
  return bytes
}
