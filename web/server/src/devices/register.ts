import { createHmac, randomInt } from 'node:crypto'
import {
  type Proposal,
  REGISTERED_KINDS,
  type Register,
  type RegisteredKind,
} from '@pesebre/contract/api/device'
import type { DeviceConfig } from '@pesebre/contract/check-in'
import { DEVICE_NUMBER_MAX, deviceOfThing, thingName } from '@pesebre/contract/kid'
import { POLICIES } from '@pesebre/contract/policies'
import { admit, makeIdentity } from '@pesebre/contract/registration'
import { audit } from '../audit.ts'
import { isDuplicate } from '../db/database.ts'
import { Problem } from '../problems.ts'
import { coapKit, type Kit, mqttKit } from './kit.ts'
import { type By, type DeviceParts, deviceOf, findHorse, horseTaken } from './parts.ts'

/** Proposed names that are remembered: nobody else has used those, so that their commands count from 1. */
const PROPOSED_MAX = 1_000

/** What makes a device known. `place` runs in the transaction that writes it down, before it: it frees the horse. */
export type Registration = Register & {
  /** Configuration that it begins with. */
  readonly config?: DeviceConfig | undefined
  /** The device whose place it takes. */
  readonly replaces?: string
}

export type Registrar = {
  propose(kind: RegisteredKind): Promise<string>
  /** Makes a device known to AWS IoT and to us. @returns what must be flashed into it, which nobody can be shown again */
  register(registration: Registration, by: By): Promise<{ thing: string; kit: Kit }>
}

const hmac = (key: Uint8Array, data: Uint8Array) => createHmac('sha256', key).update(data).digest()

export function createRegistrar(parts: DeviceParts): Registrar {
  const { db, registry, shadows, now } = parts
  const proposed = new Set<string>()

  async function propose(kind: RegisteredKind): Promise<Proposal['thing']> {
    for (;;) {
      const thing = thingName(kind, randomInt(DEVICE_NUMBER_MAX + 1))
      if ((await deviceOf(db.sql, thing)) !== undefined) continue
      if (proposed.size >= PROPOSED_MAX) proposed.clear()
      proposed.add(thing)
      return thing
    }
  }

  async function register(registration: Registration, by: By): Promise<{ thing: string; kit: Kit }> {
    const { kind, horse } = registration
    refuseUnready(parts, kind)
    const thing = registration.thing ?? (await propose(kind))
    const number = numberOf(thing, kind)
    const place = horse === undefined ? undefined : await findHorse(db.sql, horse)
    const name = registration.name?.trim() || (place === undefined ? thing : `${kind} ${place.name}`)
    await writeDown({ ...registration, thing, name, number }, by)
    try {
      const made =
        kind === 'camera'
          ? await makeCamera(thing, name)
          : await makeCoap({ ...registration, thing, name, number })
      proposed.delete(thing)
      await db.write(async (tx) => {
        await tx
          .updateTable('devices')
          .set({ certificate_id: made.certificate })
          .where('thing', '=', thing)
          .execute()
        await audit(tx, by, {
          action: registration.replaces === undefined ? 'device.register' : 'device.replace',
          subject: thing,
          ...(place !== undefined && { stable: place.stable }),
          detail: { kind, name, horse: horse ?? null, replaces: registration.replaces ?? null },
        })
      })
      parts.onChange({ thing, horses: place === undefined ? [] : [place] })
      return { thing, kit: made.kit }
    } catch (error) {
      await undo({ thing, horse, replaces: registration.replaces })
      throw error
    }
  }

  /** First ours: the database decides whether the horse is free, before anything is made that opens a door. */
  async function writeDown(
    {
      thing,
      kind,
      name,
      number,
      horse,
      replaces,
    }: Registration & { thing: string; name: string; number: number },
    by: By,
  ): Promise<void> {
    try {
      await db.write(async (tx) => {
        if (replaces !== undefined)
          await tx
            .updateTable('devices')
            .set({ horse_id: null, replaced_by: thing })
            .where('thing', '=', replaces)
            .execute()
        await tx
          .insertInto('devices')
          .values({
            thing,
            kind,
            name,
            number,
            horse_id: horse ?? null,
            state: 'active',
            registered_by: by.user.id,
            registered_at: now(),
          })
          .execute()
      })
    } catch (error) {
      if (!isDuplicate(error)) throw error
      if ((await deviceOf(db.sql, thing)) !== undefined) throw registered(thing)
      throw await horseTaken(db.sql, { horse: horse!, kind })
    }
  }

  async function undo({
    thing,
    horse,
    replaces,
  }: {
    thing: string
    horse: string | undefined
    replaces: string | undefined
  }) {
    await db.write(async (tx) => {
      await tx.deleteFrom('devices').where('thing', '=', thing).execute()
      if (replaces !== undefined)
        await tx
          .updateTable('devices')
          .set({ horse_id: horse ?? null, replaced_by: null })
          .where('thing', '=', replaces)
          .execute()
    })
  }

  async function makeCoap({
    thing,
    kind,
    name,
    number,
    config,
  }: Registration & { thing: string; name: string; number: number }) {
    const fleetKey = await parts.fleetKey!()
    const isNew = await admit(
      {
        change: shadows.changeControl,
        ensureThing: (made) => registry.ensureThing(made, kind),
      },
      { thing, name, isChosen: !proposed.has(thing), now: now() },
    )
    if (!isNew) throw registered(thing)
    if (config !== undefined)
      await shadows.changeControl(thing, ({ desired }) => ({ desired: { ...desired, config } }))
    const input = { kind: kind as Exclude<RegisteredKind, 'camera'>, number, fleetKey, name }
    return { kit: coapKit(makeIdentity({ ...input, gateways: parts.gateways }, hmac)), certificate: null }
  }

  async function makeCamera(thing: string, name: string) {
    const { host, port, authority } = parts.mqtt!
    if ((await registry.kindOf(thing)) !== undefined) throw registered(thing)
    await registry.ensureThing(thing, 'camera')
    const made = await registry.createCertificate(thing, `${parts.policyPrefix}${POLICIES.camera}`)
    const { certificate, key } = made
    return { kit: mqttKit({ thing, name, host, port, certificate, key, authority }), certificate: made.id }
  }

  return { propose, register }
}

function refuseUnready({ fleetKey, mqtt }: DeviceParts, kind: RegisteredKind): void {
  if (kind === 'camera' && mqtt === undefined)
    throw new Problem('unavailable', { detail: 'AWS IoT is not set up: set PESEBRE_MQTT_HOST' })
  if (kind !== 'camera' && fleetKey === undefined)
    throw new Problem('unavailable', { detail: 'There are no fleet keys: set PESEBRE_FLEET_KEYS' })
}

function numberOf(thing: string, kind: RegisteredKind): number {
  const device = deviceOfThing(thing)
  if (device?.kind === kind) return device.number
  throw new Problem('invalid', {
    errors: [{ path: '/thing', message: `must be ${kind}-<8 hexadecimal digits, in lower case>` }],
  })
}

function registered(thing: string): Problem {
  return new Problem('conflict', { reason: 'registered', thing, detail: `Registered already: ${thing}` })
}

/** Whether a thing type is one that can be at a horse. */
export function isRegisteredKind(kind: string | null | undefined): kind is RegisteredKind {
  return REGISTERED_KINDS.some((one) => one === kind)
}
