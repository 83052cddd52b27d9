import { setTimeout as sleep } from 'node:timers/promises'
import {
  GetThingShadowCommand,
  IoTDataPlaneClient,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane'
import { type Attempt, type ControlPorts, changeControl } from '@pesebre/contract/commands/change'
import { CONTROL_SHADOW, type Control, readControl } from '@pesebre/contract/control'
import { awsFailure, isMissing } from './aws-error.ts'
import { Failure } from './command.ts'
import type { Target } from './target.ts'

/** Control shadows, as a command needs them. Every function throws a Failure that says what to do. */
export type Controls = {
  /** Undefined when the thing was never registered. */
  find(thing: string): Promise<Control | undefined>
  /** @throws Failure when the thing was never registered */
  read(thing: string): Promise<Control>
  /** Compare-and-set: `decide` may run several times. @throws Failure when the thing was never registered */
  change<T extends Attempt>(thing: string, decide: (control: Control) => T): Promise<T>
  /** The same for a thing that need not be there. */
  make<T extends Attempt>(thing: string, decide: (control: Control, exists: boolean) => T): Promise<T>
}

/** Control shadows at AWS IoT or its stand-in. */
export function openControls(target: Target): Controls {
  const client = new IoTDataPlaneClient(target.iotData)
  const place = { name: target.iotPlace, isLocal: target.isLocal }

  const find = async (thing: string) => {
    try {
      const command = new GetThingShadowCommand({ thingName: thing, shadowName: CONTROL_SHADOW })
      const { payload } = await client.send(command)
      return JSON.parse(new TextDecoder().decode(payload)) as { state: unknown; version: number }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw awsFailure(error, `Cannot read the control shadow of ${thing}`, place)
    }
  }
  const ports: ControlPorts = {
    read: find,
    write: async (thing, desired, version) => {
      const payload = new TextEncoder().encode(JSON.stringify({ state: { desired }, version }))
      try {
        await client.send(
          new UpdateThingShadowCommand({ thingName: thing, shadowName: CONTROL_SHADOW, payload }),
        )
        return true
      } catch (error) {
        if ((error as Error).name === 'ConflictException') return false
        throw awsFailure(error, `Cannot write the control shadow of ${thing}`, place)
      }
    },
    sleep: async (ms) => void (await sleep(ms)),
    random: Math.random,
  }
  const unknown = (thing: string) =>
    new Failure(`Not registered in ${target.iotPlace}: register it with npx pesebre register: ${thing}`)

  return {
    find: async (thing) => {
      const found = await find(thing)
      return found && readControl(found.state)
    },
    read: async (thing) => {
      const found = await find(thing)
      if (found === undefined) throw unknown(thing)
      return readControl(found.state)
    },
    change: (thing, decide) =>
      changeControl(ports, thing, (control, exists) => {
        if (!exists) throw unknown(thing)
        return decide(control)
      }),
    make: (thing, decide) => changeControl(ports, thing, decide),
  }
}
