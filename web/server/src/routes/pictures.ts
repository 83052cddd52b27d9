import { HorseSchema } from '@pesebre/contract/api/horse'
import { PictureFormSchema, PictureQuerySchema, PictureRequestSchema } from '@pesebre/contract/api/picture'
import { IdSchema } from '@pesebre/contract/api/values'
import Type from 'typebox'
import { scopeOf } from '../access.ts'
import type { App } from '../app.ts'
import { actorOf, audit } from '../audit.ts'
import type { Deps } from '../deps.ts'
import { readHorse } from '../horses.ts'
import type { Pictures } from '../pictures/pictures.ts'
import { Problem } from '../problems.ts'

const HorseParams = Type.Object({ horse: IdSchema })

/** POST /api/horses/{horse}/picture (a signed form), POST .../picture/done, GET .../picture?size=card|full. */
export function pictureRoutes(app: App, deps: Deps): void {
  app.post(
    '/api/horses/:horse/picture',
    {
      config: { access: 'horse.picture' },
      schema: { params: HorseParams, body: PictureRequestSchema, response: { 200: PictureFormSchema } },
    },
    ({ params, body }) => picturesOf(deps).form(params.horse, body.type),
  )

  app.post(
    '/api/horses/:horse/picture/done',
    {
      config: { access: 'horse.picture' },
      schema: { params: HorseParams, response: { 200: HorseSchema } },
    },
    async (request) => {
      const { horse } = request.params
      const { stable } = scopeOf(request)
      await picturesOf(deps).take(horse, deps.now())
      const entry = { action: 'horse.picture', subject: horse, stable }
      await deps.db.write((tx) => audit(tx, actorOf(request, deps.now()), entry))
      deps.onHorseChange?.({ stable, horse })
      const found = await readHorse(deps.db.sql, horse)
      if (found === undefined) throw new Problem('not-found')
      return found
    },
  )

  app.get(
    '/api/horses/:horse/picture',
    {
      config: { access: 'horse.read' },
      schema: { params: HorseParams, querystring: PictureQuerySchema },
    },
    async (request, reply) => {
      const { size = 'card', v } = request.query
      const found = await picturesOf(deps).read(request.params.horse, size)
      if (found === undefined) throw new Problem('not-found')
      const tag = `"${found.key.split('/').at(-1)}-${size}"`
      // With `v` the address changes with the picture: the browser need not ask again. Nobody else may keep it.
      reply.header(
        'cache-control',
        v === undefined ? 'private, no-cache' : 'private, max-age=31536000, immutable',
      )
      reply.header('etag', tag)
      if (request.headers['if-none-match'] === tag) return reply.code(304).send()
      return reply.type('image/webp').send(Buffer.from(found.bytes))
    },
  )
}

/** @throws Problem 503 where no bucket is set */
function picturesOf({ pictures }: Deps): Pictures {
  if (pictures === undefined)
    throw new Problem('unavailable', { detail: 'There is no bucket: set PESEBRE_BUCKET' })
  return pictures
}
