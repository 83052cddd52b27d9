import type { DeviceConfig } from '@pesebre/contract/check-in'
import { deviceOfThing } from '@pesebre/contract/kid'
import { audit } from '../audit.ts'
import { Problem } from '../problems.ts'
import type { Kit } from './kit.ts'
import { type By, type DeviceParts, type DeviceRow, findDevice, findHorse } from './parts.ts'
import type { Registrar } from './register.ts'

/** What an admin does to a registered device, apart from where it is. */
export type Lifecycle = {
  /** Refuses everything that it sends, from now on, until it is enabled again. */
  disable(thing: string, by: By): Promise<void>
  enable(thing: string, by: By): Promise<void>
  /** For good: a key that somebody else may have is worth nothing any more. It leaves its horse. */
  revoke(thing: string, by: By): Promise<void>
  /** A new number and a new key in its place, at its horse; the old one is disabled. */
  replace(thing: string, by: By): Promise<{ thing: string; kit: Kit }>
  rename(thing: string, name: string, by: By): Promise<void>
}

export function createLifecycle(parts: DeviceParts, registrar: Registrar): Lifecycle {
  const { db, registry, shadows, downloads } = parts

  /** Opens or shuts the door itself. */
  async function admitOrNot(device: DeviceRow, to: 'ACTIVE' | 'INACTIVE' | 'REVOKED'): Promise<void> {
    if (device.certificate_id !== null) await registry.setCertificate(device.certificate_id, to)
    if (isCoap(device.thing))
      await shadows.changeControl(device.thing, ({ desired }, exists) => ({
        desired: exists ? { ...desired, enabled: to === 'ACTIVE' } : undefined,
      }))
  }

  async function change(
    thing: string,
    by: By,
    step: {
      action: string
      door: 'ACTIVE' | 'INACTIVE' | 'REVOKED'
      from: readonly DeviceRow['state'][]
      set: Partial<Pick<DeviceRow, 'state' | 'horse_id'>>
    },
  ): Promise<void> {
    const device = await findDevice(db.sql, thing)
    if (!step.from.includes(device.state))
      throw new Problem('conflict', { reason: device.state, detail: `It is ${device.state}: ${thing}` })
    const horse = device.horse_id === null ? undefined : await findHorse(db.sql, device.horse_id)
    if (device.certificate_id === null && !isCoap(thing))
      throw new Problem('conflict', {
        reason: 'open',
        thing,
        detail: `It reports without security, so nothing can stop it: ${thing}`,
      })
    // The door first: if the second step fails, it is shut, and doing it again finishes it.
    await admitOrNot(device, step.door)
    await db.write(async (tx) => {
      await tx.updateTable('devices').set(step.set).where('thing', '=', thing).execute()
      await audit(tx, by, {
        action: step.action,
        subject: thing,
        ...(horse !== undefined && { stable: horse.stable }),
      })
    })
    parts.onChange({ thing, horses: horse === undefined ? [] : [horse] })
  }

  async function replace(thing: string, by: By): Promise<{ thing: string; kit: Kit }> {
    const device = await findDevice(db.sql, thing)
    if (device.state === 'replaced')
      throw new Problem('conflict', { reason: 'replaced', detail: `It was replaced already: ${thing}` })
    let config: DeviceConfig | undefined
    if (isCoap(thing)) {
      const { before } = await shadows.changeControl(thing, ({ desired }) => ({
        desired: undefined,
        before: desired.config,
      }))
      config = before && withoutCalibration(before)
    }
    downloads.withdraw(thing)
    const made = await registrar.register(
      {
        kind: device.kind,
        name: device.name,
        config,
        replaces: thing,
        ...(device.horse_id !== null && { horse: device.horse_id }),
      },
      by,
    )
    if (device.state !== 'revoked') await admitOrNot(device, 'INACTIVE')
    await db.write(async (tx) => {
      await tx.updateTable('devices').set({ state: 'replaced' }).where('thing', '=', thing).execute()
      const last = await tx
        .selectFrom('schedules')
        .selectAll()
        .where('thing', '=', thing)
        .orderBy('version', 'desc')
        .limit(1)
        .executeTakeFirst()
      if (last !== undefined)
        await tx
          .insertInto('schedules')
          .values({ ...last, thing: made.thing })
          .execute()
    })
    parts.onChange({ thing, horses: [] })
    return made
  }

  return {
    disable: (thing, by) =>
      change(thing, by, {
        action: 'device.disable',
        door: 'INACTIVE',
        from: ['active', 'disabled'],
        set: { state: 'disabled' },
      }),
    enable: (thing, by) =>
      change(thing, by, {
        action: 'device.enable',
        door: 'ACTIVE',
        from: ['active', 'disabled'],
        set: { state: 'active' },
      }),
    revoke: async (thing, by) => {
      downloads.withdraw(thing)
      await change(thing, by, {
        action: 'device.revoke',
        door: 'REVOKED',
        from: ['active', 'disabled', 'replaced', 'revoked'],
        set: { state: 'revoked', horse_id: null },
      })
    },
    replace,
    async rename(thing, name, by) {
      const device = await findDevice(db.sql, thing)
      const horse = device.horse_id === null ? undefined : await findHorse(db.sql, device.horse_id)
      if (isCoap(thing))
        await shadows.changeControl(thing, ({ desired }, exists) => ({
          desired: exists ? { ...desired, name } : undefined,
        }))
      await db.write(async (tx) => {
        await tx.updateTable('devices').set({ name }).where('thing', '=', thing).execute()
        const entry = { action: 'device.rename', subject: thing, detail: { name } }
        await audit(tx, by, horse === undefined ? entry : { ...entry, stable: horse.stable })
      })
      parts.onChange({ thing, horses: horse === undefined ? [] : [horse] })
    },
  }
}

/** Whether its door is its control shadow. */
function isCoap(thing: string): boolean {
  const device = deviceOfThing(thing)
  return device !== undefined && device.kind !== 'camera'
}

/** How much the old one gave says nothing of the new one. */
function withoutCalibration({ calibration: _, ...config }: DeviceConfig): DeviceConfig {
  return config
}
