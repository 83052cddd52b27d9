import type { Shadows } from '../iot/shadows.ts'
import { type Assigner, createAssigner } from './assign.ts'
import { createDownloads, type Downloads } from './downloads.ts'
import type { Firmware } from './firmware.ts'
import { createFleet, type Fleet, type FleetOptions } from './fleet.ts'
import { createLifecycle, type Lifecycle } from './lifecycle.ts'
import type { DeviceParts } from './parts.ts'
import { createRegistrar, type Registrar } from './register.ts'

/** The administration of devices, as the routes use it. */
export type Devices = Registrar &
  Lifecycle &
  Assigner & { readonly downloads: Downloads; readonly fleet: Fleet; readonly firmware: Firmware }

export type DevicesOptions = Omit<DeviceParts, 'downloads' | 'shadows'> &
  Pick<FleetOptions, 'states' | 'peek' | 'onError' | 'isConnected' | 'leases'> & {
    readonly shadows: Pick<Shadows, 'read' | 'changeControl'>
    readonly firmware: Firmware
  }

export function createDevices(options: DevicesOptions): Devices {
  const downloads = createDownloads(options.now)
  const parts = { ...options, downloads }
  const registrar = createRegistrar(parts)
  return {
    ...registrar,
    ...createLifecycle(parts, registrar),
    ...createAssigner(parts),
    downloads,
    fleet: createFleet(options),
    firmware: options.firmware,
  }
}
