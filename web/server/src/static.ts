import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { App } from './app.ts'
import type { Deps } from './deps.ts'
import { Problem } from './problems.ts'

/** Files under it have a hash of their content in their names (Vite's assetsDir). */
const HASHED = /^assets\//

/**
 * Serves the built web/app: files as they are, and its index for every other address, since the pages' router reads it.
 * Nothing below /api and /relay is ever a page.
 */
export async function serveApp(app: App, { appDir }: Pick<Deps, 'appDir'>): Promise<void> {
  if (appDir === undefined) return
  await app.register(fastifyStatic, { root: appDir, serve: false, index: false, dotfiles: 'ignore' })
  const index = join(appDir, 'index.html')

  app.get('/*', { config: { access: 'public' }, schema: { hide: true } }, async (request, reply) => {
    const path = (request.params as { '*': string })['*']
    if (/^(api|relay)(\/|$)/.test(path)) throw new Problem('not-found')
    if (/\.[a-z0-9]{1,12}$/i.test(path)) {
      const forever = HASHED.test(path)
      return reply.sendFile(path, { maxAge: forever ? '1y' : 0, immutable: forever })
    }
    return reply
      .type('text/html; charset=utf-8')
      .header('cache-control', 'no-cache')
      .send(await readFile(index))
  })
}
