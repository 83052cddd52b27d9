/** What is flashed into a device when it is registered. */
export type DeviceIdentity = {
  /** What people call it. */
  name?: string
  /** Thing name. */
  thing: string
  /** Device number. */
  number: number
  /** OSCORE Sender ID, hexadecimal (kid.ts). */
  kid: string
  /** OSCORE Master Secret, hexadecimal, 16 bytes. There is no Master Salt. */
  secret: string
  /** OSCORE Recipient ID: every gateway's Sender ID, hexadecimal. */
  gateway_kid: string
  /** Gateways in the order in which to try them. The ID Context of each is its id in UTF-8. */
  gateways: GatewayAddress[]
}

export type GatewayAddress = { id: string; host: string; port: number }

/**
 * The text in a device's QR image: `PESEBRE:1:<kid>:<secret>`, in capitals, so that the image is small (QR's alphanumeric mode).
 * Name and thing follow from the kid.
 */
export function qrTextOf({ kid, secret }: Pick<DeviceIdentity, 'kid' | 'secret'>): string {
  return `PESEBRE:1:${kid}:${secret}`.toUpperCase()
}
