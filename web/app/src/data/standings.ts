import type { DeviceStanding } from '@pesebre/contract/api/device'

/** The worst first, as the server sorts (contract/src/api/device.ts, which brings a schema library that browsers need not load). */
export const DEVICE_STANDINGS: readonly DeviceStanding[] = [
  'alarm',
  'silent',
  'late',
  'gateway-down',
  'new',
  'good',
  'disabled',
  'revoked',
]
