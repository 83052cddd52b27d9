import Type from 'typebox'
import {
  COMMAND_NUMBER_MAX,
  FIRMWARE_VERSION_MAX,
  GRAMS_MAX,
  OCCURRENCE_MAX,
  OUTCOME_STATES,
  OUTCOMES_MAX,
} from './check-in.ts'
import { THING_NAME_PATTERN } from './names.ts'

/** What the device said of a command or a meal, but with a time in place of an age. */
const SAID = {
  state: Type.Enum(Object.keys(OUTCOME_STATES) as (keyof typeof OUTCOME_STATES)[]),
  /** What was dispensed, grams. */
  grams: Type.Optional(Type.Integer({ minimum: 0, maximum: GRAMS_MAX })),
  /** Of a refusal: one of REFUSE_REASONS, or `r<number>` for one that the gateway did not know. */
  reason: Type.Optional(Type.String({ pattern: '^[a-z0-9_]{1,32}$' })),
  /** When, milliseconds since 1970 by the gateway's clock. */
  at: Type.Integer({ minimum: 0 }),
}

/** What has become of one command. */
const ReportedCommandSchema = Type.Object(
  { n: Type.Integer({ minimum: 1, maximum: COMMAND_NUMBER_MAX }), ...SAID },
  { additionalProperties: false },
)
/** What has become of one meal of the schedule: see MealOutcome. */
const ReportedMealSchema = Type.Object(
  { occurrence: Type.Integer({ minimum: 1, maximum: OCCURRENCE_MAX }), ...SAID },
  { additionalProperties: false },
)
const ReportedOutcomeSchema = Type.Union([ReportedCommandSchema, ReportedMealSchema])
export type ReportedCommand = Type.Static<typeof ReportedCommandSchema>
export type ReportedMeal = Type.Static<typeof ReportedMealSchema>
export type ReportedOutcome = Type.Static<typeof ReportedOutcomeSchema>

/**
 * One report of one device on its way from the gateway's journal to its shadow.
 * The journal holds it as one line of JSON, and an SQS batch carries that same text.
 */
export const ReportSchema = Type.Object(
  {
    /** Thing name: the device's identity everywhere. Always the first key, so that a reader finds it without parsing. */
    thing: Type.String({ pattern: THING_NAME_PATTERN }),
    /** Thing type name. */
    type: Type.String({ pattern: THING_NAME_PATTERN }),
    /** Order of this device's reports: a higher one is newer, an equal one is a repeat. A secure device's is its Partial IV. */
    seq: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    /** When the state was measured, milliseconds since 1970 by the gateway's clock. */
    at: Type.Integer({ minimum: 0 }),
    /** When the gateway took the report, milliseconds since 1970. */
    received: Type.Integer({ minimum: 0 }),
    /** The measurements: any JSON, but no key `link`. A key whose value is null is removed from the shadow. */
    state: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    /** false: the device says that the state is that of its last answered report. Absent means changed. */
    changed: Type.Optional(Type.Boolean()),
    /** What has become of commands and meals; the device repeats them until an answer named them. */
    outcomes: Type.Optional(Type.Array(ReportedOutcomeSchema, { maxItems: OUTCOMES_MAX })),
    /** Version of the configuration that the device holds. */
    config_version: Type.Optional(Type.Integer({ minimum: 0 })),
    /** The firmware that the device runs, and why not the one that it was told of last. */
    firmware: Type.Optional(
      Type.Object(
        {
          version: Type.Integer({ minimum: 0, maximum: FIRMWARE_VERSION_MAX }),
          tried: Type.Optional(Type.Integer({ minimum: 0, maximum: FIRMWARE_VERSION_MAX })),
          /** One of FIRMWARE_PROBLEMS, or `p<number>` for one that the gateway did not know. */
          problem: Type.Optional(Type.String({ pattern: '^[a-z0-9_]{1,32}$' })),
        },
        { additionalProperties: false },
      ),
    ),
    /** Highest command number in the answer to this report. */
    sent: Type.Optional(Type.Integer({ minimum: 1, maximum: COMMAND_NUMBER_MAX })),
    link: Type.Optional(
      Type.Object(
        {
          /** Size of the datagram (of the whole body, when it came block-wise), bytes. */
          size: Type.Optional(Type.Integer({ minimum: 0 })),
          /** When the device promises to report again, seconds from this report. */
          interval_s: Type.Optional(Type.Integer({ minimum: 1 })),
          /** Whether the device waited for an answer. Absent means yes. */
          answer: Type.Optional(Type.Boolean()),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
)
export type Report = Type.Static<typeof ReportSchema>

/** Body of one SQS message: reports of many devices; those of one device stand in order. */
export const BatchSchema = Type.Object(
  {
    v: Type.Literal(1),
    /** Gateway id. */
    gateway: Type.String({ pattern: '^[a-z0-9-]{1,16}$' }),
    /** ULID of this batch, for the logs. */
    batch: Type.String({ pattern: '^[0-9A-HJKMNP-TV-Z]{26}$' }),
    /** Checked one by one against ReportSchema: one bad record must not spoil the rest. */
    records: Type.Array(Type.Unknown()),
  },
  { additionalProperties: false },
)
export type Batch = Type.Static<typeof BatchSchema>
