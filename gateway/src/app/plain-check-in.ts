import {
  FEEDER_STATE_KEYS,
  SECONDS_MAX,
  STATE_SCALES,
  UPLINK_KEYS,
  type Uplink,
} from '@pesebre/contract/check-in'
import { argument, begin, otherwise, position, text } from './plain-cbor.ts'
import { plainState } from './plain-reading.ts'

/** An uplink without outcomes, its state as JSON that holds until the next reading; undefined when it has none. */
export type PlainCheckIn = { json: Uint8Array | undefined; uplink: Uplink }

/** More digits are no number of a field but its name (contract/src/fields.ts). */
const FIELD_MAX = 999_999_999
const feederNames = namesOf(FEEDER_STATE_KEYS)
const feederScales = feederNames.map((name) => STATE_SCALES[name.slice(1, -1)] ?? 1)

/** Of the key read last. */
let scale = 1

/**
 * The short cut for the ordinary check-in: one CBOR map with the numbers of UPLINK_KEYS, whose state is plain. Returns undefined for
 * everything else, legal or not, as plainReading does: then the long way (numbered.ts of the contract) decides.
 */
export function plainCheckIn(bytes: Uint8Array, kind: string): PlainCheckIn | undefined {
  const members = bytes[0]! - 0xa0
  if (!(members >= 1 && members <= 8)) return undefined
  begin(1)
  const uplink: Uplink = {}
  let json: Uint8Array | undefined
  let seen = 0
  for (let i = 0; i < members; i++) {
    const at = position()
    const key = bytes[at]!
    if (key > 7 || (seen & (1 << key)) !== 0) return undefined
    seen |= 1 << key
    begin(at + 1)
    if (key === UPLINK_KEYS.state) json = plainState(bytes, kind === 'feeder' ? feederKey : otherKey, scaleOf)
    else field(uplink, key, bytes)
    if (position() < 0) return undefined
  }
  return position() === bytes.length ? { json, uplink } : undefined
}

function field(uplink: Uplink, key: number, bytes: Uint8Array): void {
  switch (key) {
    case UPLINK_KEYS.age_s:
      uplink.age_s = uint(bytes, 0, SECONDS_MAX)
      break
    case UPLINK_KEYS.interval_s:
      uplink.interval_s = uint(bytes, 1, SECONDS_MAX)
      break
    case UPLINK_KEYS.config_version:
      uplink.config_version = uint(bytes, 0, 0xffff_ffff)
      break
    case UPLINK_KEYS.changed:
      uplink.changed = boolean(bytes)
      break
    case UPLINK_KEYS.clock:
      uplink.clock = uint(bytes, 0, 0xffff_ffff)
      break
    case UPLINK_KEYS.no_reply:
      uplink.no_reply = boolean(bytes)
      break
    default:
      otherwise()
  }
}

function uint(bytes: Uint8Array, min: number, max: number): number {
  if (bytes[position()]! >> 5 !== 0) return otherwise()
  const value = argument(bytes)
  return value >= min && value <= max ? value : otherwise()
}

function boolean(bytes: Uint8Array): boolean {
  const at = position()
  const head = bytes[at]
  if (head !== 0xf4 && head !== 0xf5) return otherwise() === 1
  begin(at + 1)
  return head === 0xf5
}

function feederKey(bytes: Uint8Array): string {
  return stateKey(bytes, feederNames, feederScales)
}

function otherKey(bytes: Uint8Array): string {
  return stateKey(bytes, NO_NAMES, NO_SCALES)
}

const NO_NAMES: readonly string[] = []
const NO_SCALES: readonly number[] = []

function stateKey(bytes: Uint8Array, names: readonly string[], scales: readonly number[]): string {
  scale = 1
  if (bytes[position()]! >> 5 !== 0) {
    const name = text(bytes)
    // The text of a number stands for that number.
    return name >= '"0' && name < '":' ? `${otherwise()}` : name
  }
  const number = argument(bytes)
  if (number > FIELD_MAX) return `${otherwise()}`
  scale = scales[number] ?? 1
  return names[number] ?? `"f${number}"`
}

function scaleOf(): number {
  return scale
}

function namesOf(table: Readonly<Record<string, number>>): readonly string[] {
  const names: string[] = []
  for (const [name, number] of Object.entries(table)) names[number] = `"${name}"`
  return names
}
