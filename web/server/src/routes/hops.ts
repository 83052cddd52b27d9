import { HopsSchema } from '@pesebre/contract/api/hop'
import type { App } from '../app.ts'
import type { Deps } from '../deps.ts'
import { Problem } from '../problems.ts'

/** GET /api/hops: each step of a report's way, and what the web server leans on. */
export function hopRoutes(app: App, deps: Deps): void {
  app.get(
    '/api/hops',
    { config: { access: 'operate' }, schema: { response: { 200: HopsSchema } } },
    async () => {
      if (deps.hops === undefined) throw new Problem('unavailable', { detail: 'Nobody looks at the hops' })
      return deps.hops()
    },
  )
}
