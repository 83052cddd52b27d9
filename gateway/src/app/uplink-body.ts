import { CODE } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import type { Outcome, Uplink } from '@pesebre/contract/check-in'
import { nameUplink } from '@pesebre/contract/numbered'
import { decodeBody, samplesOf } from './body.ts'
import { plainCheckIn } from './plain-check-in.ts'
import { escapeForSqs } from './record.ts'
import { Refusal } from './refusal.ts'
import { type State, toState } from './state.ts'

/** What an uplink says, in the gateway's time. */
export type CheckIn = {
  /** When the state was measured, milliseconds since 1970. */
  readonly at: number
  /** The state as JSON that SQS takes, which holds until the next reading; undefined when the device sent none. */
  readonly json: Uint8Array | undefined
  readonly outcomes: readonly Outcome[]
  /** The rest of what it says. */
  readonly uplink: Uplink
}

const NO_OUTCOMES: readonly Outcome[] = []

/**
 * Reads the body of `POST /u`: CBOR (or nothing said), JSON, or a SenML pack, which is all state. An empty one is a check-in
 * that only asks. `arrival` in milliseconds since 1970. Throws a Refusal with 4.00 or 4.15.
 */
export function checkInOf(
  payload: Uint8Array,
  format: number | undefined,
  { kind, arrival }: { kind: string; arrival: number },
): CheckIn {
  if (payload.length === 0) return { at: arrival, json: undefined, outcomes: NO_OUTCOMES, uplink: {} }
  if (format === CONTENT_FORMAT.SENML_CBOR || format === CONTENT_FORMAT.SENML_JSON)
    return packed(payload, format, arrival)
  const plain =
    format === undefined || format === CONTENT_FORMAT.CBOR ? plainCheckIn(payload, kind) : undefined
  if (plain !== undefined) {
    const { json, uplink } = plain
    return { at: before(arrival, uplink.age_s ?? 0), json, outcomes: NO_OUTCOMES, uplink }
  }
  const uplink = nameUplink(decodeBody(payload, format), kind)
  if (typeof uplink === 'string') throw new Refusal(CODE.BAD_REQUEST, uplink)
  const { state, age_s = 0, outcomes = NO_OUTCOMES } = uplink
  const hasState = state !== undefined && Object.keys(state).length > 0
  const json = hasState ? jsonOf(toState(state)) : undefined
  return { at: before(arrival, age_s), json, outcomes, uplink }
}

/** Milliseconds since 1970, `ageS` seconds before `arrival`. */
export function before(arrival: number, ageS: number): number {
  return Math.max(0, arrival - ageS * 1000)
}

/** One request has one sequence number, so a pack of several instants becomes one state: the newest value of each name. */
function packed(payload: Uint8Array, format: number, arrival: number): CheckIn {
  const samples = samplesOf(payload, format, arrival)
  const state: State = Object.assign({}, ...samples.map((sample) => sample.state))
  return { at: samples.at(-1)?.at ?? arrival, json: jsonOf(state), outcomes: NO_OUTCOMES, uplink: {} }
}

function jsonOf(state: State): Uint8Array {
  return Buffer.from(escapeForSqs(JSON.stringify(state)))
}
