import type { JsonObject } from './json.ts'
import type { Clock } from './retry.ts'

/** The `reported` section of a classic shadow, and the version of its document. Rejects with CallError. */
export type GetShadow = (
  thing: string,
  signal: AbortSignal,
) => Promise<{ reported: JsonObject; version: number }>

/**
 * Merges `reported` into the shadow, which is made if there is none. With `version`: only if that is the version
 * it has. Resolves to the new version; rejects with CallError.
 */
export type UpdateShadow = (
  thing: string,
  update: { readonly reported: JsonObject; readonly version?: number },
  signal: AbortSignal,
) => Promise<number>

/** The `state` of a control shadow, and the version of its document. Rejects with CallError. */
export type GetControl = (
  thing: string,
  signal: AbortSignal,
) => Promise<{ state: JsonObject; version: number }>

/** Makes a thing; no error if it is there with the same type, CallError `exists` if with another. */
export type CreateThing = (thing: string, type: string, signal: AbortSignal) => Promise<void>

/** Makes a thing type; no error if it is there with the same properties, CallError `exists` if with others. */
export type CreateThingType = (type: string, signal: AbortSignal) => Promise<void>

/** Puts a body on the dead-letter queue. Rejects with CallError. */
export type SendToDlq = (
  letter: { readonly body: string; readonly reason: string },
  signal: AbortSignal,
) => Promise<void>

/** Where events are told; pino's shape. */
export type Log = Record<'debug' | 'warn', (fields: object, event: string) => void>

/** Everything outside that the bridge touches. */
export type Ports = {
  readonly getShadow: GetShadow
  readonly updateShadow: UpdateShadow
  readonly getControl: GetControl
  /** The same as updateShadow, for the control shadow. */
  readonly updateControl: UpdateShadow
  readonly createThing: CreateThing
  readonly createThingType: CreateThingType
  readonly sendToDlq: SendToDlq
  readonly clock: Clock
  readonly log: Log
}

/** How long a piece of work may go on. */
export type Limits = {
  /** By the clock's `now`: no call is begun, or repeated, after it. */
  readonly deadline: number
  /** Ends calls that are still out at the deadline. */
  readonly signal: AbortSignal
}
