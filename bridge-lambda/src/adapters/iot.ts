import { CreateThingCommand, CreateThingTypeCommand, type IoTClient } from '@aws-sdk/client-iot'
import { callError } from '../errors.ts'
import type { CreateThing, CreateThingType } from '../ports.ts'

/** AWS IoT API, CreateThing: making what is there with the same configuration is no error. Throws CallError. */
export function createThingWith(client: IoTClient): CreateThing {
  return async (thing, type, signal) => {
    await client
      .send(new CreateThingCommand({ thingName: thing, thingTypeName: type }), { abortSignal: signal })
      .catch((error: unknown) => Promise.reject(callError(`Create thing ${thing} of type ${type}`, error)))
  }
}

/** AWS IoT API, CreateThingType. Throws CallError. */
export function createThingTypeWith(client: IoTClient): CreateThingType {
  return async (type, signal) => {
    await client
      .send(new CreateThingTypeCommand({ thingTypeName: type }), { abortSignal: signal })
      .catch((error: unknown) => Promise.reject(callError(`Create thing type ${type}`, error)))
  }
}
