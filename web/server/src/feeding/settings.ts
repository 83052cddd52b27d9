import type {
  CalibrationAnswer,
  CalibrationRequest,
  LimitsAnswer,
  LimitsRequest,
} from '@pesebre/contract/api/feed'
import type { ScheduleAnswer, ScheduleRequest, Slot } from '@pesebre/contract/api/schedule'
import {
  CALIBRATION_MAX,
  CALIBRATION_MIN,
  type DeviceConfig,
  type ScheduleSlot,
  SLOTS_MAX,
} from '@pesebre/contract/check-in'
import { CONTROL_SHADOW, type Control, readControl } from '@pesebre/contract/control'
import { type Actor, audit } from '../audit.ts'
import type { Database } from '../db/database.ts'
import { newId } from '../ids.ts'
import type { Shadows } from '../iot/shadows.ts'
import { Problem } from '../problems.ts'
import { checkZone } from '../zones.ts'
import { type Caps, capsOf, deviceLimits } from './caps.ts'
import type { FedHorse } from './feeders.ts'
import { clockChanges, nextMeal } from './plan.ts'
import { withRule } from './zone-rules.ts'

export type SettingsOptions = {
  readonly db: Database
  readonly shadows: Pick<Shadows, 'read' | 'changeControl'>
  readonly now: () => number
  /** Grams that may still be given within 24 hours. */
  readonly leftOf: (horse: string, of: { caps: Caps; control: Control }) => Promise<number>
}

export type HorseWithFeeder = FedHorse & { readonly feeder: string }

/** As it leaves the factory, thousandths. */
const FACTORY = 1000
const DAYS = 7

/** What a feeder is to keep to: schedule, limits, calibration. All of it is one configuration with one version. */
export function createSettings({ db, shadows, now, leftOf }: SettingsOptions) {
  async function read(thing: string): Promise<Control> {
    const document = await shadows.read(thing, CONTROL_SHADOW)
    return readControl(document?.state)
  }

  /** Writes another configuration, under a version that the feeder cannot hold yet. One that is the same stays as it is. */
  async function change(
    thing: string,
    edit: (config: DeviceConfig, control: Control) => DeviceConfig,
  ): Promise<Control> {
    const { control } = await shadows.changeControl(thing, (control, exists) => {
      if (!exists) throw new Problem('conflict', { reason: 'no_feeder', detail: `Not registered: ${thing}` })
      const { desired, reported } = control
      const before = desired.config ?? { version: 0 }
      const edited = withRule(edit(before, control), now())
      if (JSON.stringify(edited) === JSON.stringify(before)) return { desired: undefined, control }
      const version = Math.max(before.version, reported.config?.version ?? 0) + 1
      const next = { ...desired, config: { ...edited, version } }
      return { desired: next, control: { desired: next, reported } }
    })
    return control
  }

  function scheduleAnswer({ desired, reported }: Control, horse: FedHorse): ScheduleAnswer {
    const { version = 0, zone = horse.zone, schedule = [] } = desired.config ?? {}
    const meal = nextMeal({ zone, schedule }, now())
    return {
      zone,
      slots: schedule.map(([minute, grams, days]) => ({ minute, grams, days })),
      version,
      ...(reported.config && { running: reported.config.version }),
      pending: isPending({ desired, reported }),
      changes: clockChanges({ zone, schedule }, now()).filter(({ meals }) => meals.length > 0),
      max: SLOTS_MAX,
      ...(meal && { next: { at: meal.at, minute: meal.minute, grams: meal.grams } }),
    }
  }

  /** @throws Problem 400 for slots that no feeder can follow, 409 when it was changed meanwhile, 422 for amounts above the caps */
  async function putSchedule(
    horse: HorseWithFeeder,
    body: ScheduleRequest,
    actor: Actor,
  ): Promise<ScheduleAnswer> {
    checkZone(body.zone)
    checkSlots(body.slots)
    const schedule = body.slots
      .map(({ minute, grams, days }): ScheduleSlot => [minute, grams, days])
      .sort((a, b) => a[0] - b[0] || a[2] - b[2])
    const control = await change(horse.feeder, (config) => {
      if (body.version !== undefined && body.version !== config.version)
        throw new Problem('conflict', { reason: 'changed', detail: 'Somebody else has changed the schedule' })
      const caps = capsOf(horse, config)
      checkAmounts(body, caps)
      const { rule: _, ...others } = config
      const kept = body.zone === config.zone ? config : others
      return { ...kept, zone: body.zone, schedule, limits: { ...deviceLimits(caps), ...config.limits } }
    })
    const { version } = control.desired.config ?? { version: 0 }
    await db.write(async (tx) => {
      const row = { thing: horse.feeder, version, zone: body.zone, slots: JSON.stringify(body.slots) }
      await tx
        .deleteFrom('schedules')
        .where('thing', '=', horse.feeder)
        .where('version', '=', version)
        .execute()
      await tx
        .insertInto('schedules')
        .values({ ...row, user_id: actor.user?.id ?? null, created_at: actor.at })
        .execute()
      const detail = { version, zone: body.zone, slots: body.slots.length }
      await audit(tx, actor, {
        action: 'schedule.change',
        subject: horse.id,
        stable: horse.stable_id,
        detail,
      })
    })
    return scheduleAnswer(control, horse)
  }

  async function limitsAnswer(control: Control, horse: FedHorse): Promise<LimitsAnswer> {
    const caps = capsOf(horse, control.desired.config)
    const { portion, daily, gap, recommended } = caps
    const left = await leftOf(horse.id, { caps, control })
    return { portion, daily, gap, recommended, left, pending: isPending(control) }
  }

  /** @throws Problem 422 for a portion above what the weight allows without `override` */
  async function putLimits(horse: HorseWithFeeder, body: LimitsRequest, actor: Actor): Promise<LimitsAnswer> {
    const { recommended } = capsOf({ ...horse, meal_max_g: null }, undefined)
    if (typeof body.portion === 'number' && body.portion > recommended && body.override !== true)
      throw new Problem('refused', { reason: 'override', max: recommended })
    const next: HorseWithFeeder = {
      ...horse,
      ...(body.portion !== undefined && { meal_max_g: body.portion }),
      ...(body.daily !== undefined && { day_max_g: body.daily }),
    }
    const control = await change(horse.feeder, (config) => {
      const { gap_s: _, ...others } = config.limits ?? {}
      const gap = body.gap === undefined ? config.limits?.gap_s : (body.gap ?? undefined)
      const limits = { ...others, ...(gap !== undefined && { gap_s: gap }) }
      return { ...config, limits: deviceLimits(capsOf(next, { limits })) }
    })
    await db.write(async (tx) => {
      const { meal_max_g, day_max_g } = next
      await tx.updateTable('horses').set({ meal_max_g, day_max_g }).where('id', '=', horse.id).execute()
      const { override = false, ...detail } = body
      const entry = { action: 'limits.change', subject: horse.id, stable: horse.stable_id }
      await audit(tx, actor, { ...entry, detail: { ...detail, override } })
    })
    return limitsAnswer(control, next)
  }

  /** A feeder has come to another horse: from now on it keeps to the limits of that one. */
  async function takeLimitsOf(horse: HorseWithFeeder): Promise<void> {
    await change(horse.feeder, (config) => {
      if (config.limits === undefined) return config
      const { gap_s } = config.limits
      const limits = gap_s === undefined ? {} : { gap_s }
      return { ...config, limits: deviceLimits(capsOf(horse, { limits })) }
    })
  }

  /** The clocks of its zone are going to change in another way than the feeder knows: it gets the rule that is true. */
  async function keepRule(thing: string, { desired: { config } }: Control): Promise<void> {
    if (config !== undefined && withRule(config, now()) !== config) await change(thing, (config) => config)
  }

  async function calibrationAnswer(control: Control, thing: string): Promise<CalibrationAnswer> {
    const last = await db.sql
      .selectFrom('calibrations')
      .leftJoin('users', 'users.id', 'calibrations.user_id')
      .select(['calibrations.at', 'users.name'])
      .where('thing', '=', thing)
      .orderBy('calibrations.at', 'desc')
      .limit(1)
      .executeTakeFirst()
    return {
      factor: control.desired.config?.calibration ?? FACTORY,
      ...(last && { at: last.at }),
      ...(last?.name && { by: last.name }),
      pending: isPending(control),
    }
  }

  /**
   * What the scale showed, against what the feeder believed that it gave: the next portions are right.
   * @throws Problem 409 while the feeder has not taken the last calibration: the scale would be measured against another one;
   * 422 for a factor that no feeder has
   */
  async function calibrate(
    horse: HorseWithFeeder,
    { asked, weighed }: CalibrationRequest,
    actor: Actor,
  ): Promise<CalibrationAnswer> {
    let factor = FACTORY
    const control = await change(horse.feeder, (config, before) => {
      if (isPending(before))
        throw new Problem('conflict', {
          reason: 'pending',
          detail: 'The feeder has not taken the last change yet',
        })
      factor = Math.round(((config.calibration ?? FACTORY) * weighed) / asked)
      if (factor < CALIBRATION_MIN || factor > CALIBRATION_MAX)
        throw new Problem('refused', {
          reason: 'calibration',
          detail: 'So far off is no feeder: weigh once more',
        })
      return { ...config, calibration: factor }
    })
    await db.write(async (tx) => {
      const row = { id: newId('cal'), thing: horse.feeder, asked_g: asked, weighed_g: weighed, at: actor.at }
      await tx
        .insertInto('calibrations')
        .values({ ...row, factor: factor / FACTORY, user_id: actor.user?.id ?? null })
        .execute()
      const detail = { asked, weighed, factor }
      await audit(tx, actor, {
        action: 'feeder.calibrate',
        subject: horse.id,
        stable: horse.stable_id,
        detail,
      })
    })
    return calibrationAnswer(control, horse.feeder)
  }

  return {
    read,
    readSchedule: async (horse: HorseWithFeeder) => scheduleAnswer(await read(horse.feeder), horse),
    putSchedule,
    readLimits: async (horse: HorseWithFeeder) => limitsAnswer(await read(horse.feeder), horse),
    putLimits,
    takeLimitsOf,
    keepRule,
    readCalibration: async (horse: HorseWithFeeder) =>
      calibrationAnswer(await read(horse.feeder), horse.feeder),
    calibrate,
  }
}

export type Settings = ReturnType<typeof createSettings>

/** Whether the feeder has yet to say that it holds what is wanted. */
export function isPending({ desired, reported }: Control): boolean {
  return desired.config !== undefined && desired.config.version !== reported.config?.version
}

/** One meal has one time on one day: the ledger tells meals apart by it. */
function checkSlots(slots: readonly Slot[]): void {
  for (const [index, slot] of slots.entries()) {
    const twin = slots.findIndex((other) => other.minute === slot.minute && (other.days & slot.days) !== 0)
    if (twin < index)
      throw new Problem('invalid', {
        errors: [{ path: `/slots/${index}`, message: 'is at the time of another one' }],
      })
  }
}

function checkAmounts({ slots, override = false }: ScheduleRequest, { portion, hard, daily }: Caps): void {
  const largest = Math.max(0, ...slots.map(({ grams }) => grams))
  if (largest > hard) throw new Problem('refused', { reason: 'portion', max: hard })
  if (largest > portion && !override) throw new Problem('refused', { reason: 'override', max: portion })
  for (let day = 0; day < DAYS; day++) {
    const sum = slots.reduce((grams, slot) => grams + ((slot.days >> day) & 1 ? slot.grams : 0), 0)
    if (sum > daily) throw new Problem('refused', { reason: 'daily', max: daily })
  }
}
