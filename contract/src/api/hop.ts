/** GET /hops and the live `hops`: each step of a report's way, and what the web server leans on. */
import Type from 'typebox'
import { HOP_STATES, SERVICES } from '../hops.ts'

export const HopStatusSchema = Type.Object({
  hop: Type.Enum([...SERVICES]),
  /** Which of several: the gateway's id, or the address where it does not answer. Empty where there is one only. */
  id: Type.String(),
  state: Type.Enum([...HOP_STATES]),
  /** What was seen, or what is wrong and what to do. English, as `pesebre probe` prints it. */
  note: Type.String(),
  /** What looking at it took, milliseconds. */
  ms: Type.Optional(Type.Number()),
  /** Messages or reports that wait there. */
  depth: Type.Optional(Type.Integer({ minimum: 0 })),
  /** How long the oldest of them has waited, milliseconds; of the queue, an upper bound: since it was last seen empty. */
  age: Type.Optional(Type.Integer({ minimum: 0 })),
  /** When it was looked at, milliseconds since 1970. */
  at: Type.Integer({ minimum: 0 }),
  /** Since when it has this state, milliseconds since 1970. */
  since: Type.Integer({ minimum: 0 }),
})
export type HopStatus = Type.Static<typeof HopStatusSchema>

export const HopsSchema = Type.Object({
  /** In the order of a report's way. */
  hops: Type.Array(HopStatusSchema),
  /** The first that is broken, in that order. */
  broken: Type.Union([Type.Enum([...SERVICES]), Type.Null()]),
})
export type Hops = Type.Static<typeof HopsSchema>
