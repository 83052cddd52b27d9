import type { RegisteredKind } from '@pesebre/contract/api/device'
import type { GatewayAddress } from '@pesebre/contract/identity'
import type { FleetKey } from '@pesebre/contract/registration'
import type { Actor } from '../audit.ts'
import type { Database } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Shadows } from '../iot/shadows.ts'
import { Problem } from '../problems.ts'
import type { Downloads } from './downloads.ts'
import type { Registry } from './registry.ts'

/** What the administration of devices needs of the world. */
export type DeviceParts = {
  readonly db: Database
  readonly now: () => number
  readonly shadows: Pick<Shadows, 'changeControl'>
  readonly registry: Registry
  readonly downloads: Downloads
  /** Undefined: no fleet keys are set, and only devices that speak MQTT can be registered. */
  readonly fleetKey: (() => Promise<FleetKey>) | undefined
  /** What new devices are told of gateways. */
  readonly gateways: readonly GatewayAddress[]
  /** What devices that speak MQTT are told of AWS IoT. Undefined: it is not set up, and cameras cannot be registered. */
  readonly mqtt: { readonly host: string; readonly port: number; readonly authority: string } | undefined
  /** Stands before the names of policies (contract/src/policies.ts): several installations live in one account. */
  readonly policyPrefix: string
  /** Told after each change of a device. */
  readonly onChange: (change: DeviceChange) => void
}

export type DeviceChange = {
  readonly thing: string
  /** Horses that have it now, or had it before: their cards are others now. */
  readonly horses: readonly { readonly id: string; readonly stable: string }[]
}

/** Who does it, and the request that it came by. */
export type By = Actor & { readonly user: { readonly id: string; readonly name: string } }

export type DeviceRow = {
  readonly thing: string
  readonly kind: RegisteredKind
  readonly name: string
  readonly horse_id: string | null
  readonly state: 'active' | 'disabled' | 'revoked' | 'replaced'
  readonly certificate_id: string | null
}

/** A registered device. @throws Problem 404 */
export async function findDevice(sql: Database['sql'], thing: string): Promise<DeviceRow> {
  const row = await deviceOf(sql, thing)
  if (row === undefined) throw new Problem('not-found')
  return row
}

export function deviceOf(sql: Database['sql'], thing: string): Promise<DeviceRow | undefined> {
  return sql
    .selectFrom('devices')
    .select(['thing', 'kind', 'name', 'horse_id', 'state', 'certificate_id'])
    .where('thing', '=', thing)
    .executeTakeFirst()
}

/** A horse that is there. @throws Problem 404 */
export async function findHorse(
  sql: Database['sql'],
  id: string,
): Promise<{ id: string; name: string; stable: string }> {
  const row = await sql
    .selectFrom('horses')
    .select(['id', 'name', 'stable_id as stable'])
    .where('id', '=', id)
    .where('archived_at', 'is', null)
    .executeTakeFirst()
  if (row === undefined) throw new Problem('not-found', { detail: 'There is no such horse' })
  return row
}

/** The horse has another device of this kind: which one, for the page. */
export async function horseTaken(
  sql: Database['sql'],
  { horse, kind }: { horse: string; kind: Tables['devices']['kind'] },
): Promise<Problem> {
  const other = await sql
    .selectFrom('devices')
    .select('thing')
    .where('horse_id', '=', horse)
    .where('kind', '=', kind)
    .executeTakeFirst()
  return new Problem('conflict', {
    reason: 'horse-taken',
    detail: `The horse has a ${kind} already: ${other?.thing ?? 'take it away first'}`,
    ...(other !== undefined && { thing: other.thing }),
  })
}
