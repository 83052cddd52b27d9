import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { App } from './app.ts'
import type { SignedIn } from './auth/sessions.ts'
import type { Deps } from './deps.ts'
import { Problem } from './problems.ts'

/** Files under it have a hash of their content in their names (Vite's assetsDir). */
const HASHED = /^assets\//
/** Who is in more stables waits for the list. */
const STABLES_MAX = 50

/**
 * Serves the built web/app: files as they are, and its index for every other address, since the pages' router reads it.
 * Files are sent as small as they were made (web/app/compressed.ts). Nothing below /api and /relay is ever a page.
 */
export async function serveApp(app: App, { appDir, db }: Pick<Deps, 'appDir' | 'db'>): Promise<void> {
  if (appDir === undefined) return
  await app.register(fastifyStatic, {
    root: appDir,
    serve: false,
    index: false,
    dotfiles: 'ignore',
    preCompressed: true,
  })
  const index = join(appDir, 'index.html')

  app.get('/*', { config: { access: 'public' }, schema: { hide: true } }, async (request, reply) => {
    const path = (request.params as { '*': string })['*']
    if (/^(api|relay)(\/|$)/.test(path)) throw new Problem('not-found')
    if (/\.[a-z0-9]{1,12}$/i.test(path)) {
      const forever = HASHED.test(path)
      return reply.sendFile(path, { maxAge: forever ? '1y' : 0, immutable: forever })
    }
    const user = request.identity?.user
    if (user !== undefined) reply.header('link', hints(await firstReads(db, user, path)))
    return reply
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-cache')
      .send(await readFile(index))
  })
}

/**
 * What the page will read before it can show a horse. Told beside it, the browser reads this while the scripts are still on their way,
 * which over a slow network is a second sooner. For admins the page reads more than one can tell here.
 */
async function firstReads(db: Deps['db'], user: SignedIn, path: string): Promise<string[]> {
  const session = '/api/session'
  const [, wanted] = /^stables\/([^/]+)$/.exec(path) ?? []
  if (user.role === 'admin' || (path !== '' && wanted === undefined)) return [session]
  const stables = await db.sql
    .selectFrom('members')
    .select('stable_id')
    .where('user_id', '=', user.id)
    .limit(STABLES_MAX)
    .execute()
  const ids = stables.map(({ stable_id }) => stable_id)
  // Which of several was looked at last, the browser alone knows.
  const stable = ids.length === 1 ? ids[0] : ids.find((id) => id === wanted)
  const isSaid = stable !== undefined && (wanted === undefined || wanted === stable)
  return isSaid ? [session, `/api/stables/${stable}/horses`] : [session]
}

/** RFC 8288; the HTML standard's "preload". */
function hints(paths: readonly string[]): string {
  return paths.map((path) => `<${path}>; rel=preload; as=fetch; crossorigin`).join(', ')
}
