/** The schedule of a horse over HTTP. It runs on the feeder; the server writes the wish and tells what the feeder holds. */
import Type from 'typebox'
import { GRAMS_MAX, SLOTS_MAX } from '../check-in.ts'
import { DateSchema, MinuteSchema } from './feed.ts'

/** One meal: minute of the day on the wall clock, grams, and days as bits (bit 0 is Monday; 127 is every day). */
export const SlotSchema = Type.Object(
  {
    minute: MinuteSchema,
    grams: Type.Integer({ minimum: 1, maximum: GRAMS_MAX }),
    days: Type.Integer({ minimum: 1, maximum: 127 }),
  },
  { additionalProperties: false },
)
export type Slot = Type.Static<typeof SlotSchema>

/** Body of `PUT /horses/{horse}/schedule`. */
export const ScheduleRequestSchema = Type.Object(
  {
    /** IANA time zone. */
    zone: Type.String({ pattern: '^[A-Za-z0-9_+/-]{1,64}$' }),
    slots: Type.Array(SlotSchema, { maxItems: SLOTS_MAX }),
    /** The version that was edited: another one in the meantime is a 409 `/problems/schedule-changed`. */
    version: Type.Optional(Type.Integer({ minimum: 0 })),
    /** The owner's explicit word that a portion, or a day, may be above the horse's cap. */
    override: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)
export type ScheduleRequest = Type.Static<typeof ScheduleRequestSchema>

/** What a clock change does to one meal. */
export const ClockChangeMealSchema = Type.Object({
  minute: MinuteSchema,
  grams: Type.Integer(),
  /**
   * `skipped`: the clock jumps over this time, so the meal runs at the first instant after the gap. `doubled`: this time comes twice, and the
   * meal runs the first time only.
   */
  effect: Type.Enum(['skipped', 'doubled']),
  /** When it runs, milliseconds since 1970. */
  at: Type.Integer(),
  /** What the clock on the wall shows then. */
  wall: MinuteSchema,
})

/** The next changes of the clock in the schedule's zone. */
export const ClockChangeSchema = Type.Object({
  /** The instant, milliseconds since 1970. */
  at: Type.Integer(),
  date: DateSchema,
  /** Minutes that the clock on the wall goes forward; negative: back. */
  shift: Type.Integer(),
  /** What the wall clock would have shown at that instant, and what it shows instead. */
  from: MinuteSchema,
  to: MinuteSchema,
  /** Only meals that it touches. */
  meals: Type.Array(ClockChangeMealSchema),
})
export type ClockChange = Type.Static<typeof ClockChangeSchema>

/** `GET /horses/{horse}/schedule` and the answer of its PUT. */
export const ScheduleSchema = Type.Object({
  zone: Type.String(),
  slots: Type.Array(SlotSchema),
  /** Version that was wished for; 0: never any. */
  version: Type.Integer({ minimum: 0 }),
  /** Version that the feeder runs, by its own word; absent: it has not said any. */
  running: Type.Optional(Type.Integer({ minimum: 0 })),
  /** The feeder has not reported this version yet: until then it runs the one before. */
  pending: Type.Boolean(),
  /** Until now and the next two years, at most four. */
  changes: Type.Array(ClockChangeSchema),
  /** Most slots. */
  max: Type.Integer(),
  /** The next meal: when, and how much. */
  next: Type.Optional(Type.Object({ at: Type.Integer(), minute: MinuteSchema, grams: Type.Integer() })),
})
export type ScheduleAnswer = Type.Static<typeof ScheduleSchema>
