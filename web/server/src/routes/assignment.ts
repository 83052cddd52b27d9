import { AssignSchema, DeviceParamsSchema, DeviceSchema } from '@pesebre/contract/api/device'
import type { App } from '../app.ts'
import type { Deps } from '../deps.ts'
import { Problem } from '../problems.ts'
import { byOf, devicesOf } from './devices.ts'

/** PUT /api/devices/{thing}/assignment: which horse a device is at. */
export function assignmentRoutes(app: App, deps: Deps): void {
  app.put(
    '/api/devices/:thing/assignment',
    {
      config: { access: 'fleet' },
      schema: { params: DeviceParamsSchema, body: AssignSchema, response: { 200: DeviceSchema } },
    },
    async (request) => {
      const { thing } = request.params
      await devicesOf(deps).assign(thing, request.body, byOf(request, deps))
      const [device] = await devicesOf(deps).fleet.rows([thing])
      if (device === undefined) throw new Problem('not-found')
      return device
    },
  )
}
