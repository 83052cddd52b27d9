import { createHmac } from 'node:crypto'
import type { DeviceIdentity, GatewayAddress } from '@pesebre/contract/identity'
import {
  GATEWAY_SENDER_ID,
  type KidKind,
  kidOf,
  MASTER_SECRET_BYTES,
  masterSecretInfo,
  thingName,
} from '@pesebre/contract/kid'
import type { FleetKey } from './fleet-keys.ts'

export type IdentityInput = {
  readonly kind: KidKind
  readonly number: number
  readonly fleetKey: FleetKey
  readonly name: string | undefined
  readonly gateways: readonly GatewayAddress[]
}

/** Derives the identity of a device: its name, its kid, and its key from the fleet key. */
export function makeIdentity({ kind, number, fleetKey, name, gateways }: IdentityInput): DeviceIdentity {
  const kid = kidOf({ kind, version: fleetKey.version, number })
  return {
    ...(name !== undefined && { name }),
    thing: thingName(kind, number),
    number,
    kid: hex(kid),
    secret: hex(masterSecret(fleetKey.key, kid)),
    gateway_kid: hex(GATEWAY_SENDER_ID),
    gateways: [...gateways],
  }
}

/** HKDF-Expand (RFC 5869 section 2.3, SHA-256): its first block is longer than what is needed. */
function masterSecret(fleetKey: Uint8Array, kid: Uint8Array): Uint8Array {
  const block = createHmac('sha256', fleetKey).update(masterSecretInfo(kid)).update(Uint8Array.of(1)).digest()
  return block.subarray(0, MASTER_SECRET_BYTES)
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

function bytesOf(text: string): string {
  return `{ ${[...Buffer.from(text, 'hex')].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(', ')} }`
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
