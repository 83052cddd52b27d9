import {
  GetThingShadowCommand,
  type IoTDataPlaneClient,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane'
import { CONTROL_SHADOW } from '@pesebre/contract/control'
import { CallError, callError } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { GetControl, GetShadow, UpdateShadow } from '../ports.ts'

/** Reads the classic shadow of a thing (AWS IoT API, GetThingShadow). Throws CallError. */
export function getShadowWith(client: IoTDataPlaneClient): GetShadow {
  return async (thing, signal) => {
    const { state, version } = await get(client, { thingName: thing }, signal)
    return { reported: isJsonObject(state['reported']) ? state['reported'] : {}, version }
  }
}

/** Reads the control shadow of a thing. Throws CallError. */
export function getControlWith(client: IoTDataPlaneClient): GetControl {
  return (thing, signal) => get(client, { thingName: thing, shadowName: CONTROL_SHADOW }, signal)
}

/** Merges into the `reported` section of a classic shadow (AWS IoT API, UpdateThingShadow). Throws CallError. */
export function updateShadowWith(client: IoTDataPlaneClient): UpdateShadow {
  return (thing, update, signal) => change(client, { thingName: thing }, { update, signal })
}

/** Merges into the `reported` section of a control shadow. Throws CallError. */
export function updateControlWith(client: IoTDataPlaneClient): UpdateShadow {
  return (thing, update, signal) =>
    change(client, { thingName: thing, shadowName: CONTROL_SHADOW }, { update, signal })
}

type ShadowName = { readonly thingName: string; readonly shadowName?: string }

async function get(
  client: IoTDataPlaneClient,
  name: ShadowName,
  signal: AbortSignal,
): Promise<{ state: JsonObject; version: number }> {
  const action = `Get ${shown(name)}`
  const { payload } = await client
    .send(new GetThingShadowCommand(name), { abortSignal: signal })
    .catch((error: unknown) => Promise.reject(callError(action, error)))
  const { state, version } = documentOf(action, payload)
  return { state: isJsonObject(state) ? state : {}, version }
}

async function change(
  client: IoTDataPlaneClient,
  name: ShadowName,
  { update, signal }: { update: Parameters<UpdateShadow>[1]; signal: AbortSignal },
): Promise<number> {
  const action = `Update ${shown(name)}`
  const { reported, version } = update
  // JSON.stringify leaves `version` out when it is undefined.
  const payload = Buffer.from(JSON.stringify({ state: { reported }, version }))
  const answer = await client
    .send(new UpdateThingShadowCommand({ ...name, payload }), { abortSignal: signal })
    .catch((error: unknown) => Promise.reject(callError(action, error)))
  return documentOf(action, answer.payload).version
}

function shown({ thingName, shadowName }: ShadowName): string {
  return `${shadowName === undefined ? '' : `${shadowName} `}shadow of ${thingName}`
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
