import { randomBytes } from 'node:crypto'

/** RFC 4648 section 6, lower case: 32 letters, so a random byte's five bits choose without bias. */
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const LENGTH = 16

/** What an id is of: its first letters. */
export type IdKind = 'usr' | 'stb' | 'hrs' | 'inv' | 'fee' | 'alm' | 'cal' | 'sub'

/** A new opaque id: 80 random bits, so that nobody meets another's by guessing. */
export function newId(kind: IdKind): string {
  let text = `${kind}_`
  for (const byte of randomBytes(LENGTH)) text += ALPHABET[byte % 32]
  return text
}
