import { createHash } from 'node:crypto'
import { changeControl } from '@pesebre/contract/commands/change'
import { CONTROL_SHADOW } from '@pesebre/contract/control'
import type { Database } from '../../web/server/src/db/database.ts'
import { createDevices, type Devices } from '../../web/server/src/devices/devices.ts'
import { openFirmware } from '../../web/server/src/devices/firmware.ts'
import type { DeviceChange } from '../../web/server/src/devices/parts.ts'
import { createPeek } from '../../web/server/src/devices/peek.ts'
import type { Registry } from '../../web/server/src/devices/registry.ts'
import type { ShadowDocument } from '../../web/server/src/iot/shadows.ts'

export const FLEET_KEY = { version: 2, key: new Uint8Array(32).fill(0xab) }

export type FakeDevices = {
  readonly devices: Devices
  /** By thing, or `thing/control`. */
  readonly shadows: Map<string, ShadowDocument>
  readonly things: Map<string, string | undefined>
  /** State by id of the certificate. */
  readonly certificates: Map<string, { thing: string; policy: string; status: string }>
  readonly changes: DeviceChange[]
  /** The next call of this function of the registry, or of `changeControl`, fails. */
  fail(what: keyof Registry | 'changeControl'): void
}

/** The administration of devices on a fake AWS IoT. */
export function fakeDevices(
  { db, now }: { db: Database; now: () => number },
  {
    firmwareDir,
    isConnected,
  }: { firmwareDir?: string; isConnected?: (thing: string) => boolean | null } = {},
): FakeDevices {
  const shadows = new Map<string, ShadowDocument>()
  const things = new Map<string, string | undefined>()
  const certificates = new Map<string, { thing: string; policy: string; status: string }>()
  const changes: DeviceChange[] = []
  const failing = new Set<string>()

  function maybeFail(what: string): void {
    if (failing.delete(what)) throw new Error(`Fake: ${what} fails`)
  }

  const registry: Registry = {
    ensureThing: async (thing, kind) => {
      maybeFail('ensureThing')
      things.set(thing, kind)
    },
    createCertificate: async (thing, policy) => {
      maybeFail('createCertificate')
      const id = createHash('sha256').update(`${thing}${certificates.size}`).digest('hex')
      certificates.set(id, { thing, policy, status: 'ACTIVE' })
      return { id, arn: `arn:aws:iot:us-east-1:1:cert/${id}`, certificate: 'CERT\n', key: 'KEY\n' }
    },
    setCertificate: async (id, status) => {
      maybeFail('setCertificate')
      certificates.get(id)!.status = status
    },
    discardCertificate: async (_, { id }) => void certificates.delete(id),
    certificatesOf: async (thing) =>
      [...certificates].filter(([, one]) => one.thing === thing).map(([id]) => id),
    kindOf: async (thing) => (things.has(thing) ? (things.get(thing) ?? null) : undefined),
    listThings: async () => [...things].map(([thing, kind]) => ({ thing, kind })),
    close() {},
  }
  const read = async (thing: string, name?: string) =>
    shadows.get(name === undefined ? thing : `${thing}/${name}`)
  const devices = createDevices({
    db,
    now,
    registry,
    leases: { seen: () => new Map(), back: () => undefined, completeTo: () => now() - 180_000 },
    shadows: {
      read,
      changeControl: async (thing, decide) => {
        maybeFail('changeControl')
        const key = `${thing}/${CONTROL_SHADOW}`
        return changeControl(
          {
            read: async () => shadows.get(key),
            write: async (_, patch, version) => {
              const before = shadows.get(key)
              if (before?.version !== version) return false
              const { desired = {}, reported = {} } = (before?.state ?? {}) as Record<string, object>
              const state = { desired: merged(desired, patch), reported }
              shadows.set(key, { version: (version ?? 0) + 1, state })
              return true
            },
            sleep: async () => {},
            random: () => 0,
          },
          thing,
          decide,
        )
      },
    },
    states: { current: () => undefined },
    peek: createPeek({ read }, () => {}),
    fleetKey: async () => FLEET_KEY,
    gateways: [{ id: 'a', host: 'gate.example', port: 5683 }],
    mqtt: { host: 'iot.example', port: 8883, authority: 'CA\n' },
    policyPrefix: 'yard-',
    firmware: openFirmware(firmwareDir),
    onError: (error) => {
      throw error
    },
    onChange: (change) => changes.push(change),
    ...(isConnected && { isConnected }),
  })
  return { devices, shadows, things, certificates, changes, fail: (what) => void failing.add(what) }
}

/** As AWS IoT merges: objects into objects, null removes, all else is replaced. */
function merged(into: object, patch: object): object {
  const result: Record<string, unknown> = { ...into }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else if (isMap(value) && isMap(result[key])) result[key] = merged(result[key], value)
    else result[key] = value
  }
  return result
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
