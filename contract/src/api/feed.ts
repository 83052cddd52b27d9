/** Feeding over HTTP: what is asked for, what became of it, the day, and the limits. Grams everywhere; times in milliseconds since 1970. */
import Type from 'typebox'
import { GRAMS_MAX } from '../check-in.ts'

const at = Type.Integer({ minimum: 0, description: 'Milliseconds since 1970' })
const grams = Type.Integer({ minimum: 0, maximum: GRAMS_MAX })
/** `YYYY-MM-DD` by the wall clock of the stable. */
export const DateSchema = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' })
/** Minute of the day on the wall clock. */
export const MinuteSchema = Type.Integer({ minimum: 0, maximum: 1439 })

/**
 * How a feeding stands. From `accepted` on only by the feeder's own authenticated word; `cancelled` and `expired` also when it was
 * never handed out; `unknown`: handed out, and no word by the deadline: look at the camera, it is never repeated by itself.
 */
export const FEED_STATES = [
  'queued',
  'sent',
  'accepted',
  'dispensing',
  'done',
  'partial',
  'jammed',
  'refused',
  'interrupted',
  'expired',
  'cancelled',
  'unknown',
] as const
export const FeedStateSchema = Type.Enum([...FEED_STATES])
export type FeedState = Type.Static<typeof FeedStateSchema>

/** Body of `POST /horses/{horse}/feeds`; the header Idempotency-Key is required. */
export const FeedRequestSchema = Type.Object(
  {
    grams: Type.Integer({ minimum: 1, maximum: GRAMS_MAX }),
    /** The owner's explicit word that the portion may be larger than the horse's cap. The feeder's own limits still hold. */
    override: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)
export type FeedRequest = Type.Static<typeof FeedRequestSchema>

/** One row of the ledger: a portion that a person or the schedule asked for, and what became of it. */
export const FeedSchema = Type.Object({
  id: Type.String(),
  thing: Type.String(),
  /** A person's command, or the schedule. */
  source: Type.Enum(['command', 'schedule']),
  /** Number of the command; DELETE takes it. */
  n: Type.Optional(Type.Integer({ minimum: 1 })),
  /** Name of the person. */
  by: Type.Optional(Type.String()),
  /** Of a meal of the schedule: the local minute and date that it stands for. */
  minute: Type.Optional(MinuteSchema),
  date: Type.Optional(DateSchema),
  /** When it was asked for; of a meal of the schedule, when the feeder said its first word of it. */
  at,
  /** When it may no longer be begun. */
  notAfter: Type.Optional(at),
  planned: Type.Optional(grams),
  /** What was dispensed, by the feeder's word. Absent: it did not say, or nobody knows. */
  actual: Type.Optional(grams),
  state: FeedStateSchema,
  /** Every state that was seen, each with its time, the first first. The last one is `state`. */
  states: Type.Array(Type.Object({ state: FeedStateSchema, at })),
  /** Why it was refused: one of REFUSE_REASONS of the contract, or `r<number>`. */
  reason: Type.Optional(Type.String()),
  /** It came about after its time. */
  late: Type.Optional(Type.Boolean()),
  /** Somebody took it back when it had perhaps been handed out. */
  cancelled: Type.Optional(Type.Boolean()),
  /** Above the cap, by the owner's explicit word. */
  override: Type.Optional(Type.Boolean()),
  /** No other state follows. */
  ended: Type.Boolean(),
})
export type Feed = Type.Static<typeof FeedSchema>

/** `GET /horses/{horse}/feeds?before&limit`: the newest first. */
export const FeedPageSchema = Type.Object({
  feeds: Type.Array(FeedSchema),
  /** `before` of the next page; absent on the last. */
  before: Type.Optional(Type.String()),
})
export type FeedPage = Type.Static<typeof FeedPageSchema>
export const FeedQuerySchema = Type.Object({
  before: Type.Optional(Type.String({ maxLength: 64 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 30 })),
})

/**
 * Why feeding was not granted, in `reason` of the problem: `/problems/refused` (422) for `portion`, `override`, `daily`, `/problems/conflict`
 * (409) for the rest.
 * - `no_feeder` the horse has none; `disabled` its feeder is not registered, or was disabled
 * - `open` another command is still open: `n`. `gap` too soon after the last portion: `retryAfter`, seconds
 * - `portion` above the cap: `max`, grams. `override` the same, but an owner may say so. `daily` of a day's grams only `left` remain
 * - `not_given` this Idempotency-Key was used for a wish that never came to be: ask anew under another. `key` it was used for another wish
 * - `expired`, `full`, `exhausted` as in the contract; `ended` (`state`) and `missing`: of a DELETE
 */
export const FEED_REFUSALS = [
  'no_feeder',
  'disabled',
  'open',
  'gap',
  'portion',
  'override',
  'daily',
  'not_given',
  'key',
  'expired',
  'full',
  'exhausted',
  'ended',
  'missing',
] as const
export type FeedRefusal = (typeof FEED_REFUSALS)[number]

/** How a meal of the plan stands: `planned` is still to come, `due` has no word yet and is not missed, `missed` has none. */
export const MealStateSchema = Type.Enum(['planned', 'due', 'missed', ...FEED_STATES])

/** `GET /horses/{horse}/day?date`: plan against what was eaten, in the schedule's zone. */
export const DaySchema = Type.Object({
  date: DateSchema,
  zone: Type.String(),
  meals: Type.Array(
    Type.Object({
      source: Type.Enum(['command', 'schedule']),
      minute: Type.Optional(MinuteSchema),
      /** When it runs or ran. */
      at,
      planned: Type.Optional(grams),
      actual: Type.Optional(grams),
      state: MealStateSchema,
      /** Row of the ledger. */
      feed: Type.Optional(Type.String()),
      reason: Type.Optional(Type.String()),
    }),
  ),
  /** Grams of the schedule on this day. */
  planned: Type.Integer({ minimum: 0 }),
  /** Grams given, from whatever source: an `interrupted` portion counts whole. */
  actual: Type.Integer({ minimum: 0 }),
})
export type Day = Type.Static<typeof DaySchema>
export const DayQuerySchema = Type.Object({ date: Type.Optional(DateSchema) })

/**
 * Body of `PUT /horses/{horse}/limits`: what is left out stays, null goes back to the default. Only an owner may. What an owner sets is kept by
 * the feeder as well, and no single portion may be above it. Above what the weight allows it needs `override` (422 `override`).
 */
export const LimitsRequestSchema = Type.Object(
  {
    /** Most grams in one portion. */
    portion: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: GRAMS_MAX }), Type.Null()])),
    /** Most grams in any 24 hours. */
    daily: Type.Optional(Type.Union([Type.Integer({ minimum: 1, maximum: 1_000_000 }), Type.Null()])),
    /** Seconds between two portions. */
    gap: Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: 86_400 }), Type.Null()])),
    /** Needed for a portion above 2 kg or 0.4 % of the body weight. */
    override: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)
export type LimitsRequest = Type.Static<typeof LimitsRequestSchema>

/** Limits as they hold, for `GET` and as the answer of `PUT /horses/{horse}/limits`. */
export const LimitsSchema = Type.Object({
  portion: grams,
  daily: Type.Integer({ minimum: 0 }),
  gap: Type.Integer({ minimum: 0 }),
  /** What body weight alone allows in one portion: 0.4 %, at most 2 kg. */
  recommended: grams,
  /** What may still be given within 24 hours of now. */
  left: Type.Integer({ minimum: 0 }),
  /** The feeder has not taken the last change yet. */
  pending: Type.Boolean(),
})
export type LimitsAnswer = Type.Static<typeof LimitsSchema>

/** Body of `POST /horses/{horse}/calibration`: the feeder was asked for `asked` grams, and the scale showed `weighed`. */
export const CalibrationRequestSchema = Type.Object(
  {
    asked: Type.Integer({ minimum: 50, maximum: 5000 }),
    weighed: Type.Integer({ minimum: 1, maximum: 20_000 }),
  },
  { additionalProperties: false },
)
export type CalibrationRequest = Type.Static<typeof CalibrationRequestSchema>

/** `GET` and the answer of `POST /horses/{horse}/calibration`. */
export const CalibrationSchema = Type.Object({
  /** Thousandths: what really comes for each gram that the bare motor counts. 1000 as it leaves the factory. */
  factor: Type.Integer(),
  /** When it was last set; absent: never. */
  at: Type.Optional(at),
  by: Type.Optional(Type.String()),
  /** The feeder has not taken it yet. */
  pending: Type.Boolean(),
})
export type CalibrationAnswer = Type.Static<typeof CalibrationSchema>
