/** What is flashed into a feeder besides its firmware (firmware/apps/feeder/main/board.c reads it): identity, Wi-Fi, first number. */
import { pbkdf2Sync } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { GATEWAYS_MAX } from '@pesebre/contract/check-in'
import type { DeviceIdentity, GatewayAddress } from '@pesebre/contract/identity'
import { Misuse } from './command.ts'
import type { NvsContent } from './nvs.ts'

/** Size of the partition `nvs` in firmware/apps/feeder/partitions.csv. */
export const NVS_SIZE = 0x8000

/** `struct gateways` of firmware/core/check_in.h, whose places firmware/test/vectors.c holds to these. */
const GATEWAYS = { bytes: 344, count: 4, list: 6, each: 84, host: 17, port: 82, hostMax: 63 } as const

export type WifiNetwork = { readonly ssid: string; readonly password: string }

/** @throws Misuse for what a feeder cannot use */
export function flashOf(
  { kid, secret, gateways }: DeviceIdentity,
  wifi: WifiNetwork | undefined,
): NvsContent {
  return {
    identity: {
      kid: Buffer.from(kid, 'hex'),
      secret: Buffer.from(secret, 'hex'),
      gateways: gatewaysOf(gateways),
      ...(wifi && { ssid: Buffer.from(wifi.ssid), psk: Buffer.from(keyOf(wifi)) }),
    },
    // It has never spoken: without this it would not (firmware/core/feeder.h, FEEDER_NOT_PROVISIONED).
    feeder: { seq: new Uint8Array(4) },
  }
}

function gatewaysOf(gateways: readonly GatewayAddress[]): Uint8Array {
  if (gateways.length === 0 || gateways.length > GATEWAYS_MAX)
    throw new Misuse(`A feeder is flashed with 1 to ${GATEWAYS_MAX} --gateways: ${gateways.length}`)
  const struct = Buffer.alloc(GATEWAYS.bytes)
  struct[GATEWAYS.count] = gateways.length
  for (const [index, { id, host, port }] of gateways.entries()) {
    if (!isIPv4(host))
      throw new Misuse(
        `A feeder is flashed with the addresses of its gateways, as 192.0.2.7 is one: "${host}"`,
      )
    const at = GATEWAYS.list + index * GATEWAYS.each
    struct.write(id, at, 'latin1')
    struct.write(host, at + GATEWAYS.host, 'latin1')
    struct.writeUInt16LE(port, at + GATEWAYS.port)
  }
  return struct
}

/** The key as 64 hex digits, so that the feeder spends no time on it (IEEE 802.11, annex on the pass-phrase mapping). */
function keyOf({ ssid, password }: WifiNetwork): string {
  if (Buffer.byteLength(ssid) < 1 || Buffer.byteLength(ssid) > 32)
    throw new Misuse(`The name of a network has 1 to 32 bytes: "${ssid}"`)
  if (/^[0-9a-fA-F]{64}$/.test(password)) return password.toLowerCase()
  if (!/^[ -~]{8,63}$/.test(password))
    throw new Misuse(
      'PESEBRE_WIFI_PASSWORD must have 8 to 63 printable ASCII characters, or be 64 hex digits',
    )
  return pbkdf2Sync(password, ssid, 4096, 32, 'sha1').toString('hex')
}
