interface Entry<T> {
  readonly key: string
  readonly peer: string
  readonly weight: number
  readonly value: T
  expires: number
}

export interface PeerTableLimits {
  /** Sum of all weights. */
  readonly weightMax: number
  readonly perPeer: number
  /** How long an entry that is not touched is kept, milliseconds. */
  readonly lifetimeMs: number
}

/**
 * A table that strangers fill: bounded in all and for each peer, and nothing stays that is not used. When it is full, the entry
 * that has not been used for longest goes; a peer that is over its own limit loses its own.
 */
export class PeerTable<T> {
  /** Entries that had to go before their time. */
  evicted = 0
  readonly #limits: PeerTableLimits
  /** In order of last use, and so in order of expiry, since all live equally long. */
  readonly #entries = new Map<string, Entry<T>>()
  readonly #byPeer = new Map<string, Set<Entry<T>>>()
  #weight = 0

  constructor(limits: PeerTableLimits) {
    this.#limits = limits
  }

  get count(): number {
    return this.#entries.size
  }

  /** The value, which counts as used. */
  get(key: string, now: number): T | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.expires <= now) return undefined
    entry.expires = now + this.#limits.lifetimeMs
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  /** Puts a value in, or in the place of another. One that is heavier than the whole table is not taken. */
  set(peer: string, key: string, { value, weight }: { value: T; weight: number }, now: number): void {
    this.delete(key)
    if (weight > this.#limits.weightMax) return
    const own = this.#byPeer.get(peer)
    if (own !== undefined && own.size >= this.#limits.perPeer) this.#evict(own.values())
    while (this.#weight + weight > this.#limits.weightMax) this.#evict(this.#entries.values())
    const entry = { key, peer, weight, value, expires: now + this.#limits.lifetimeMs }
    this.#entries.set(key, entry)
    this.#weight += weight
    const peers = this.#byPeer.get(peer)
    if (peers === undefined) this.#byPeer.set(peer, new Set([entry]))
    else peers.add(entry)
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry !== undefined) this.#remove(entry)
  }

  /** When the next entry expires, Infinity if there is none. */
  next(): number {
    return first(this.#entries.values())?.expires ?? Infinity
  }

  advance(now: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.expires > now) return
      this.#remove(entry)
    }
  }

  #evict(candidates: Iterable<Entry<T>>): void {
    const entry = first(candidates)
    if (entry === undefined) return
    this.#remove(entry)
    this.evicted++
  }

  #remove(entry: Entry<T>): void {
    this.#entries.delete(entry.key)
    this.#weight -= entry.weight
    const own = this.#byPeer.get(entry.peer)
    own?.delete(entry)
    if (own?.size === 0) this.#byPeer.delete(entry.peer)
  }
}

function first<T>(items: Iterable<T>): T | undefined {
  for (const item of items) return item
  return undefined
}
