/**
 * Names and OSCORE identities of registered devices. A device's Sender ID (`kid`) says its kind, which fleet key its
 * own key comes from, and its number; kind and number are also its thing name. So no table of devices exists anywhere.
 *
 * A kid is five bytes: 4 bits kind, 4 bits version of the fleet key, 32 bits device number, big endian.
 */

/** The kinds of registered devices, by name; each is also the thing type name. */
export const KINDS = { feeder: 1, camera: 2, waterer: 3, sensor: 4, test: 15 } as const
export type Kind = keyof typeof KINDS

/** Kinds that speak CoAP, and so have a kid. Cameras speak MQTT only. */
export type KidKind = Exclude<Kind, 'camera'>

export const KID_BYTES = 5
/** Highest version of a fleet key: 4 bits. */
export const FLEET_KEY_VERSION_MAX = 15
/** Highest device number: 32 bits. */
export const DEVICE_NUMBER_MAX = 0xffff_ffff

/** OSCORE Sender ID of every gateway: "g". Gateways differ by their ID Context, which is never sent. */
export const GATEWAY_SENDER_ID: Uint8Array = Uint8Array.of(0x67)

/** Length of a device's OSCORE Master Secret, bytes. There is no Master Salt. */
export const MASTER_SECRET_BYTES = 16
/** Length of a fleet key, bytes. */
export const FLEET_KEY_BYTES = 32

/** What a kid says. */
export type Device = {
  /** Thing name. */
  readonly thing: string
  /** Kind, which is also the thing type name. */
  readonly type: KidKind
  /** Which fleet key the device's own key comes from, 0 to 15. */
  readonly version: number
}

const kindByNumber: readonly (Kind | undefined)[] = Array.from({ length: 16 }, (_, number) =>
  (Object.keys(KINDS) as Kind[]).find((kind) => KINDS[kind] === number),
)
const secureName = new RegExp(`^(${Object.keys(KINDS).join('|')})-([0-9a-f]{8})$`)
const encoder = new TextEncoder()
const INFO_PREFIX = encoder.encode('pesebre/oscore/1')

/** Whose kid this is; undefined when it is nobody's: another length, or a kind that has no kid. */
export function thingOfKid(kid: Uint8Array): Device | undefined {
  if (kid.length !== KID_BYTES) return undefined
  const type = kindByNumber[kid[0]! >> 4]
  if (type === undefined || type === 'camera') return undefined
  const number = ((kid[1]! << 24) | (kid[2]! << 16) | (kid[3]! << 8) | kid[4]!) >>> 0
  return { thing: thingName(type, number), type, version: kid[0]! & 0x0f }
}

/** The kid of a device. Throws RangeError for a version or number that does not fit. */
export function kidOf({
  kind,
  version,
  number,
}: {
  kind: KidKind
  version: number
  number: number
}): Uint8Array {
  if (!isUint(version, FLEET_KEY_VERSION_MAX)) throw new RangeError(`Make a kid: version ${version}`)
  if (!isUint(number, DEVICE_NUMBER_MAX)) throw new RangeError(`Make a kid: number ${number}`)
  return Uint8Array.of((KINDS[kind] << 4) | version, number >>> 24, number >>> 16, number >>> 8, number)
}

/** Thing name of a registered device: `feeder-1a2b3c4d`. */
export function thingName(kind: Kind, number: number): string {
  return `${kind}-${number.toString(16).padStart(8, '0')}`
}

/** Kind and number in the name of a registered device; undefined when it is none. */
export function deviceOfThing(name: string): { kind: Kind; number: number } | undefined {
  const found = secureName.exec(name)
  return found === null ? undefined : { kind: found[1] as Kind, number: Number.parseInt(found[2]!, 16) }
}

/** Whether a name has the form of a registered device. The open form must not report under such a name. */
export function isSecureName(name: string): boolean {
  return secureName.test(name)
}

export function isKind(name: string): name is Kind {
  return Object.hasOwn(KINDS, name)
}

/**
 * The `info` of a device's Master Secret:
 * HKDF-Expand (RFC 5869 section 2.3, SHA-256) of the fleet key, this info, MASTER_SECRET_BYTES.
 */
export function masterSecretInfo(kid: Uint8Array): Uint8Array {
  const info = new Uint8Array(INFO_PREFIX.length + kid.length)
  info.set(INFO_PREFIX)
  info.set(kid, INFO_PREFIX.length)
  return info
}

/** OSCORE ID Context of a gateway: mixed into the derivation, not sent (RFC 8613 section 3.1). */
export function idContextOf(gatewayId: string): Uint8Array {
  return encoder.encode(gatewayId)
}

function isUint(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max
}
