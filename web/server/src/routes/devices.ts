import {
  DeviceParamsSchema,
  DeviceSchema,
  FleetQuerySchema,
  FleetSchema,
  ProposalQuerySchema,
  ProposalSchema,
  RegisteredSchema,
  RegisterSchema,
  RenameSchema,
} from '@pesebre/contract/api/device'
import type { FastifyRequest } from 'fastify'
import { userOf } from '../access.ts'
import type { App } from '../app.ts'
import { actorOf } from '../audit.ts'
import type { Deps } from '../deps.ts'
import type { Devices } from '../devices/devices.ts'
import type { Kit } from '../devices/kit.ts'
import type { By } from '../devices/parts.ts'
import { Problem } from '../problems.ts'
import { fleetNumbers } from './fleet.ts'

/** GET, POST /api/devices; GET /api/devices/proposal; GET, PATCH /api/devices/{thing}; POST /api/devices/{thing}/{disable|enable|revoke|replace}. */
export function deviceRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/devices',
    {
      config: { access: 'fleet' },
      schema: { querystring: FleetQuerySchema, response: { 200: FleetSchema } },
    },
    async ({ query }) => {
      const [found, numbers] = await Promise.all([devicesOf(deps).fleet.list(query), fleetNumbers(deps)])
      return { ...found, numbers }
    },
  )

  app.get(
    '/api/devices/proposal',
    {
      config: { access: 'fleet' },
      schema: { querystring: ProposalQuerySchema, response: { 200: ProposalSchema } },
    },
    async ({ query: { kind } }) => {
      const { propose, firmware } = devicesOf(deps)
      return { kind, thing: await propose(kind), firmware: (await firmware.find(kind)) ?? null }
    },
  )

  app.post(
    '/api/devices',
    { config: { access: 'fleet' }, schema: { body: RegisterSchema, response: { 201: RegisteredSchema } } },
    async (request, reply) => {
      const made = await devicesOf(deps).register(request.body, byOf(request, deps))
      return reply.code(201).send(await offer(request, made))
    },
  )

  app.get(
    '/api/devices/:thing',
    { config: { access: 'fleet' }, schema: { params: DeviceParamsSchema, response: { 200: DeviceSchema } } },
    async ({ params }) => found(params.thing),
  )

  app.patch(
    '/api/devices/:thing',
    {
      config: { access: 'fleet' },
      schema: { params: DeviceParamsSchema, body: RenameSchema, response: { 200: DeviceSchema } },
    },
    async (request) => {
      const { thing } = request.params
      await devicesOf(deps).rename(thing, request.body.name.trim(), byOf(request, deps))
      return found(thing)
    },
  )

  for (const step of ['disable', 'enable', 'revoke'] as const) {
    app.post(
      `/api/devices/:thing/${step}`,
      {
        config: { access: 'fleet' },
        schema: { params: DeviceParamsSchema, response: { 200: DeviceSchema } },
      },
      async (request) => {
        await devicesOf(deps)[step](request.params.thing, byOf(request, deps))
        return found(request.params.thing)
      },
    )
  }

  app.post(
    '/api/devices/:thing/replace',
    {
      config: { access: 'fleet' },
      schema: { params: DeviceParamsSchema, response: { 201: RegisteredSchema } },
    },
    async (request, reply) => {
      const made = await devicesOf(deps).replace(request.params.thing, byOf(request, deps))
      return reply.code(201).send(await offer(request, made))
    },
  )

  async function found(thing: string) {
    const [device] = await devicesOf(deps).fleet.rows([thing])
    if (device === undefined) throw new Problem('not-found')
    return device
  }

  async function offer(request: FastifyRequest, { thing, kit }: { thing: string; kit: Kit }) {
    const download = devicesOf(deps).downloads.offer(thing, kit, userOf(request).id)
    return { device: await found(thing), download }
  }
}

/** @throws Problem 503 where AWS IoT is not set up */
export function devicesOf({ devices }: Pick<Deps, 'devices'>): Devices {
  if (devices === undefined) throw new Problem('unavailable', { detail: 'AWS IoT is not set up' })
  return devices
}

export function byOf(request: FastifyRequest, deps: Deps): By {
  return { ...actorOf(request, deps.now()), user: userOf(request) }
}
