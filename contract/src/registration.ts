/** Registering a device that speaks CoAP: its identity, its key, and what lets it in. Whoever does it passes in an HMAC. */
import type { Attempt } from './commands/change.ts'
import type { Control, ControlDesired } from './control.ts'
import type { FleetKeys } from './fleet-keys.ts'
import type { DeviceIdentity, GatewayAddress } from './identity.ts'
import {
  GATEWAY_SENDER_ID,
  type KidKind,
  kidOf,
  MASTER_SECRET_BYTES,
  masterSecretInfo,
  thingName,
} from './kid.ts'

/** HMAC-SHA-256 (RFC 2104). */
export type Hmac = (key: Uint8Array, data: Uint8Array) => Uint8Array

/** From what the keys of devices are derived: see kid.ts. */
export type FleetKey = { readonly version: number; readonly key: Uint8Array }

/** Longest name that people give a device. */
export const DEVICE_NAME_MAX = 64

export type IdentityInput = {
  readonly kind: KidKind
  readonly number: number
  readonly fleetKey: FleetKey
  readonly name: string | undefined
  readonly gateways: readonly GatewayAddress[]
}

/** Derives the identity of a device: its name, its kid, and its key from the fleet key. */
export function makeIdentity(
  { kind, number, fleetKey, name, gateways }: IdentityInput,
  hmac: Hmac,
): DeviceIdentity {
  const kid = kidOf({ kind, version: fleetKey.version, number })
  return {
    ...(name !== undefined && { name }),
    thing: thingName(kind, number),
    number,
    kid: hex(kid),
    secret: hex(masterSecretOf(fleetKey.key, kid, hmac)),
    gateway_kid: hex(GATEWAY_SENDER_ID),
    gateways: [...gateways],
  }
}

/** A device's OSCORE Master Secret: HKDF-Expand (RFC 5869 section 2.3), whose first block is longer than what is needed. */
export function masterSecretOf(fleetKey: Uint8Array, kid: Uint8Array, hmac: Hmac): Uint8Array {
  const info = masterSecretInfo(kid)
  const first = new Uint8Array(info.length + 1)
  first.set(info)
  first[info.length] = 1
  return hmac(fleetKey, first).subarray(0, MASTER_SECRET_BYTES)
}

/** The fleet key that new devices get theirs from. */
export function newestOf(keys: FleetKeys): FleetKey {
  const [version, key] = [...keys].reduce((newest, each) => (each[0] > newest[0] ? each : newest))
  return { version, key }
}

export type Admission = {
  readonly thing: string
  /** What people call it. */
  readonly name?: string | undefined
  /** Somebody chose its number, which may be that of a device whose shadow was deleted. */
  readonly isChosen: boolean
  /** Milliseconds since 1970. */
  readonly now: number
}

export type AdmissionPorts = {
  /** Compare-and-set on the control shadow, as `changeControl` does it. */
  readonly change: <T extends Attempt>(
    thing: string,
    decide: (control: Control, exists: boolean) => T,
  ) => Promise<T>
  /** Puts the thing, and its type, into AWS IoT's registry. */
  readonly ensureThing: (thing: string) => Promise<void>
}

/**
 * Makes a device known: its thing, and last its control shadow, which lets it in. Resolves to false, and has changed
 * nothing that matters, when a device of this name is registered already.
 */
export async function admit(
  { change, ensureThing }: AdmissionPorts,
  { thing, name, isChosen, now }: Admission,
): Promise<boolean> {
  const free = await change(thing, (_, exists) => ({ desired: undefined, exists }))
  if (free.exists) return false
  await ensureThing(thing)
  const desired: ControlDesired = {
    enabled: true,
    ...(name !== undefined && { name }),
    queue: [],
    ...(isChosen && { next: firstNumber(now) }),
  }
  const made = await change(thing, (_, exists) => ({ desired: exists ? undefined : desired, exists }))
  return !made.exists
}

/**
 * A number that somebody chose may be that of a device whose shadow was deleted. It has acted on commands and takes no lower
 * number again: so counting begins at the seconds since 2026, higher than anyone can have counted.
 */
function firstNumber(now: number): number {
  return Math.max(1, Math.floor((now - Date.UTC(2026, 0, 1)) / 1000))
}

/** The identity as a C header, for firmware that is built per device. */
export function headerOf({ thing, kid, secret, gateway_kid, gateways }: DeviceIdentity): string {
  const addresses = gateways.map(({ id, host, port }) => `{ "${id}", "${host}", ${port} }`).join(', ')
  return `/* Identity of ${thing}. It holds the device's key: keep it out of version control. */
#ifndef PESEBRE_IDENTITY_H
#define PESEBRE_IDENTITY_H

#define PESEBRE_THING "${thing}"
/* OSCORE (RFC 8613): Sender ID, Master Secret (no salt), Recipient ID. */
#define PESEBRE_KID ${bytesOf(kid)}
#define PESEBRE_MASTER_SECRET ${bytesOf(secret)}
#define PESEBRE_GATEWAY_KID ${bytesOf(gateway_kid)}
/* { id, host, port }, in the order in which to try them. The ID Context is the id. */
#define PESEBRE_GATEWAY_COUNT ${gateways.length}
#define PESEBRE_GATEWAYS { ${addresses || '{ 0 }'} }

#endif
`
}

/**
 * Reads `id=host:port,...`, the gateways in the order in which to try them. Undefined for the first entry that is none:
 * then `bad` holds it.
 */
export function parseGateways(text: string): { gateways: GatewayAddress[] } | { bad: string } {
  const gateways: GatewayAddress[] = []
  for (const each of text.split(',')) {
    const found = /^([a-z0-9-]{1,16})=([^\s"\\:]+|\[[0-9a-fA-F:]+\]):(\d{1,5})$/.exec(each.trim())
    if (found === null) return { bad: each }
    gateways.push({ id: found[1]!, host: found[2]!, port: Number(found[3]) })
  }
  return { gateways }
}

function bytesOf(text: string): string {
  return `{ ${(text.match(/../g) ?? []).map((byte) => `0x${byte}`).join(', ')} }`
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
