import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

const TOKEN_BYTES = 24

/** A secret that opens something: 192 random bits in 32 characters that need no escaping in URLs and cookies. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url')
}

/** What is kept of a token. It has full entropy, so one round of SHA-256 without salt is enough. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** What a page sends with its writes: follows from the session's token, so nothing more is kept, and tells nothing of it. */
export function csrfOf(token: string): string {
  return createHash('sha256').update(`csrf ${token}`).digest('base64url')
}

/** Compares without telling by its time how much was right. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
