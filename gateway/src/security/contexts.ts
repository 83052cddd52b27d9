import { deriveSecurityContext, type SecurityContext } from '@pesebre/coap/oscore/context'
import type { CryptoPrimitives } from '@pesebre/coap/oscore/crypto'
import type { Acceptance } from '@pesebre/coap/oscore/replay-window'
import type { RecipientContext } from '@pesebre/coap/oscore/server'
import type { FleetKeys } from '@pesebre/contract/fleet-keys'
import {
  GATEWAY_SENDER_ID,
  idContextOf,
  KINDS,
  MASTER_SECRET_BYTES,
  masterSecretInfo,
  thingOfKid,
} from '@pesebre/contract/kid'
import type { DeviceWindow, Windows } from './windows.ts'

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
  let young = new Map<number, SecurityContext>()
  let old = new Map<number, SecurityContext>()
  let unproven = new Map<number, SecurityContext>()

  function find(kid: Uint8Array): DeviceContext | undefined {
    const device = thingOfKid(kid)
    if (device === undefined) return undefined
    const key = keyOf(kid)
    const held = young.get(key) ?? old.get(key)
    const context = held ?? unproven.get(key) ?? derive(kid, device.version)
    if (context === undefined) return undefined
    const isKept = young.has(key)
    if (held === undefined) suspect(key, context)
    const window = windows.of({ kind: KINDS[device.type], number: key % 2 ** 32 })
    return new Found(
      { context, principal: device.thing, window },
      isKept ? undefined : () => keep(key, context),
    )
  }

  function derive(kid: Uint8Array, version: number): SecurityContext | undefined {
    const fleetKey = fleetKeys.get(version)
    if (fleetKey === undefined) return undefined
    const masterSecret = expand(fleetKey, masterSecretInfo(kid), MASTER_SECRET_BYTES)
    const recipientId = kid.slice()
    return deriveSecurityContext(
      { masterSecret, senderId: GATEWAY_SENDER_ID, recipientId, idContext },
      crypto,
    )
  }

  function suspect(key: number, context: SecurityContext): void {
    if (unproven.size >= UNPROVEN_MAX) unproven = new Map()
    unproven.set(key, context)
  }

  function keep(key: number, context: SecurityContext): void {
    unproven.delete(key)
    if (young.size >= settings.kept) {
      old = young
      young = new Map()
    }
    young.set(key, context)
  }

  return { find, count: () => young.size + old.size + unproven.size }
}

/** Made for every request; see `View` in windows.ts. */
class Found implements DeviceContext, DeviceWindow {
  readonly context: SecurityContext
  readonly principal: string
  readonly #window: DeviceWindow
  readonly #onProof: (() => void) | undefined

  /** `onProof` is called when a request has proved that it has the key. */
  constructor(
    { context, principal, window }: { context: SecurityContext; principal: string; window: DeviceWindow },
    onProof: (() => void) | undefined,
  ) {
    this.context = context
    this.principal = principal
    this.#window = window
    this.#onProof = onProof
  }

  get replayWindow(): DeviceWindow {
    return this
  }

  check(sequenceNumber: number): boolean {
    return this.#window.check(sequenceNumber)
  }

  /** Called after decryption only. */
  commit(sequenceNumber: number, echo: Uint8Array | undefined): Acceptance {
    this.#onProof?.()
    return this.#window.commit(sequenceNumber, echo)
  }

  get echo(): Uint8Array {
    return this.#window.echo
  }
}

/** A kid as one number of 40 bits. */
function keyOf(kid: Uint8Array): number {
  return kid[0]! * 2 ** 32 + (((kid[1]! << 24) | (kid[2]! << 16) | (kid[3]! << 8) | kid[4]!) >>> 0)
}
