import { join } from 'node:path'

/** The gateways of the local stack; `b` runs where PESEBRE_GATEWAYS is 2. Each id is part of the keys of every device. */
export const GATEWAY_IDS = ['a', 'b'] as const
export type GatewayId = (typeof GATEWAY_IDS)[number]

/** Where things of one gateway are in the home of the stack. */
export type GatewayFiles = {
  readonly journal: string
  /** Of its MQTT client: PEM. */
  readonly certificate: string
  readonly key: string
  /** The authority that the MQTT broker is verified by: PEM, made by the stand-in for AWS IoT. */
  readonly authority: string
}

/** @param home absolute */
export function gatewayFiles(home: string, id: GatewayId): GatewayFiles {
  const dir = join(home, 'gateways', id)
  return {
    journal: join(home, id === 'a' ? 'journal' : `journal-${id}`),
    certificate: join(dir, 'certificate.pem'),
    key: join(dir, 'key.pem'),
    authority: join(home, 'iot', 'ca.pem'),
  }
}
