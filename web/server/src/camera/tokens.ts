import { createHash, randomBytes } from 'node:crypto'

/** What a token is good for: one connection, of this camera, for this stream. */
export type Grant = { readonly camera: string; readonly streamId: string }

type Entry = Grant & { readonly until: number }

/**
 * The tokens that cameras get with `start` and `snapshot`: random, kept as their hash, good once and for a minute. A camera has
 * one at a time: a new one takes the place of the one before, so that there are never more than cameras.
 */
export class Tokens {
  readonly #lifeMs: number
  readonly #byHash = new Map<string, Entry>()
  readonly #hashOf = new Map<string, string>()

  constructor(lifeMs: number) {
    this.#lifeMs = lifeMs
  }

  get size(): number {
    return this.#byHash.size
  }

  /** @returns 32 characters of base64url: 192 random bits */
  issue(grant: Grant, now: number): string {
    const token = randomBytes(24).toString('base64url')
    const hash = hashOf(token)
    this.revoke(grant.camera)
    this.#byHash.set(hash, { ...grant, until: now + this.#lifeMs })
    this.#hashOf.set(grant.camera, hash)
    return token
  }

  /** What this token is good for, which it is no more from now on. Undefined: nothing, or no longer. */
  use(token: string, now: number): Grant | undefined {
    // By its hash: how long the look-up takes says nothing of tokens that are nearly right.
    const entry = this.#byHash.get(hashOf(token))
    if (entry === undefined) return undefined
    this.revoke(entry.camera)
    if (now > entry.until) return undefined
    const { camera, streamId } = entry
    return { camera, streamId }
  }

  revoke(camera: string): void {
    const hash = this.#hashOf.get(camera)
    if (hash !== undefined) this.#byHash.delete(hash)
    this.#hashOf.delete(camera)
  }
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('base64')
}
