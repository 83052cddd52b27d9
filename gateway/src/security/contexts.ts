import { deriveSecurityContext, type SecurityContext } from '@pesebre/coap/oscore/context'
import type { CryptoPrimitives } from '@pesebre/coap/oscore/crypto'
import type { Acceptance } from '@pesebre/coap/oscore/replay-window'
import type { RecipientContext } from '@pesebre/coap/oscore/server'
import type { FleetKeys } from '@pesebre/contract/fleet-keys'
import {
  GATEWAY_SENDER_ID,
  idContextOf,
  KID_BYTES,
  MASTER_SECRET_BYTES,
  masterSecretInfo,
  thingOfKid,
} from '@pesebre/contract/kid'
import type { DeviceKey, DeviceWindow, Windows } from './windows.ts'

export type ContextsSettings = {
  readonly fleetKeys: FleetKeys
  readonly gatewayId: string
  readonly crypto: CryptoPrimitives
  /** HKDF-Expand, SHA-256. */
  readonly expand: (key: Uint8Array, info: Uint8Array, length: number) => Uint8Array
  readonly windows: Windows
  /** So many contexts at least are kept of devices that have proved themselves, at most twice; those not used for longest make room. */
  readonly kept: number
}

/** What `verifyRequest` looks up for a kid. */
export type DeviceContext = RecipientContext & {
  readonly principal: string
  readonly replayWindow: DeviceWindow
}

export type Contexts = {
  /** The context for a kid; undefined when it cannot be a device's: another length or kind, no such fleet key. */
  find(kid: Uint8Array): DeviceContext | undefined
  /** Contexts held. */
  count(): number
}

/** Contexts whose kid anyone may have made up, kept so that repeats of one cost no derivation. */
const UNPROVEN_MAX = 1024

/**
 * The security contexts of one thread, derived on first use from kid, fleet key and gateway id (design/wire.md section 2). Kept
 * only once a request has proved the key: kids that are made up push nobody out.
 */
export function createContexts(settings: ContextsSettings): Contexts {
  const { fleetKeys, crypto, expand, windows } = settings
  const idContext = idContextOf(settings.gatewayId)
  // By device number. Of two kinds, or two versions of a key, that have one number, the last to prove itself is held.
  let young = new Map<number, Device>()
  let old = new Map<number, Device>()
  let unproven = new Map<number, Device>()
  /** Counts how often `young` has become `old`. */
  let generation = 0
  const holder: Holder = { windows, onProof }

  function find(kid: Uint8Array): DeviceContext | undefined {
    if (kid.length !== KID_BYTES) return undefined
    const number = numberOf(kid)
    return (
      ofKind(kid, young.get(number)) ??
      ofKind(kid, old.get(number)) ??
      ofKind(kid, unproven.get(number)) ??
      meet(kid, number)
    )
  }

  function meet(kid: Uint8Array, number: number): Device | undefined {
    const device = thingOfKid(kid)
    if (device === undefined) return undefined
    const fleetKey = fleetKeys.get(device.version)
    if (fleetKey === undefined) return undefined
    const masterSecret = expand(fleetKey, masterSecretInfo(kid), MASTER_SECRET_BYTES)
    const recipientId = kid.slice()
    const context = deriveSecurityContext(
      { masterSecret, senderId: GATEWAY_SENDER_ID, recipientId, idContext },
      crypto,
    )
    const met = new Device({ context, principal: device.thing, head: kid[0]!, key: number }, holder)
    if (unproven.size >= UNPROVEN_MAX) unproven = new Map()
    unproven.set(number, met)
    return met
  }

  function onProof(device: Device): void {
    if (device.keptIn === generation) return
    unproven.delete(device.key)
    if (young.size >= settings.kept) {
      old = young
      young = new Map()
      generation++
    }
    young.set(device.key, device)
    device.keptIn = generation
  }

  return { find, count: () => young.size + old.size + unproven.size }
}

/** What all devices share. `onProof` is called whenever a request has proved that it has the device's key. */
type Holder = { readonly windows: Windows; onProof(device: Device): void }

/**
 * A device whose context is held. One object is all that `verifyRequest` asks of it: nothing is made for a request. And a small one,
 * since there may be a hundred thousand.
 */
class Device implements DeviceContext, DeviceWindow, DeviceKey {
  readonly context: SecurityContext
  readonly principal: string
  /** First byte of the kid: its kind and the version of its key. */
  readonly head: number
  /** The rest of the kid as `numberOf` has it. */
  readonly key: number
  /** The generation in which it was last kept, -1 before the key was proved. */
  keptIn = -1
  readonly #holder: Holder

  constructor(
    { context, principal, head, key }: Pick<Device, 'context' | 'principal' | 'head' | 'key'>,
    holder: Holder,
  ) {
    this.context = context
    this.principal = principal
    this.head = head
    this.key = key
    this.#holder = holder
  }

  get kind(): number {
    return this.head >> 4
  }

  get number(): number {
    return this.key >>> 0
  }

  get replayWindow(): DeviceWindow {
    return this
  }

  /** Decided after decryption only, so that who has no key cannot find out which devices this gateway has heard. */
  check(): boolean {
    return true
  }

  /** Called after decryption only. */
  commit(sequenceNumber: number, echo: Uint8Array | undefined): Acceptance {
    this.#holder.onProof(this)
    return this.#holder.windows.commit(this, sequenceNumber, echo)
  }

  get echo(): Uint8Array {
    return this.#holder.windows.echoOf(this)
  }
}

function ofKind(kid: Uint8Array, device: Device | undefined): Device | undefined {
  return device !== undefined && device.head === kid[0] ? device : undefined
}

/** The device number in a kid, as a signed number: V8 looks up those of 32 bits several times faster than all of the kid's 40. */
function numberOf(kid: Uint8Array): number {
  return (kid[1]! << 24) | (kid[2]! << 16) | (kid[3]! << 8) | kid[4]!
}
