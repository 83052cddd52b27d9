/**
 * The rules of the AWS IoT Device Shadow service as pure functions: a shadow, a request and the time go in, the new
 * shadow and the documents to publish, or an error, come out. Nothing here stores or sends.
 *
 * Source: AWS IoT Core Developer Guide, chapter "AWS IoT Device Shadow service": "Device Shadow service documents"
 * (guide: documents), "Interacting with shadows" (guide: data flow), "Device Shadow MQTT topics" (guide: topics),
 * "Device Shadow error messages" (guide: errors), "Diagnosing problems with shadows" (guide: diagnosing).
 */
import { isObject, type Json, type JsonObject, own, put, sameJson } from './json.ts'

/** Largest `state` of a shadow, bytes of compact JSON. Metadata does not count (guide: diagnosing). */
export const STATE_BYTES_MAX = 8 * 1024
/** How many keys (or array positions) may lie on a path below `desired` or `reported` (guide: errors). */
export const STATE_LEVELS_MAX = 6
/** Bytes (guide: documents, "Client tokens"). */
export const CLIENT_TOKEN_BYTES_MAX = 64
/** How long the version of a deleted shadow is remembered, milliseconds (guide: data flow, DELETE). */
export const VERSION_MEMORY_MS = 48 * 60 * 60 * 1000

/** `desired` and `reported`, each only when it has something in it (guide: documents, "Empty properties"). */
export type Sections = { desired?: JsonObject; reported?: JsonObject }

export type Shadow = {
  readonly version: number
  readonly state: Sections
  /** The shape of `state`, each value replaced by `{timestamp}` in seconds. */
  readonly metadata: Sections
  /** When it was deleted, milliseconds since 1970; then only the version is of interest. */
  readonly deletedAt?: number
}

/** An error document (guide: documents). `clientToken` is that of the request. */
export type ShadowError = {
  readonly code: 400 | 404 | 409 | 413 | 415
  readonly message: string
  readonly clientToken?: string
}

export type Updated = {
  readonly shadow: Shadow
  /** Compact JSON of the new `state`: what was measured is what is stored. */
  readonly stateText: string
  /** Answer of the request, and the message on `update/accepted`. */
  readonly accepted: JsonObject
  /** Message on `update/delta`; undefined when nothing differs. */
  readonly delta: JsonObject | undefined
  /** Message on `update/documents`. */
  readonly documents: JsonObject
}

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ShadowError }

type Request = {
  readonly state: JsonObject
  readonly version: number | undefined
  readonly token: { clientToken?: string }
}

const SECTIONS = ['desired', 'reported'] as const

/**
 * UpdateThingShadow, and a message to `update`.
 * @param current undefined when there never was one
 * @param payload the request document
 * @param now milliseconds since 1970
 */
export function updateShadow(
  current: Shadow | undefined,
  payload: Uint8Array,
  now: number,
): Outcome<Updated> {
  const read = readRequest(payload)
  if (!read.ok) return read
  const { state: patch, version, token } = read.value
  const live = current?.deletedAt === undefined ? current : undefined

  // A version is that of a document to be replaced: where there is none, no version can match.
  if (version !== undefined && version !== live?.version) return refuse(409, 'Version conflict', token)

  const timestamp = Math.floor(now / 1000)
  const state: Sections = { ...live?.state }
  const metadata: Sections = { ...live?.metadata }
  for (const section of SECTIONS) {
    const given = own(patch, section)
    if (given === undefined) continue
    const merged = isObject(given) ? merge(state[section], metadata[section], given, timestamp) : undefined
    if (merged === undefined || Object.keys(merged.state).length === 0) {
      delete state[section]
      delete metadata[section]
    } else {
      state[section] = merged.state
      metadata[section] = merged.metadata
    }
  }

  const stateText = JSON.stringify(inOrder(state))
  if (Buffer.byteLength(stateText) > STATE_BYTES_MAX) {
    return refuse(413, 'The payload exceeds the maximum size allowed', token)
  }

  const shadow: Shadow = { version: versionBefore(current, now) + 1, state, metadata }
  const difference = differenceOf(shadow)
  return {
    ok: true,
    value: {
      shadow,
      stateText,
      accepted: {
        state: patch,
        metadata: stamp(patch, timestamp),
        version: shadow.version,
        timestamp,
        ...token,
      },
      delta: difference && { version: shadow.version, timestamp, ...difference, ...token },
      documents: {
        ...(live && { previous: documentOf(live) }),
        current: documentOf(shadow),
        timestamp,
        ...token,
      },
    },
  }
}

/**
 * GetThingShadow, and a message to `get`: the whole document with its delta.
 * @param name what the 404 calls the shadow
 * @param payload the message to `get`: empty, or a document with a client token
 */
export function getShadow(
  current: Shadow | undefined,
  name: string,
  request: { readonly payload?: Uint8Array; readonly now: number },
): Outcome<JsonObject> {
  const token = readToken(request.payload)
  if (!token.ok) return token
  if (current === undefined || current.deletedAt !== undefined) return refuse(404, absent(name), token.value)
  const difference = differenceOf(current)
  const document = documentOf(current)
  return {
    ok: true,
    value: {
      state: difference
        ? { ...(document['state'] as JsonObject), delta: difference.state }
        : document['state']!,
      metadata: document['metadata']!,
      version: current.version,
      timestamp: Math.floor(request.now / 1000),
      ...token.value,
    },
  }
}

/**
 * DeleteThingShadow, and a message to `delete`: content other than a client token is ignored (guide: topics).
 * @returns the shadow that keeps only the version, and the answer
 */
export function deleteShadow(
  current: Shadow | undefined,
  name: string,
  request: { readonly payload?: Uint8Array; readonly now: number },
): Outcome<{ shadow: Shadow; accepted: JsonObject }> {
  const token = readToken(request.payload)
  if (!token.ok) return token
  if (current === undefined || current.deletedAt !== undefined) return refuse(404, absent(name), token.value)
  const { version } = current
  return {
    ok: true,
    value: {
      shadow: { version, state: {}, metadata: {}, deletedAt: request.now },
      accepted: { version, timestamp: Math.floor(request.now / 1000), ...token.value },
    },
  }
}

/** The version that the next one follows: a deleted shadow's counts for 48 hours. */
function versionBefore(current: Shadow | undefined, now: number): number {
  if (current === undefined) return 0
  const forgotten = current.deletedAt !== undefined && now - current.deletedAt > VERSION_MEMORY_MS
  return forgotten ? 0 : current.version
}

function readRequest(payload: Uint8Array): Outcome<Request> {
  const text = decode(payload)
  if (text === undefined)
    return refuse(415, 'Unsupported documented encoding; supported encoding is UTF-8', {})
  const document = parse(text)
  if (!isObject(document)) return refuse(400, 'Invalid JSON', {})

  const clientToken = own(document, 'clientToken')
  if (!isToken(clientToken)) return refuse(400, 'Invalid clientToken', {})
  const token = clientToken === undefined ? {} : { clientToken }
  const bad = (message: string) => refuse(400, message, token)

  const version = own(document, 'version')
  if (version !== undefined && !(Number.isSafeInteger(version) && (version as number) >= 0)) {
    return bad('Invalid version')
  }
  const state = own(document, 'state')
  if (state === undefined) return bad('Missing required node: state')
  if (!isObject(state)) return bad('State node must be an object')
  for (const [key, value] of Object.entries(state)) {
    if (key !== 'desired' && key !== 'reported') return bad(`State contains an invalid node: '${key}'`)
    const section = key === 'desired' ? 'Desired' : 'Reported'
    if (value !== null && !isObject(value)) return bad(`${section} node must be an object`)
    if (exceedsLevels(value, STATE_LEVELS_MAX)) {
      return bad(`JSON contains too many levels of nesting; maximum is ${STATE_LEVELS_MAX}`)
    }
    // Only after the levels were counted: this recursion follows the document to its end.
    const nullArray = arrayWithNull(value)
    if (nullArray !== undefined) return bad(`State contains an invalid node: '${nullArray}'`)
  }
  return { ok: true, value: { state, version: version as number | undefined, token } }
}

/** The client token of a request whose other content does not matter; what is not JSON has none. */
function readToken(payload: Uint8Array | undefined): Outcome<{ clientToken?: string }> {
  const document = payload === undefined || payload.length === 0 ? undefined : parse(decode(payload) ?? '')
  const clientToken = isObject(document) ? own(document, 'clientToken') : undefined
  if (!isToken(clientToken)) return refuse(400, 'Invalid clientToken', {})
  return { ok: true, value: clientToken === undefined ? {} : { clientToken } }
}

function isToken(value: Json | undefined): value is string | undefined {
  if (value === undefined) return true
  return typeof value === 'string' && Buffer.byteLength(value) <= CLIENT_TOKEN_BYTES_MAX
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decode(payload: Uint8Array): string | undefined {
  try {
    return utf8.decode(payload)
  } catch {
    return undefined
  }
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

/**
 * One section with a patch laid over it: null removes a key, objects are merged, everything else, arrays too,
 * replaces what was there. What the patch does not name keeps its timestamp. The arguments are left as they are.
 */
function merge(
  state: JsonObject | undefined,
  metadata: JsonObject | undefined,
  change: JsonObject,
  timestamp: number,
): { state: JsonObject; metadata: JsonObject } {
  const newState: JsonObject = { ...state }
  const newMetadata: JsonObject = { ...metadata }
  for (const [key, value] of Object.entries(change)) {
    if (value === null) {
      delete newState[key]
      delete newMetadata[key]
    } else if (isObject(value)) {
      const before = own(state, key)
      const stamps = own(metadata, key)
      const inner = merge(
        isObject(before) ? before : undefined,
        isObject(before) && isObject(stamps) ? stamps : undefined,
        value,
        timestamp,
      )
      put(newState, key, inner.state)
      put(newMetadata, key, inner.metadata)
    } else {
      put(newState, key, value)
      put(newMetadata, key, stamp(value, timestamp))
    }
  }
  return { state: newState, metadata: newMetadata }
}

/** The shape of a value with `{timestamp}` in place of everything that is not an object or an array. */
function stamp(value: Json, timestamp: number): Json {
  if (Array.isArray(value)) return value.map((element) => stamp(element, timestamp))
  if (!isObject(value)) return { timestamp }
  const stamps: JsonObject = {}
  for (const [key, inner] of Object.entries(value)) put(stamps, key, stamp(inner, timestamp))
  return stamps
}

function differenceOf({ state, metadata }: Shadow): { state: JsonObject; metadata: JsonObject } | undefined {
  return state.desired && difference(state.desired, state.reported, metadata.desired)
}

/**
 * Every desired attribute that differs from the reported one or is absent there, with the path to the root and the
 * metadata of desired, whether or not the last update carried it (guide: topics, /update/delta; documents, Delta).
 */
function difference(
  desired: JsonObject,
  reported: JsonObject | undefined,
  metadata: JsonObject | undefined,
): { state: JsonObject; metadata: JsonObject } | undefined {
  const state: JsonObject = {}
  const stamps: JsonObject = {}
  let differs = false
  for (const [key, wanted] of Object.entries(desired)) {
    const actual = own(reported, key)
    const stamped = own(metadata, key)
    if (isObject(wanted) && isObject(actual)) {
      const inner = difference(wanted, actual, isObject(stamped) ? stamped : undefined)
      if (inner === undefined) continue
      put(state, key, inner.state)
      put(stamps, key, inner.metadata)
    } else if (sameJson(wanted, actual)) {
      continue
    } else {
      put(state, key, wanted)
      if (stamped !== undefined) put(stamps, key, stamped)
    }
    differs = true
  }
  return differs ? { state, metadata: stamps } : undefined
}

function documentOf({ state, metadata, version }: Shadow): JsonObject {
  return { state: inOrder(state), metadata: inOrder(metadata), version }
}

function inOrder({ desired, reported }: Sections): JsonObject {
  return { ...(desired && { desired }), ...(reported && { reported }) }
}

/** Whether a path in `value` has more than `levels` keys; an empty object at the end adds none. */
function exceedsLevels(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  const inner = Object.values(value)
  if (inner.length === 0) return false
  return levels === 0 || inner.some((element) => exceedsLevels(element, levels - 1))
}

/** Key of the first array that holds a null, which a shadow refuses (guide: documents, "Array values"). */
function arrayWithNull(value: Json, key = ''): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value)) {
    if (value.includes(null)) return key
    for (const element of value) {
      const found = arrayWithNull(element, key)
      if (found !== undefined) return found
    }
    return undefined
  }
  for (const [name, inner] of Object.entries(value)) {
    const found = arrayWithNull(inner, name)
    if (found !== undefined) return found
  }
  return undefined
}

function absent(name: string): string {
  return `No shadow exists with name: '${name}'`
}

function refuse(
  code: ShadowError['code'],
  message: string,
  token: { clientToken?: string },
): { ok: false; error: ShadowError } {
  return { ok: false, error: { code, message, ...token } }
}
