import type { IncomingHttpHeaders } from 'node:http'
import { allows, findScope } from '../access.ts'
import { identify } from '../auth/identify.ts'
import { isOwnOrigin } from '../auth/own-site.ts'
import type { Deps } from '../deps.ts'
import { Problem } from '../problems.ts'

/** Who watches, and which camera; or the HTTP status that refuses them. */
export type Watching =
  | { readonly user: string; readonly camera: string }
  | { readonly refused: 401 | 403 | 404 }

/** Whether who sent these headers may see this horse, at this moment. */
export type MayWatch = (headers: IncomingHttpHeaders, horse: string) => Promise<Watching>

/**
 * The right to watch: a page of ours, somebody signed in, a role in the horse's stable that may, and a camera there that is not
 * disabled. Asked before the upgrade, and again and again while they watch.
 */
export function createMayWatch(deps: Pick<Deps, 'db' | 'now' | 'origin' | 'bearer'>): MayWatch {
  return async (headers, horse) => {
    if (!isOwnOrigin(headers, deps.origin)) return { refused: 403 }
    const identity = await identify(deps, headers).catch((error: unknown) => {
      if (error instanceof Problem) return undefined
      throw error
    })
    if (identity === undefined) return { refused: 401 }
    const scope = await findScope(deps.db, identity.user, { horse })
    // As over HTTP: who does not belong there does not learn that there is such a horse.
    if (scope === undefined) return { refused: 404 }
    if (!allows('camera.view', scope.role)) return { refused: 403 }
    const camera = await cameraOf(deps.db, horse)
    return camera === undefined ? { refused: 404 } : { user: identity.user.id, camera }
  }
}

/** Thing name of the horse's camera; undefined when it has none, or none that may be used. */
export async function cameraOf(db: Deps['db'], horse: string): Promise<string | undefined> {
  const row = await db.sql
    .selectFrom('devices')
    .select('thing')
    .where('horse_id', '=', horse)
    .where('kind', '=', 'camera')
    .where('state', '=', 'active')
    .executeTakeFirst()
  return row?.thing
}
