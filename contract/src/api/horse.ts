import Type from 'typebox'
import { DateSchema, IdSchema, NameSchema, nullable, TimeSchema } from './values.ts'

/** A feeder as a card shows it. Made by the server's feeding part from shadows; never from a gateway's or a restart's time. */
export const FeederSummarySchema = Type.Object({
  thing: Type.String(),
  name: Type.String(),
  /** One word, the worst that holds: what the page says in a person's language. */
  state: Type.Enum([
    'new',
    'ok',
    'feeding',
    'late',
    'offline',
    'gateway_down',
    'jammed',
    'empty',
    'low_battery',
    'disabled',
  ]),
  hopperPct: nullable(Type.Number()),
  batteryPct: nullable(Type.Number()),
  /** When the feeder itself last spoke. */
  lastSeen: nullable(TimeSchema),
  /** When it promised to speak next. */
  nextExpected: nullable(TimeSchema),
})
export type FeederSummary = Type.Static<typeof FeederSummarySchema>

export const CameraSummarySchema = Type.Object({
  thing: Type.String(),
  name: Type.String(),
  state: Type.Enum(['new', 'idle', 'streaming', 'offline', 'disabled']),
  lastSeen: nullable(TimeSchema),
  /** Of the newest picture that the server holds. */
  pictureAt: nullable(TimeSchema),
})
export type CameraSummary = Type.Static<typeof CameraSummarySchema>

/** A meal that was, is, or will be. */
export const MealSummarySchema = Type.Object({
  at: TimeSchema,
  /** What was given; null while nobody knows, or before it is due. */
  grams: nullable(Type.Integer()),
  planned: nullable(Type.Integer()),
  state: Type.String(),
  source: Type.Enum(['command', 'schedule', 'device']),
})
export type MealSummary = Type.Static<typeof MealSummarySchema>

export const AlarmSummarySchema = Type.Object({
  id: IdSchema,
  kind: Type.String(),
  since: TimeSchema,
  acknowledged: Type.Boolean(),
})
export type AlarmSummary = Type.Static<typeof AlarmSummarySchema>

export const HorseSchema = Type.Object({
  id: IdSchema,
  stable: IdSchema,
  name: Type.String(),
  weightKg: nullable(Type.Integer()),
  born: nullable(Type.String()),
  notes: nullable(Type.String()),
  /** When its picture was taken in; null: there is none. GET /api/horses/{horse}/picture?v=<this> */
  pictureAt: nullable(TimeSchema),
  /** What it may get at most without an override, grams; null: what its weight allows. */
  limits: Type.Object({ mealMaxG: nullable(Type.Integer()), dayMaxG: nullable(Type.Integer()) }),
  /** Thing names. */
  feeder: nullable(Type.String()),
  camera: nullable(Type.String()),
  createdAt: TimeSchema,
})
export type Horse = Type.Static<typeof HorseSchema>

/** GET /api/stables/{stable}/horses: one card per horse, by name. */
export const HorseCardSchema = Type.Object({
  horse: HorseSchema,
  feeder: nullable(FeederSummarySchema),
  camera: nullable(CameraSummarySchema),
  lastMeal: nullable(MealSummarySchema),
  nextMeal: nullable(MealSummarySchema),
  /** Active ones. */
  alarms: Type.Array(AlarmSummarySchema),
})
export type HorseCard = Type.Static<typeof HorseCardSchema>

const details = {
  weightKg: Type.Optional(nullable(Type.Integer({ minimum: 20, maximum: 1500 }))),
  born: Type.Optional(nullable(DateSchema)),
  notes: Type.Optional(nullable(Type.String({ maxLength: 2000 }))),
}

/** POST /api/stables/{stable}/horses */
export const HorseCreateSchema = Type.Object(
  { name: NameSchema, ...details },
  { additionalProperties: false },
)

/** PATCH /api/horses/{horse} */
export const HorseChangeSchema = Type.Object(
  { name: Type.Optional(NameSchema), ...details },
  { additionalProperties: false },
)
