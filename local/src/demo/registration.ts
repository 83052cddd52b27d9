import { createHmac, randomInt } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  CreateThingCommand,
  CreateThingTypeCommand,
  ResourceAlreadyExistsException,
} from '@aws-sdk/client-iot'
import {
  GetThingShadowCommand,
  IoTDataPlaneClient,
  ResourceNotFoundException,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane'
import { CONTROL_SHADOW, type ControlDesired } from '@pesebre/contract/control'
import { kidOf, thingName } from '@pesebre/contract/kid'
import { FLEET_KEYS_FILE, LOCAL_REGION } from '@pesebre/contract/local-stack'
import { masterSecretOf } from '@pesebre/contract/registration'
import { ignoring, localIot, writeSecret } from '../supervisor/credentials.ts'

const KIND = 'feeder'
const KEY_VERSION = 1
/** The horses that the demo feeders feed. */
const HORSES = ['Sol', 'Mora'] as const

/** A feeder that is registered as a real one is; its identity is kept in the home, so that a restart finds it. */
export type DemoDevice = {
  /** What people call it. */
  readonly name: string
  readonly thing: string
  /** Whom it feeds. */
  readonly horse: string
  /** Where its identity is: what would be flashed into a real one. */
  readonly file: string
}

/** What is flashed into a device. Bytes in hex. */
export type DeviceIdentity = {
  readonly name: string
  readonly thing: string
  readonly number: number
  /** OSCORE Sender ID. */
  readonly kid: string
  /** OSCORE Master Secret. */
  readonly secret: string
}

/**
 * Registers the demo feeders: an identity with a key of its own in the home, the thing type, the thing, and the control shadow
 * that lets it in. What is there stays as it is: a feeder that somebody has disabled is not enabled again.
 * @param endpoint of AWS IoT, both planes
 */
export function ensureDemoDevices(home: string, endpoint: string): Promise<DemoDevice[]> {
  const files = demoFiles(home)
  return ensureFeeders(
    HORSES.map((horse, index) => ({ horse, file: files[index]! })),
    { home, endpoint },
  )
}

/** The same for any feeders: each of a horse, its identity in a file of its own. `home` has the fleet keys. */
export async function ensureFeeders(
  feeders: readonly Pick<DemoDevice, 'horse' | 'file'>[],
  { home, endpoint }: { home: string; endpoint: string },
): Promise<DemoDevice[]> {
  const control = localIot(endpoint)
  const data = new IoTDataPlaneClient({
    endpoint,
    region: LOCAL_REGION,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  })
  try {
    await ignoring(
      ResourceAlreadyExistsException,
      control.send(new CreateThingTypeCommand({ thingTypeName: KIND })),
    )
    const devices: DemoDevice[] = []
    for (const [index, { horse, file }] of feeders.entries()) {
      if (!existsSync(file)) writeSecret(file, `${JSON.stringify(makeIdentity(home, horse, index))}\n`)
      const { name, thing } = readIdentity(file)
      await ignoring(
        ResourceAlreadyExistsException,
        control.send(new CreateThingCommand({ thingName: thing, thingTypeName: KIND })),
      )
      await ensureControl(data, thing, name)
      devices.push({ name, thing, horse, file })
    }
    return devices
  } finally {
    control.destroy()
    data.destroy()
  }
}

/** Where the identities of the demo feeders are. */
export function demoFiles(home: string): string[] {
  return HORSES.map((horse) => join(home, 'demo', `${horse.toLowerCase()}.json`))
}

/** Reads what was flashed. @throws Error with the path when it is not there or damaged */
export function readIdentity(file: string): DeviceIdentity {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as DeviceIdentity
  } catch (cause) {
    throw new Error(`Cannot read the identity of a demo feeder: ${file}: ${(cause as Error).message}`, {
      cause,
    })
  }
}

/** The Master Secret of a device. */
export function masterSecret(fleetKey: Uint8Array, kid: Uint8Array): Buffer {
  const hmac = (key: Uint8Array, data: Uint8Array) => createHmac('sha256', key).update(data).digest()
  return Buffer.from(masterSecretOf(fleetKey, kid, hmac))
}

/** The first feeder gets an even number, the second an odd one: so each starts at another of two gateways. */
function makeIdentity(home: string, horse: string, index: number): DeviceIdentity {
  const number = 2 * randomInt(2 ** 31) + (index % 2)
  const kid = kidOf({ kind: KIND, version: KEY_VERSION, number })
  const keys = JSON.parse(readFileSync(join(home, FLEET_KEYS_FILE), 'utf8')) as Record<string, string>
  const fleetKey = Buffer.from(keys[KEY_VERSION] ?? '', 'hex')
  return {
    name: `${horse}'s feeder`,
    thing: thingName(KIND, number),
    number,
    kid: Buffer.from(kid).toString('hex'),
    secret: masterSecret(fleetKey, kid).toString('hex'),
  }
}

async function ensureControl(data: IoTDataPlaneClient, thing: string, name: string): Promise<void> {
  const shadow = { thingName: thing, shadowName: CONTROL_SHADOW }
  const found = await ignoring(ResourceNotFoundException, data.send(new GetThingShadowCommand(shadow)))
  if (found !== undefined) return
  const desired: ControlDesired = { enabled: true, name, queue: [] }
  const payload = Buffer.from(JSON.stringify({ state: { desired } }))
  await data.send(new UpdateThingShadowCommand({ ...shadow, payload }))
}
