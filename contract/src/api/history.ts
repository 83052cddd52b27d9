/** What a horse's devices measured over time (GET /api/horses/{horse}/history). */
import Type from 'typebox'
import { THING_NAME_PATTERN } from '../names.ts'
import { ZoneSchema } from './values.ts'

/** Milliseconds since 1970. */
const Time = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 })

/**
 * Name of a measured field: a top-level key of the state (`hopper_pct`), or the keys of a nested one joined by dots
 * (`scale.raw`). Letters, digits, `_`, `-` and dots, at most 64.
 */
export const FIELD_PATTERN = '^[A-Za-z0-9_-]{1,64}(\\.[A-Za-z0-9_-]{1,64})*$'
export const FIELD_MAX = 64

/** Longest time that one question may span, milliseconds: five years and a day. */
export const HISTORY_SPAN_MAX_MS = 1827 * 86_400_000

export const HistoryQuerySchema = Type.Object(
  {
    field: Type.String({ pattern: FIELD_PATTERN, maxLength: FIELD_MAX }),
    /** Included. */
    from: Time,
    /** Excluded. Later than now is allowed: it is cut to now. */
    to: Time,
    /** IANA time zone in which days begin where points are whole days; the stable's if absent. */
    zone: Type.Optional(ZoneSchema),
    /** One of the horse's devices; if absent, all that it has and had. */
    thing: Type.Optional(Type.String({ pattern: THING_NAME_PATTERN })),
  },
  { additionalProperties: false },
)
export type HistoryQuery = Type.Static<typeof HistoryQuerySchema>

/** How much time one point stands for: chosen by the span, so that there are at most some 750 points. */
export const RESOLUTIONS = ['minute', 'five-minutes', 'hour', 'day'] as const
export type Resolution = (typeof RESOLUTIONS)[number]

const Value = Type.Union([Type.Number(), Type.Null()])

/**
 * Points, oldest first, in columns of equal length as charts take them. `at` is where the time of a point begins. Where nothing
 * was reported for longer than the device had promised, one point of nulls stands at the beginning of the gap, so that
 * a line breaks there; the gap itself is in `gaps`.
 */
export const HistoryPointsSchema = Type.Object({
  at: Type.Array(Time),
  min: Type.Array(Value),
  max: Type.Array(Value),
  avg: Type.Array(Value),
  /** The value that was reported last. */
  last: Type.Array(Value),
})
export type HistoryPoints = Type.Static<typeof HistoryPointsSchema>

export const HistorySchema = Type.Object({
  field: Type.String(),
  from: Time,
  /** As asked, or now if that is earlier. */
  to: Time,
  resolution: Type.Enum([...RESOLUTIONS]),
  points: HistoryPointsSchema,
  /** Times without any report, [from, to): to be shaded as "no data". */
  gaps: Type.Array(Type.Tuple([Time, Time])),
  /** Reports up to about here are in the index: later ones are still on their way from the gateway's archive. */
  indexed: Type.Union([Time, Type.Null()]),
})
export type History = Type.Static<typeof HistorySchema>

/** GET /api/horses/{horse}/history/fields: what there is to ask for, in the order of their names. */
export const HistoryFieldsSchema = Type.Array(
  Type.Object({
    field: Type.String(),
    /** When it was first and last reported, to the hour. */
    from: Time,
    to: Time,
  }),
)
export type HistoryFields = Type.Static<typeof HistoryFieldsSchema>
