import type { IncomingHttpHeaders } from 'node:http'
import type { Deps } from '../deps.ts'
import { cookieJar } from './cookies.ts'
import { findSession, type SignedIn } from './sessions.ts'

/** Who a request comes from, and how they proved it. */
export type Identity = {
  readonly user: SignedIn
  /** Of the cookie; undefined with a bearer token, which no browser sends by itself. */
  readonly token: string | undefined
}

/**
 * Who sent these headers: a bearer token if there is one, else the session's cookie. For routes and for the upgrade of
 * WebSockets alike. Undefined: nobody that we know.
 * @throws Problem 401 when a bearer token is there and is not good: who sends one wants to hear it
 */
export async function identify(
  deps: Pick<Deps, 'db' | 'now' | 'origin' | 'bearer'>,
  headers: Pick<IncomingHttpHeaders, 'cookie' | 'authorization'>,
): Promise<Identity | undefined> {
  const [scheme, credentials] = (headers.authorization ?? '').split(' ')
  if (scheme?.toLowerCase() === 'bearer' && deps.bearer !== undefined)
    return { user: await deps.bearer(credentials ?? ''), token: undefined }
  const token = cookieJar(deps.origin).read(headers.cookie, 'session')
  if (token === undefined || token === '') return undefined
  const found = await findSession(deps.db, token, deps.now())
  return found && { user: found.user, token }
}
