/** Alarms over HTTP and in live events. At most one is active per (thing, kind): it is updated, not repeated. */
import Type from 'typebox'

/**
 * - `jammed`: stuck; the feeder waits for its button. `interrupted`: power was lost while it dispensed: nobody knows how much came
 * - `missed`: a meal of the schedule without a word for five minutes after its deadline. `unknown`: the same of a person's feeding
 * - `empty`: hopper low. `battery`: low. `late`: the feeder is silent for 2.5 of its own promised intervals, and its gateway is not
 * - `camera_gone`: a camera that is off. `gateway`: a gateway has gone; no feeder counts as late because of it
 */
export const ALARM_KINDS = [
  'jammed',
  'interrupted',
  'missed',
  'unknown',
  'empty',
  'battery',
  'late',
  'camera_gone',
  'gateway',
] as const
export const AlarmKindSchema = Type.Enum([...ALARM_KINDS])
export type AlarmKind = Type.Static<typeof AlarmKindSchema>

const at = Type.Integer({ minimum: 0, description: 'Milliseconds since 1970' })

export const AlarmSchema = Type.Object({
  id: Type.String(),
  kind: AlarmKindSchema,
  thing: Type.String(),
  /** What people call the device. */
  name: Type.Optional(Type.String()),
  horse: Type.Optional(Type.Object({ id: Type.String(), name: Type.String() })),
  stable: Type.Optional(Type.String()),
  /** When it came to be. */
  since: at,
  /** The last time that it was confirmed. */
  at,
  /** When its cause went away; absent while it is active. */
  cleared: Type.Optional(at),
  acknowledged: Type.Optional(Type.Object({ at, by: Type.String() })),
  /** How often, of what happens more than once (`missed`, `interrupted`, `jammed`). */
  count: Type.Integer({ minimum: 1 }),
  /** Numbers for the text: `hopper_pct`, `battery_mv`, `interval_s`, `seen` (ms), `minute` and `grams` of a meal, `n`. */
  detail: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String()])),
})
export type Alarm = Type.Static<typeof AlarmSchema>

/** `GET /stables/{stable}/alarms`: the active ones, and cleared ones that nobody has acknowledged, the newest first; with `all=true` the last 100. */
export const AlarmsSchema = Type.Object({ alarms: Type.Array(AlarmSchema) })
export type Alarms = Type.Static<typeof AlarmsSchema>
export const AlarmsQuerySchema = Type.Object({ all: Type.Optional(Type.Boolean()) })
