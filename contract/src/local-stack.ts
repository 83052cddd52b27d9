/** Where the local stack is to be found: shared by the supervisor, which starts it, and the command line, which talks to it. */

/** Every port: the setting that changes it, its standard, and what listens there on 127.0.0.1. */
export const PORTS = {
  coap: { setting: 'PESEBRE_COAP_PORT', standard: 5683, protocol: 'udp', what: 'the CoAP gateway' },
  admin: { setting: 'PESEBRE_ADMIN_PORT', standard: 9683, protocol: 'tcp', what: "the gateway's admin port" },
  coapB: { setting: 'PESEBRE_COAP_PORT_B', standard: 5684, protocol: 'udp', what: 'the second CoAP gateway' },
  adminB: {
    setting: 'PESEBRE_ADMIN_PORT_B',
    standard: 9684,
    protocol: 'tcp',
    what: "the second gateway's admin port",
  },
  web: { setting: 'PESEBRE_WEB_PORT', standard: 8080, protocol: 'tcp', what: 'the web app' },
  webAdmin: {
    setting: 'PESEBRE_WEB_ADMIN_PORT',
    standard: 9680,
    protocol: 'tcp',
    what: "the web server's admin port",
  },
  aws: { setting: 'PESEBRE_AWS_PORT', standard: 4566, protocol: 'tcp', what: 'SQS and S3' },
  iot: { setting: 'PESEBRE_IOT_PORT', standard: 4567, protocol: 'tcp', what: 'AWS IoT over HTTP' },
  mqtt: { setting: 'PESEBRE_MQTT_PORT', standard: 8883, protocol: 'tcp', what: 'AWS IoT over MQTT' },
} as const

export type PortName = keyof typeof PORTS

/** Name of the queue that the gateway sends to; on AWS a prefix may stand before it. */
export const QUEUE = 'pesebre-reports'
/** Name of the queue for what could not be brought into a shadow. */
export const DEAD_LETTER_QUEUE = 'pesebre-reports-dlq'

/** The bucket: reports under raw/, pictures/, backup/. */
export const BUCKET = 'pesebre'

/** What the local stack keeps in its home (PESEBRE_HOME): the fleet keys, which `register` derives device keys from. */
export const FLEET_KEYS_FILE = 'fleet-keys.json'

/** Region of everything local: part of ARNs and signatures only. */
export const LOCAL_REGION = 'us-east-1'

/** Reads a port. Undefined when the text is none. */
export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : undefined
}
