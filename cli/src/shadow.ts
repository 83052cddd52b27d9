import { GetThingShadowCommand, IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import { awsFailure, isMissing } from './aws-error.ts'
import type { Target } from './target.ts'

type JsonObject = Record<string, unknown>

/** A shadow document as AWS IoT returns it (developer guide, "Shadow service documents"). */
export type ShadowDocument = {
  readonly state?: {
    readonly desired?: JsonObject
    readonly reported?: JsonObject
    readonly delta?: JsonObject
  }
  readonly metadata?: { readonly desired?: JsonObject; readonly reported?: JsonObject }
  readonly version?: number
  /** Seconds since 1970. */
  readonly timestamp?: number
}

export type ReadShadow = (thing: string, name?: string) => Promise<ShadowDocument | undefined>

/** Reads shadows; undefined for one that does not exist. The function throws a Failure that says what to do. */
export function shadowReader(target: Target): ReadShadow {
  const client = new IoTDataPlaneClient(target.iotData)
  return async (thing, name) => {
    try {
      const command = new GetThingShadowCommand({
        thingName: thing,
        ...(name === undefined ? {} : { shadowName: name }),
      })
      const { payload } = await client.send(command)
      return JSON.parse(new TextDecoder().decode(payload)) as ShadowDocument
    } catch (error) {
      if (isMissing(error)) return undefined
      const place = { name: target.iotPlace, isLocal: target.isLocal }
      throw awsFailure(error, `Cannot read the shadow of ${thing}`, place)
    }
  }
}
