import { CODE } from '@pesebre/coap/codec/codes'
import { LINK_KEY, STATE_DEPTH_MAX } from '@pesebre/contract/limits'
import { Refusal } from './refusal.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type State = { [key: string]: Json }

/** More members than any sensible report has; a bound on the work that one datagram can cause. */
const MEMBERS_MAX = 512

/**
 * Makes a decoded body (JSON, CBOR) into state that every later hop can carry as JSON.
 * Byte strings become base64url (RFC 8949 section 6.1). Refuses what JSON or a shadow cannot hold,
 * so that the device learns at once and not a dead-letter queue much later.
 * `members` is how many map entries the body declared; fewer found means that a key stood there twice.
 */
export function toState(body: unknown, members?: number): State {
  if (!isMap(body)) throw new Refusal(CODE.BAD_REQUEST, 'Body must be a map of names to values')
  const walk = { members: 0 }
  const state = cleanMap(body, 1, walk)
  if (members !== undefined && members !== walk.members)
    throw new Refusal(CODE.BAD_REQUEST, 'Duplicate key in a map')
  if (walk.members === 0) throw new Refusal(CODE.BAD_REQUEST, 'Empty map: nothing to report')
  if (Object.hasOwn(state, LINK_KEY)) throw new Refusal(CODE.BAD_REQUEST, `Reserved name: ${LINK_KEY}`)
  return state
}

type Walk = { members: number }

function cleanMap(map: Record<string, unknown>, depth: number, walk: Walk): State {
  if (depth > STATE_DEPTH_MAX)
    throw new Refusal(CODE.BAD_REQUEST, `Nested deeper than ${STATE_DEPTH_MAX} levels`)
  for (const key of Object.keys(map)) {
    if (key === '__proto__') throw new Refusal(CODE.BAD_REQUEST, 'Reserved name: __proto__')
    if (++walk.members > MEMBERS_MAX) throw new Refusal(CODE.BAD_REQUEST, `More than ${MEMBERS_MAX} values`)
    const value = map[key]
    // Most values need no change: replace only those that do.
    if (
      typeof value === 'number'
        ? !Number.isFinite(value)
        : typeof value !== 'string' && typeof value !== 'boolean'
    ) {
      map[key] = clean(value, depth, walk)
    }
  }
  return map as State
}

function clean(value: unknown, depth: number, walk: Walk): Json {
  if (value === null || value === undefined) return null
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (Number.isFinite(value)) return value
      throw new Refusal(CODE.BAD_REQUEST, 'Number is not finite')
    case 'bigint':
      return safeNumber(value)
  }
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64url')
  if (Array.isArray(value)) {
    if (depth >= STATE_DEPTH_MAX)
      throw new Refusal(CODE.BAD_REQUEST, `Nested deeper than ${STATE_DEPTH_MAX} levels`)
    if (walk.members + value.length > MEMBERS_MAX)
      throw new Refusal(CODE.BAD_REQUEST, `More than ${MEMBERS_MAX} values`)
    return value.map((element) => clean(element, depth + 1, walk))
  }
  if (isMap(value)) return cleanMap(value, depth + 1, walk)
  throw new Refusal(CODE.BAD_REQUEST, 'Value of a kind that JSON does not have')
}

/** Throws a Refusal for an integer that JSON and JavaScript would round. */
export function safeNumber(value: bigint): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw new Refusal(CODE.BAD_REQUEST, 'Integer beyond 2^53')
}

function isMap(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  )
}
