import type { Session } from '@pesebre/contract/api/session'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Transaction } from 'kysely'
import type { Tables } from '../db/schema.ts'
import type { Deps } from '../deps.ts'
import { cookieJar } from './cookies.ts'
import { ABSOLUTE_MS, beginSession, type SignedIn } from './sessions.ts'
import { csrfOf } from './tokens.ts'

/** Begins a session for `user` within `tx`; the cookie goes out with `reply` once it is committed. */
export async function signIn(
  { now, origin }: Pick<Deps, 'now' | 'origin'>,
  request: FastifyRequest,
  session: { tx: Transaction<Tables>; user: string; method: 'password' | 'oidc' | 'invitation' },
): Promise<string> {
  return beginSession(session.tx, now(), {
    user: session.user,
    method: session.method,
    userAgent: request.headers['user-agent'],
    before: cookieJar(origin).read(request.headers.cookie, 'session'),
  })
}

/** Hands the session's token to the browser. */
export function setSessionCookie(reply: FastifyReply, origin: string, token: string): void {
  reply.header('set-cookie', cookieJar(origin).write('session', token, ABSOLUTE_MS / 1000))
}

/** What GET /api/session says. @param token of the cookie; undefined with a bearer token */
export async function sessionBody(
  deps: Pick<Deps, 'db' | 'oidc'>,
  user: SignedIn | null,
  token: string | undefined,
): Promise<Session> {
  const oidc = deps.oidc === undefined ? null : { name: deps.oidc.name }
  if (user === null) return { user, csrf: null, stables: [], oidc, needsSetup: !(await hasAdmin(deps)) }
  const stables = await deps.db.sql
    .selectFrom('members')
    .innerJoin('stables', 'stables.id', 'members.stable_id')
    .select(['stables.id', 'stables.name', 'stables.zone', 'members.role'])
    .where('members.user_id', '=', user.id)
    .orderBy('stables.name')
    .execute()
  return { user, csrf: token === undefined ? null : csrfOf(token), stables, oidc, needsSetup: false }
}

async function hasAdmin({ db }: Pick<Deps, 'db'>): Promise<boolean> {
  const row = await db.sql.selectFrom('users').select('id').where('role', '=', 'admin').executeTakeFirst()
  return row !== undefined
}
