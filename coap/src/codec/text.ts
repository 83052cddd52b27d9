/**
 * Text of options: UTF-8, checked. Path segments repeat from message to message, so that short ASCII ones are kept in a
 * small table and found again without making a new string.
 */
const KEPT = 4_096
const KEPT_LENGTH_MAX = 32
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** Reads option values as text. It holds the table of strings, at most 4,096 of at most 32 characters. */
export interface TextReader {
  /** The text in `bytes[start, end)`, undefined if that is not well-formed UTF-8. */
  read(bytes: Uint8Array, start: number, end: number): string | undefined
}

export function createTextReader(): TextReader {
  const kept: (string | undefined)[] = new Array(KEPT).fill(undefined)
  return {
    read(bytes, start, end) {
      const length = end - start
      if (length > KEPT_LENGTH_MAX) return decodeUtf8(bytes, start, end)
      let hash = length
      let any = 0
      for (let at = start; at < end; at++) {
        const byte = bytes[at]!
        any |= byte
        hash = (Math.imul(hash, 31) + byte) | 0
      }
      if (any > 0x7f) return decodeUtf8(bytes, start, end)
      const place = (hash ^ (hash >>> 12)) & (KEPT - 1)
      const found = kept[place]
      if (found !== undefined && isSame(found, bytes, start, length)) return found
      const text = String.fromCharCode(...bytes.subarray(start, end))
      kept[place] = text
      return text
    },
  }
}

/** Strict UTF-8 (no overlong forms, no surrogates) to text; undefined if it is anything else. */
export function decodeUtf8(bytes: Uint8Array, start = 0, end = bytes.length): string | undefined {
  try {
    return decoder.decode(bytes.subarray(start, end))
  } catch {
    return undefined
  }
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

function isSame(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false
  for (let at = 0; at < length; at++) if (text.charCodeAt(at) !== bytes[start + at]) return false
  return true
}
