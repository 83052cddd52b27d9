import { isSuccess } from '../../codec/codes.ts'
import { type Option, TYPE } from '../../codec/message.ts'
import { OPTION } from '../../codec/options.ts'
import { uintBytes } from '../../codec/uint.ts'
import { hex, ownerKey, peerKey } from '../messaging/keys.ts'
import type { Outgoing } from '../messaging/outgoing.ts'
import type { Renewal, Transmission } from '../messaging/transmissions.ts'
import type { Protection } from '../security.ts'
import type { Settings } from '../settings.ts'
import type { Effect, Peer, Response } from '../types.ts'
import type { Downloads } from './downloads.ts'
import type { OpenExchange } from './exchange.ts'
import { isSamePeer, type Owned, Owners } from './owners.ts'
import type { Shape } from './received.ts'

/** One peer that observes one resource. */
interface Observer extends Owned {
  readonly id: string
  readonly resource: string
  /** The newest registration; its peer is where notifications go. */
  request: Shape
  peerHash: number
  protection: Protection | undefined
  /** Order number of that registration among the requests of its principal, 0 where it has none. */
  registration: number
  readonly token: Uint8Array
  /** Value of the Observe option of the last notification. */
  sequence: number
  /** When the peer last acknowledged a notification; -Infinity if it never has. */
  provenAt: number
  readonly registeredAt: number
  /** The confirmable notification on its way, and the state that has come up since. */
  transmission: Transmission | undefined
  latest: Response | undefined
  /** The state on its way. */
  current: Response | undefined
  /** Key of the last non-confirmable notification, to which an RST may come. */
  resetKey: string
}

const NO_BYTES = new Uint8Array(0)
/** Order numbers have 24 bits (RFC 7641 section 4.4). */
const SEQUENCE_MASK = 0xff_ffff
/** An observer that gets only non-confirmable notifications has to be asked this often whether it is still there (section 4.5). */
const CONFIRM_WITHIN = 24 * 60 * 60 * 1_000

/**
 * Who observes what (RFC 7641). A peer proves itself by acknowledging: the first notification is confirmable, and one now and then
 * after that. One that resets or does not answer is removed. Registrations that never proved themselves make room for new ones;
 * proven ones do not.
 *
 * Notifications to a principal go to where its newest verified message came from: a new port costs it nothing, and a copy of an old
 * message, sent from elsewhere, takes nothing away.
 */
export class Observers {
  evicted = 0
  /** Notifications that could not be protected. */
  withheld = 0
  readonly #settings: Settings
  readonly #outgoing: Outgoing
  readonly #downloads: Downloads
  readonly #byId = new Map<string, Observer>()
  readonly #byResource = new Map<string, Set<Observer>>()
  readonly #owners = new Owners<Observer>()
  readonly #byResetKey = new Map<string, Observer>()
  readonly #unproven = new Set<Observer>()

  constructor(settings: Settings, outgoing: Outgoing, downloads: Downloads) {
    this.#settings = settings
    this.#outgoing = outgoing
    this.#downloads = downloads
  }

  get count(): number {
    return this.#byId.size
  }

  /** Whether anybody observes the resource: what nobody does need not be looked up. */
  isObserved(resource: string): boolean {
    return this.#byResource.has(resource)
  }

  /**
   * Adds or renews the observer that a request asks for, and returns the Observe option of the answer; undefined if there is no
   * room, so that the answer is an ordinary one (section 4.1).
   */
  register(exchange: OpenExchange, resource: string, now: number): Option | undefined {
    const id = idOf(exchange)
    const { request, protection } = exchange
    const { sequence = 0 } = request
    const held = this.#byId.get(id)
    // It has been overtaken by a newer one.
    if (held !== undefined && sequence < held.registration) return undefined
    if (held !== undefined && held.resource === resource) {
      held.request = { ...request.shape(), peer: held.request.peer }
      held.protection = protection
      held.registration = sequence
      return this.#nextOption(held)
    }
    if (held !== undefined) this.#remove(held)
    if (!this.#makeRoom(exchange)) return undefined
    const observer: Observer = {
      id,
      resource,
      request: request.shape(),
      peerHash: exchange.peerHash,
      protection,
      registration: sequence,
      token: exchange.token.slice(),
      sequence: 0,
      provenAt: -Infinity,
      registeredAt: now,
      transmission: undefined,
      latest: undefined,
      current: undefined,
      resetKey: '',
    }
    this.#byId.set(id, observer)
    this.#unproven.add(observer)
    addTo(this.#byResource, resource, observer)
    this.#owners.add(observer, exchange)
    return this.#nextOption(observer)
  }

  /** The Observe option of the last notification to this peer and token, undefined if there is no such observer. */
  current(exchange: OpenExchange): Option | undefined {
    const held = this.#byId.get(idOf(exchange))
    return held && { number: OPTION.OBSERVE, value: uintBytes(held.sequence) }
  }

  /** Removes the observer of this peer and token, if there is one. */
  deregister(exchange: OpenExchange): void {
    const held = this.#byId.get(idOf(exchange))
    if (held !== undefined && (exchange.request.sequence ?? 0) >= held.registration) this.#remove(held)
  }

  /** Takes note of where a verified message has come from, if it is the principal's newest. */
  heard(exchange: OpenExchange): void {
    this.#owners.heard(exchange)
  }

  /** Sends the new state of a resource to everybody who observes it. An answer that is not 2.xx ends the observations. */
  notify(resource: string, response: Response, now: number): readonly Effect[] {
    const effects: Effect[] = []
    for (const observer of [...(this.#byResource.get(resource) ?? [])]) {
      // One confirmable notification at a time (section 4.5.1): the newest state waits for its ACK or its next retransmission.
      if (observer.transmission === undefined) this.#send(observer, response, now, effects)
      // An end that waits is not taken back by a state that comes after it.
      else if (observer.latest === undefined || isSuccess(observer.latest.code)) observer.latest = response
    }
    return effects
  }

  /** Takes an RST that matches no confirmable message: whether it ended an observation. */
  reset(peer: Peer, messageId: number): boolean {
    const observer = this.#byResetKey.get(`${peerKey(peer)} ${messageId}`)
    if (observer === undefined) return false
    this.#remove(observer)
    return true
  }

  #send(observer: Observer, response: Response, now: number, effects: Effect[]): void {
    const { peer } = observer.request
    const isConfirmable = this.#isConfirmable(observer, response, now)
    const message = this.#message(observer, response, isConfirmable, now)
    if (message === undefined) {
      this.withheld++
      return
    }
    const { messageId, bytes } = message
    effects.push({ kind: 'send', bytes, peer })
    if (isConfirmable) {
      observer.current = response
      observer.transmission = this.#outgoing.transmissions.add(
        {
          peer,
          messageId,
          bytes: bytes.slice(),
          onEnd: (end, at, more) => this.#ended(observer, end === 'acknowledged', at, more),
          renew: (at) => this.#renewal(observer, at),
        },
        now,
      )
    } else {
      this.#byResetKey.delete(observer.resetKey)
      observer.resetKey = `${peerKey(peer)} ${messageId}`
      this.#byResetKey.set(observer.resetKey, observer)
    }
    if (!isSuccess(response.code)) this.#remove(observer, false)
  }

  /** The newest state instead of a stale one, when it is time to send again (section 4.5.2). */
  #renewal(observer: Observer, now: number): Renewal | undefined {
    const { latest, current, transmission, request } = observer
    const hasMoved = transmission !== undefined && !isSamePeer(transmission.peer, request.peer)
    const state = latest ?? (hasMoved ? current : undefined)
    if (state === undefined) return undefined
    const message = this.#message(observer, state, true, now)
    if (message === undefined) {
      this.withheld++
      return undefined
    }
    observer.latest = undefined
    observer.current = state
    if (!isSuccess(state.code)) this.#remove(observer, false)
    return { ...message, bytes: message.bytes.slice() }
  }

  #message(observer: Observer, response: Response, isConfirmable: boolean, now: number): Renewal | undefined {
    const { request, token, peerHash, protection } = observer
    const { code, options = [], payload = NO_BYTES } = this.#downloads.cut(request, response, now)
    const plain = {
      code,
      options: isSuccess(response.code) ? [...options, this.#nextOption(observer)] : options,
      payload,
    }
    const fields = protection === undefined ? plain : protection.protect(plain, false)
    if (fields === undefined) return undefined
    const messageId = this.#outgoing.nextMessageId(peerHash)
    const type = isConfirmable ? TYPE.CON : TYPE.NON
    const bytes = this.#outgoing.full({ type, messageId, token, ...fields })
    return { peer: request.peer, messageId, bytes }
  }

  #isConfirmable(observer: Observer, { confirmable }: Response, now: number): boolean {
    if (confirmable === undefined) return now - observer.provenAt >= this.#settings.confirmNotificationsMs
    return confirmable || now - Math.max(observer.provenAt, observer.registeredAt) >= CONFIRM_WITHIN
  }

  #ended(observer: Observer, isAcknowledged: boolean, now: number, effects: Effect[]): void {
    observer.transmission = undefined
    observer.current = undefined
    if (this.#byId.get(observer.id) !== observer) return
    if (!isAcknowledged) {
      this.#remove(observer)
      return
    }
    observer.provenAt = now
    this.#unproven.delete(observer)
    const { latest } = observer
    observer.latest = undefined
    if (latest !== undefined) this.#send(observer, latest, now, effects)
  }

  #nextOption(observer: Observer): Option {
    observer.sequence = (observer.sequence + 1) & SEQUENCE_MASK
    return { number: OPTION.OBSERVE, value: uintBytes(observer.sequence) }
  }

  /** Whether there is room for one more of this peer, if need be after removing one. */
  #makeRoom(exchange: OpenExchange): boolean {
    const own = this.#owners.allOf(exchange)
    if (own !== undefined && own.size >= this.#settings.observersPerPeer) {
      // Its oldest: a peer that has started anew no longer knows it.
      const [oldest] = own
      if (oldest !== undefined) this.#evict(oldest)
    }
    if (this.#byId.size < this.#settings.observersMax) return true
    const [stranger] = this.#unproven
    if (stranger !== undefined) this.#evict(stranger)
    return stranger !== undefined
  }

  #evict(observer: Observer): void {
    this.#remove(observer)
    this.evicted++
  }

  #remove(observer: Observer, withTransmission = true): void {
    this.#byId.delete(observer.id)
    this.#unproven.delete(observer)
    this.#byResetKey.delete(observer.resetKey)
    removeFrom(this.#byResource, observer.resource, observer)
    this.#owners.remove(observer)
    if (withTransmission && observer.transmission !== undefined) {
      this.#outgoing.transmissions.remove(observer.transmission)
    }
  }
}

function idOf(exchange: OpenExchange): string {
  return `${ownerKey(exchange.request)} ${hex(exchange.token)}`
}

function addTo<T>(sets: Map<string, Set<T>>, key: string, item: T): void {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([item]))
  else set.add(item)
}

function removeFrom<T>(sets: Map<string, Set<T>>, key: string, item: T): void {
  const set = sets.get(key)
  set?.delete(item)
  if (set?.size === 0) sets.delete(key)
}
