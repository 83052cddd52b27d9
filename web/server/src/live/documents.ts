import type { LiveEvent } from '@pesebre/contract/api/live'
import { LINK_KEY } from '@pesebre/contract/limits'

/** The complete state after each change of a thing's classic shadow; `+` for every thing. */
export function stateTopic(thing: string): string {
  return `$aws/things/${thing}/shadow/update/documents`
}

const STATE_TOPIC = /^\$aws\/things\/([^/]+)\/shadow\/update\/documents$/
const CONTROL_TOPIC = /^\$aws\/things\/([^/]+)\/shadow\/name\/control\/update\/documents$/

export type StateEvent = Extract<LiveEvent, { kind: 'state' }>
export type ControlEvent = Extract<LiveEvent, { kind: 'control' }>

/** The newest report of a device, and the version of the shadow that holds it. */
export type DeviceState = { readonly event: StateEvent; readonly version: number }

export function thingOfState(topic: string): string | undefined {
  return STATE_TOPIC.exec(topic)?.[1]
}

export function thingOfControl(topic: string): string | undefined {
  return CONTROL_TOPIC.exec(topic)?.[1]
}

type Json = Record<string, unknown>
type Document = { readonly version: number; readonly state?: unknown; readonly metadata?: unknown }

/** `current` of a message to `update/documents` (AWS IoT Core Developer Guide, "Device Shadow service documents"). */
export function currentOf(payload: Uint8Array): Document | undefined {
  try {
    const { current } = JSON.parse(new TextDecoder().decode(payload)) as { current?: Document }
    return current !== undefined && Number.isSafeInteger(current.version) ? current : undefined
  } catch {
    return undefined
  }
}

/** What a classic shadow says of a device; undefined document: it has no shadow. */
export function stateOf(thing: string, document: Document | undefined): DeviceState {
  const { [LINK_KEY]: link, ...state } = fieldsOf(fieldsOf(document?.state)['reported'])
  const { at, seq, interval_s, gateway } = fieldsOf(link)
  const hasState = document !== undefined && (link !== undefined || Object.keys(state).length > 0)
  const event: StateEvent = {
    kind: 'state',
    thing,
    state: hasState ? state : null,
    // A device that writes its own shadow says no time: AWS IoT knows when each value came.
    at: uint(at) ?? (hasState ? newest(fieldsOf(document.metadata)['reported']) : null),
    seq: uint(seq),
    interval_s: uint(interval_s) || null,
    gateway: typeof gateway === 'string' ? gateway : null,
  }
  return { event, version: document?.version ?? 0 }
}

/** The newest `timestamp` anywhere in a section of the metadata, as milliseconds. */
function newest(metadata: unknown): number | null {
  let found: number | null = null
  for (const [key, value] of Object.entries(fieldsOf(metadata))) {
    const at = key === 'timestamp' ? (uint(value) ?? 0) * 1000 : newest(value)
    if (at !== null && at > (found ?? 0)) found = at
  }
  return found
}

function uint(value: unknown): number | null {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null
}

function fieldsOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}
