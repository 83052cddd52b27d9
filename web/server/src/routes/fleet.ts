import { type FleetNumbers, FleetNumbersSchema } from '@pesebre/contract/api/device'
import type { App } from '../app.ts'
import type { Deps } from '../deps.ts'
import { fleetTotal } from '../history/history.ts'
import { devicesOf } from './devices.ts'

/** GET /api/fleet/numbers: how many devices stand how, and how much they say. */
export function fleetRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/fleet/numbers',
    { config: { access: 'fleet' }, schema: { response: { 200: FleetNumbersSchema } } },
    () => fleetNumbers(deps),
  )
}

export async function fleetNumbers(
  deps: Pick<Deps, 'db' | 'now' | 'devices' | 'reports'>,
): Promise<FleetNumbers> {
  const [devices, { reports, to }] = await Promise.all([
    devicesOf(deps).fleet.standings(),
    fleetTotal(deps.db),
  ])
  const counted = deps.reports?.()
  return {
    at: deps.now(),
    devices,
    reports: counted?.total ?? null,
    perMinute: counted?.perMinute ?? null,
    archived: to === null ? null : { reports, to },
  }
}
