import { FLEET_KEY_BYTES, FLEET_KEY_VERSION_MAX } from './kid.ts'

/** The fleet keys by their version. From one of them and its kid comes every device's own key, so that no table of devices is needed. */
export type FleetKeys = ReadonlyMap<number, Uint8Array>

/**
 * Reads `{"1":"<64 hex>","2":...}`. Throws Error for anything else; its message holds nothing of a key.
 * `where` is what the error message names: a file, a parameter.
 */
export function parseFleetKeys(text: string, where: string): FleetKeys {
  const keys = new Map<number, Uint8Array>()
  for (const [version, key] of entriesOf(text, where)) {
    if (!/^\d{1,2}$/.test(version) || Number(version) > FLEET_KEY_VERSION_MAX)
      throw new Error(
        `Cannot read the fleet keys: version "${version}" is not 0 to ${FLEET_KEY_VERSION_MAX}: ${where}`,
      )
    if (typeof key !== 'string' || !HEX.test(key))
      throw new Error(
        `Cannot read the fleet keys: key ${version} is not ${FLEET_KEY_BYTES * 2} hex digits: ${where}`,
      )
    keys.set(Number(version), bytesOf(key))
  }
  if (keys.size === 0) throw new Error(`Cannot read the fleet keys: none is there: ${where}`)
  return keys
}

const HEX = new RegExp(`^[0-9a-fA-F]{${FLEET_KEY_BYTES * 2}}$`)

function entriesOf(text: string, where: string): [string, unknown][] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Without the cause: V8 quotes the text, and the text is the secret.
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`Cannot read the fleet keys: not a JSON object of versions and keys: ${where}`)
  return Object.entries(value)
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  )
}
