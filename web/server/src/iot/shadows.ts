import { setTimeout as sleep } from 'node:timers/promises'
import {
  ConflictException,
  GetThingShadowCommand,
  IoTDataPlaneClient,
  ResourceNotFoundException,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane'
import { type Attempt, type ControlPorts, changeControl } from '@pesebre/contract/commands/change'
import { CONTROL_SHADOW, type Control } from '@pesebre/contract/control'

/** A shadow as it stands (AWS IoT Developer Guide, "Device Shadow service documents"). */
export type ShadowDocument = {
  readonly version: number
  readonly state: unknown
  /** Seconds since 1970, of this answer. */
  readonly timestamp?: number
}

/** Shadows over HTTP: what MQTT has not brought, and every write. */
export type Shadows = {
  /** Without a name the classic shadow. Undefined: there is none. Rejects when AWS IoT cannot be asked. */
  read(thing: string, name?: string): Promise<ShadowDocument | undefined>
  /** Compare-and-set on `desired` of the control shadow: contract/src/commands/change.ts. `decide` may run several times. */
  changeControl<T extends Attempt>(
    thing: string,
    decide: (control: Control, exists: boolean) => T,
  ): Promise<T>
  close(): void
}

/**
 * The data plane of AWS IoT.
 * @param host of the endpoint, unless AWS_ENDPOINT_URL_IOT_DATA_PLANE says otherwise
 */
export function openShadows(host: string | undefined): Shadows {
  const isElsewhere = process.env['AWS_ENDPOINT_URL_IOT_DATA_PLANE'] !== undefined
  const client = new IoTDataPlaneClient({
    ...(host !== undefined && !isElsewhere && { endpoint: `https://${host}` }),
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true },
  })

  async function read(thing: string, name?: string): Promise<ShadowDocument | undefined> {
    try {
      const shadowName = name === undefined ? {} : { shadowName: name }
      const { payload } = await client.send(new GetThingShadowCommand({ thingName: thing, ...shadowName }))
      return JSON.parse(new TextDecoder().decode(payload)) as ShadowDocument
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined
      throw error
    }
  }

  const ports: ControlPorts = {
    read: (thing) => read(thing, CONTROL_SHADOW),
    write: async (thing, desired, version) => {
      const payload = Buffer.from(JSON.stringify({ state: { desired }, version }))
      try {
        const command = { thingName: thing, shadowName: CONTROL_SHADOW, payload }
        await client.send(new UpdateThingShadowCommand(command))
        return true
      } catch (error) {
        if (error instanceof ConflictException) return false
        throw error
      }
    },
    sleep: async (ms) => void (await sleep(ms)),
    random: Math.random,
  }
  return {
    read,
    changeControl: (thing, decide) => changeControl(ports, thing, decide),
    close: () => client.destroy(),
  }
}
