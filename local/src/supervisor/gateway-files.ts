import { join } from 'node:path'

/** The gateways of the local stack; `b` runs where PESEBRE_GATEWAYS is 2. Each id is part of the keys of every device. */
export const GATEWAY_IDS = ['a', 'b'] as const
export type GatewayId = (typeof GATEWAY_IDS)[number]

/** Where the files of one MQTT client are in the home of the stack: PEM. */
export type MqttFiles = {
  readonly certificate: string
  readonly key: string
  /** The authority that the MQTT broker is verified by: PEM, made by the stand-in for AWS IoT. */
  readonly authority: string
}

export type GatewayFiles = MqttFiles & { readonly journal: string }

/** @param home absolute */
export function gatewayFiles(home: string, id: GatewayId): GatewayFiles {
  return {
    journal: join(home, id === 'a' ? 'journal' : `journal-${id}`),
    ...mqttFiles(home, join(home, 'gateways', id)),
  }
}

/** Of the web server. @param home absolute */
export function webFiles(home: string): MqttFiles {
  return mqttFiles(home, join(home, 'web'))
}

function mqttFiles(home: string, dir: string): MqttFiles {
  return {
    certificate: join(dir, 'certificate.pem'),
    key: join(dir, 'key.pem'),
    authority: join(home, 'iot', 'ca.pem'),
  }
}
