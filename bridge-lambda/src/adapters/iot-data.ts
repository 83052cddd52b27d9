import {
  GetThingShadowCommand,
  type IoTDataPlaneClient,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane'
import { CallError, callError } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { GetShadow, UpdateShadow } from '../ports.ts'

/** Reads the classic shadow of a thing (AWS IoT API, GetThingShadow). Throws CallError. */
export function getShadowWith(client: IoTDataPlaneClient): GetShadow {
  return async (thing, signal) => {
    const action = `Get shadow of ${thing}`
    const { payload } = await client
      .send(new GetThingShadowCommand({ thingName: thing }), { abortSignal: signal })
      .catch((error: unknown) => Promise.reject(callError(action, error)))
    const { state, version } = documentOf(action, payload)
    const reported = isJsonObject(state) && isJsonObject(state['reported']) ? state['reported'] : {}
    return { reported, version }
  }
}

/** Merges into the `reported` section of a classic shadow (AWS IoT API, UpdateThingShadow). Throws CallError. */
export function updateShadowWith(client: IoTDataPlaneClient): UpdateShadow {
  return async (thing, { reported, version }, signal) => {
    const action = `Update shadow of ${thing}`
    const { payload } = await client
      .send(
        new UpdateThingShadowCommand({
          thingName: thing,
          // JSON.stringify leaves `version` out when it is undefined.
          payload: Buffer.from(JSON.stringify({ state: { reported }, version })),
        }),
        { abortSignal: signal },
      )
      .catch((error: unknown) => Promise.reject(callError(action, error)))
    return documentOf(action, payload).version
  }
}

function documentOf(action: string, payload: Uint8Array | undefined): JsonObject & { version: number } {
  let document: unknown
  try {
    document = JSON.parse(Buffer.from(payload ?? []).toString('utf8'))
  } catch (cause) {
    throw new CallError('unavailable', `${action}: answer is not JSON`, cause)
  }
  if (!isJsonObject(document) || typeof document['version'] !== 'number') {
    throw new CallError('unavailable', `${action}: answer has no version`)
  }
  return document as JsonObject & { version: number }
}
