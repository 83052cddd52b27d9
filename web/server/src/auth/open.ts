import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config.ts'
import type { Database } from '../db/database.ts'
import type { Deps } from '../deps.ts'
import { createBearer } from './bearer.ts'
import { setupLink } from './links.ts'
import { createOidc } from './oidc.ts'

/** Signing in elsewhere and bearer tokens, where a provider is set up. */
export function openProvider(
  { oidc: settings, origin }: Pick<Config, 'oidc' | 'origin'>,
  { db, now }: Pick<Deps, 'db' | 'now'>,
): Pick<Deps, 'oidc' | 'bearer'> {
  if (settings === undefined) return {}
  const oidc = createOidc(settings, origin)
  return { oidc, bearer: createBearer(db, settings, { jwksUri: oidc.jwksUri, now }) }
}

/** While there is no admin, tells who reads the log how to become the first. */
export async function offerSetup(
  db: Database,
  { setupToken, origin }: Pick<Config, 'setupToken' | 'origin'>,
  log: FastifyBaseLogger,
): Promise<void> {
  const token = await setupLink(db, Date.now(), setupToken)
  // One that was chosen is no news, and stays secret. Else a warning: somebody should look, nothing works before they did.
  if (token === undefined || setupToken !== undefined) return
  const setup = `${origin}/setup#${token}`
  log.warn({ setup }, 'there is no admin yet: open this link within a day to become it')
}
