import type { Assign } from '@pesebre/contract/api/device'
import { CONTROL_SHADOW } from '@pesebre/contract/control'
import { deviceOfThing } from '@pesebre/contract/kid'
import { audit } from '../audit.ts'
import { isDuplicate } from '../db/database.ts'
import type { Shadows } from '../iot/shadows.ts'
import { Problem } from '../problems.ts'
import { type By, type DeviceParts, type DeviceRow, deviceOf, findHorse, horseTaken } from './parts.ts'
import { isRegisteredKind } from './register.ts'

export type Assigner = {
  /** Brings a device to a horse, or away from it. */
  assign(thing: string, to: Assign, by: By): Promise<void>
  /** Makes a device known here that was made known to AWS IoT elsewhere. @throws Problem 404 when AWS IoT has no such device */
  adopt(thing: string, by: By): Promise<DeviceRow>
}

export function createAssigner(parts: DeviceParts & { shadows: Pick<Shadows, 'read'> }): Assigner {
  const { db, now, registry, shadows } = parts

  async function assign(thing: string, { horse: to, schedule }: Assign, by: By): Promise<void> {
    const device = (await deviceOf(db.sql, thing)) ?? (await adopt(thing, by))
    if (device.horse_id === to) return
    if (device.state === 'revoked' || device.state === 'replaced')
      throw new Problem('conflict', { reason: device.state, detail: `It is ${device.state}: ${thing}` })
    const [from, horse] = [
      device.horse_id === null ? undefined : await findHorse(db.sql, device.horse_id),
      to === null ? undefined : await findHorse(db.sql, to),
    ]
    if (from !== undefined && device.kind === 'feeder') await settleSchedule(thing, schedule, by)
    try {
      await db.write(async (tx) => {
        await tx.updateTable('devices').set({ horse_id: to }).where('thing', '=', thing).execute()
        const detail = { from: from?.id ?? null, to }
        for (const stable of new Set([from?.stable, horse?.stable].filter((one) => one !== undefined)))
          await audit(tx, by, { action: 'device.assign', subject: thing, stable, detail })
      })
    } catch (error) {
      if (isDuplicate(error)) throw await horseTaken(db.sql, { horse: to!, kind: device.kind })
      throw error
    }
    parts.onChange({ thing, horses: [from, horse].filter((one) => one !== undefined) })
  }

  /** A schedule runs on the feeder, wherever that is. It must not feed another horse without somebody having said so. */
  async function settleSchedule(thing: string, wanted: Assign['schedule'], by: By): Promise<void> {
    if (wanted === 'keep') return
    const { had, version } = await shadows.changeControl(thing, ({ desired }) => {
      const { config } = desired
      const hasMeals = (config?.schedule?.length ?? 0) > 0
      if (!hasMeals || wanted === undefined) return { desired: undefined, had: hasMeals, version: 0 }
      const version = config!.version + 1
      return { desired: { ...desired, config: { ...config!, version, schedule: [] } }, had: true, version }
    })
    if (!had) return
    if (wanted === undefined)
      throw new Problem('conflict', {
        reason: 'has-schedule',
        thing,
        detail: 'It runs a schedule: say whether that goes with it ("keep") or ends ("clear")',
      })
    const last = await db.sql
      .selectFrom('schedules')
      .selectAll()
      .where('thing', '=', thing)
      .orderBy('version', 'desc')
      .limit(1)
      .executeTakeFirst()
    if (last === undefined) return
    const empty = { ...last, version, slots: '[]', user_id: by.user.id, created_at: now() }
    await db.sql.insertInto('schedules').values(empty).execute()
  }

  async function adopt(thing: string, by: By): Promise<DeviceRow> {
    const named = deviceOfThing(thing)
    const kind = await registry.kindOf(thing)
    if (!isRegisteredKind(kind)) throw new Problem('not-found', { detail: 'AWS IoT has no such device' })
    const control = named === undefined ? undefined : await shadows.read(thing, CONTROL_SHADOW)
    const { enabled, name } = fieldsOf(fieldsOf(control?.state)['desired'])
    const [certificate] =
      named === undefined || named.kind === 'camera' ? await registry.certificatesOf(thing) : []
    const values = {
      thing,
      kind,
      name: typeof name === 'string' ? name : thing,
      number: named?.number ?? null,
      certificate_id: certificate ?? null,
      state: named !== undefined && control !== undefined && enabled !== true ? 'disabled' : 'active',
      registered_by: by.user.id,
      registered_at: now(),
    } as const
    await db.write(async (tx) => {
      await tx.insertInto('devices').values(values).execute()
      await audit(tx, by, { action: 'device.adopt', subject: thing, detail: { kind } })
    })
    return (await deviceOf(db.sql, thing))!
  }

  return { assign, adopt }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
