import {
  CredentialsParamsSchema,
  CredentialsQuerySchema,
  REGISTERED_KINDS,
} from '@pesebre/contract/api/device'
import Type from 'typebox'
import { userOf } from '../access.ts'
import type { App } from '../app.ts'
import { actorOf, audit } from '../audit.ts'
import type { Deps } from '../deps.ts'
import { Problem } from '../problems.ts'
import { devicesOf } from './devices.ts'

const FirmwareParams = Type.Object({
  kind: Type.Enum([...REGISTERED_KINDS]),
  file: Type.String({ maxLength: 100 }),
})

/** What is flashed: GET /api/devices/{thing}/credentials/{token}?form=, each form once; GET /api/firmware/{kind}/{file}. */
export function credentialRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/devices/:thing/credentials/:token',
    {
      config: { access: 'fleet' },
      schema: { params: CredentialsParamsSchema, querystring: CredentialsQuerySchema },
    },
    async (request, reply) => {
      const { thing, token } = request.params
      const { form } = request.query
      const file = devicesOf(deps).downloads.take({ thing, token, form, by: userOf(request).id })
      if (file === undefined) throw new Problem('link-used')
      const entry = { action: 'device.download', subject: thing, detail: { form } }
      await deps.db.write((tx) => audit(tx, actorOf(request, deps.now()), entry))
      // The image is shown on the page; everything else is saved.
      const disposition = form === 'qr' ? 'inline' : 'attachment'
      return reply
        .type(file.type)
        .header('content-disposition', `${disposition}; filename="${file.name}"`)
        .send(Buffer.from(file.bytes))
    },
  )

  app.get(
    '/api/firmware/:kind/:file',
    { config: { access: 'fleet' }, schema: { params: FirmwareParams } },
    async ({ params: { kind, file } }, reply) => {
      const bytes = await devicesOf(deps).firmware.file(kind, file)
      if (bytes === undefined) throw new Problem('not-found')
      return reply
        .type(file.endsWith('.json') ? 'application/json' : 'application/octet-stream')
        .send(Buffer.from(bytes))
    },
  )
}
