import { crc32 } from 'node:zlib'

/**
 * A journal line: eight hex digits of CRC-32 over the JSON, a space, the JSON (UTF-8, no newline in it), a newline.
 * Text, so that an operator can read a journal with `less`, and so that a reader finds the next line after a damaged one.
 */
export const LINE_OVERHEAD = 10
const NEWLINE = 0x0a
const SPACE = 0x20
const JSON_OFFSET = 9
const HEX = Buffer.from('0123456789abcdef')
/** What a byte is worth as a hex digit, -1 if it is none. */
const DIGITS = Int8Array.from({ length: 256 }, (_, byte) => HEX.indexOf(byte))

/**
 * Writes one line at `offset` of `into`.
 * Returns its length in bytes, or 0 if it does not fit: then nothing that counts was written.
 */
export function writeLine(into: Buffer, offset: number, json: Uint8Array): number {
  const { length } = json
  if (length > into.length - offset - LINE_OVERHEAD) return 0
  const end = offset + JSON_OFFSET + length
  into.set(json, offset + JSON_OFFSET)
  let crc = crc32(json)
  for (let i = offset + 7; i >= offset; i--) {
    into[i] = HEX[crc & 0xf]!
    crc >>>= 4
  }
  into[offset + 8] = SPACE
  into[end] = NEWLINE
  return length + LINE_OVERHEAD
}

/** A whole line in a piece of a journal: `start` is its first byte, `next` the first one after its newline. */
export type Line = { start: number; next: number; ok: boolean }

/** The line that starts at `start` of `bytes`, or undefined if its newline is not there yet. */
export function lineAt(bytes: Buffer, start: number): Line | undefined {
  const newline = bytes.indexOf(NEWLINE, start)
  if (newline < 0) return undefined
  return { start, next: newline + 1, ok: checksumHolds(bytes, start, newline) }
}

/** The JSON of a line for which `ok` is true, without copying. */
export function lineJson(bytes: Buffer, line: Line): Buffer {
  return bytes.subarray(line.start + JSON_OFFSET, line.next - 1)
}

function checksumHolds(bytes: Buffer, start: number, newline: number): boolean {
  if (newline - start < JSON_OFFSET || bytes[start + 8] !== SPACE) return false
  let written = 0
  for (let i = start; i < start + 8; i++) {
    const digit = DIGITS[bytes[i]!]!
    if (digit < 0) return false
    written = (written << 4) | digit
  }
  return written >>> 0 === crc32(bytes.subarray(start + JSON_OFFSET, newline))
}
