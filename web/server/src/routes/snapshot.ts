import { SNAPSHOT_AGE_S, SnapshotQuerySchema } from '@pesebre/contract/api/camera'
import Type from 'typebox'
import { scopeOf } from '../access.ts'
import type { App } from '../app.ts'
import { cameraOf } from '../camera/watching.ts'
import type { Deps } from '../deps.ts'
import { Problem } from '../problems.ts'

/** GET /api/horses/{horse}/snapshot: one picture of the horse's camera, for lists, after a meal, in messages. */
export function snapshotRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/horses/:horse/snapshot',
    {
      config: { access: 'camera.view' },
      schema: {
        params: Type.Object({ horse: Type.String() }),
        querystring: SnapshotQuerySchema,
      },
    },
    async (request, reply) => {
      const { horse = '' } = scopeOf(request)
      const { maxAge = SNAPSHOT_AGE_S } = request.query
      const camera = await cameraOf(deps.db, horse)
      if (camera === undefined) throw new Problem('not-found', { detail: 'The horse has no camera' })
      const { relay } = deps
      if (relay === undefined)
        throw new Problem('unavailable', { detail: 'The relay of the cameras is away' })
      const picture = await relay.snapshot(camera, maxAge * 1000)
      if (picture === undefined)
        throw new Problem('unavailable', { detail: 'The camera does not answer', retryAfter: 30 })
      const { jpeg, at } = picture
      return reply
        .type('image/jpeg')
        .header('cache-control', 'private, no-store')
        .header('x-picture-at', at)
        .send(Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.length))
    },
  )
}
