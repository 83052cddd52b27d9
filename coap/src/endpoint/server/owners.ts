import { ownerKey } from '../messaging/keys.ts'
import type { Peer } from '../types.ts'
import type { OpenExchange } from './exchange.ts'
import type { Shape } from './received.ts'

/** What somebody owns that has to know where he is. */
export interface Owned {
  request: Shape
  peerHash: number
}

interface Owner<T> {
  readonly all: Set<T>
  /** Order number of the newest verified message of a principal, and where it came from. */
  sequence: number
  peer: Peer
  peerHash: number
}

/** Who observes, and where he is: a principal is where his newest verified message came from, a peer is where it is. */
export class Owners<T extends Owned> {
  readonly #byKey = new Map<string, Owner<T>>()

  /** What the sender of a request owns, in order of age. */
  allOf({ request }: OpenExchange): ReadonlySet<T> | undefined {
    return this.#byKey.get(ownerKey(request))?.all
  }

  /** Gives something to the sender of a request. It gets the address that he is at, if he has moved on since. */
  add(owned: T, { request, peerHash }: OpenExchange): void {
    const key = ownerKey(request)
    const { peer, sequence = 0 } = request
    const owner = this.#byKey.get(key) ?? { all: new Set<T>(), sequence, peer, peerHash }
    this.#byKey.set(key, owner)
    owner.all.add(owned)
    moveTo(owned, owner)
  }

  remove(owned: T): void {
    const key = ownerKey(owned.request)
    const owner = this.#byKey.get(key)
    owner?.all.delete(owned)
    if (owner?.all.size === 0) this.#byKey.delete(key)
  }

  /** Takes note of where a verified request has come from, if it is the principal's newest. */
  heard({ request, peerHash }: OpenExchange): void {
    const { peer, sequence = 0 } = request
    const owner = this.#byKey.size === 0 ? undefined : this.#byKey.get(ownerKey(request))
    if (owner === undefined || sequence <= owner.sequence) return
    owner.sequence = sequence
    if (isSamePeer(owner.peer, peer)) return
    owner.peer = peer
    owner.peerHash = peerHash
    for (const owned of owner.all) moveTo(owned, owner)
  }
}

export function isSamePeer(one: Peer, other: Peer): boolean {
  return one.port === other.port && one.address === other.address
}

function moveTo(owned: Owned, { peer, peerHash }: { peer: Peer; peerHash: number }): void {
  if (isSamePeer(owned.request.peer, peer)) return
  owned.request = { ...owned.request, peer }
  owned.peerHash = peerHash
}
