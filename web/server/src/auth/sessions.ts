import type { Transaction } from 'kysely'
import type { Database } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { hashOf, newToken } from './tokens.ts'

const DAY_MS = 86_400_000
/** A session that nobody used for so long has ended, milliseconds. */
export const IDLE_MS = 14 * DAY_MS
/** And none lives longer, however much it is used, milliseconds. */
export const ABSOLUTE_MS = 90 * DAY_MS
/** Use is written down in such steps: not every request needs to write. */
const SEEN_STEP_MS = 10 * 60_000

/** Somebody who has proved who they are. */
export type SignedIn = {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly role: 'admin' | 'user'
  readonly language: 'es' | 'en'
  readonly hasPassword: boolean
}

/**
 * Begins a session. The one that the browser had before ends: who planted it gets nothing (session fixation).
 * @returns the token for the cookie; only its hash is kept
 */
export async function beginSession(
  tx: Transaction<Tables>,
  now: number,
  session: {
    user: string
    method: 'password' | 'oidc' | 'invitation'
    userAgent: string | undefined
    before: string | undefined
  },
): Promise<string> {
  const token = newToken()
  if (session.before !== undefined) await endSession(tx, session.before)
  await tx
    .deleteFrom('sessions')
    .where('user_id', '=', session.user)
    .where((or) => or.or([or('expires_at', '<=', now), or('seen_at', '<=', now - IDLE_MS)]))
    .execute()
  await tx
    .insertInto('sessions')
    .values({
      token_hash: hashOf(token),
      user_id: session.user,
      method: session.method,
      user_agent: session.userAgent?.slice(0, 255) ?? null,
      created_at: now,
      seen_at: now,
      expires_at: now + ABSOLUTE_MS,
    })
    .execute()
  return token
}

/** Who a session's token belongs to; undefined when it has ended, or its user was disabled. */
export async function findSession(
  db: Database,
  token: string,
  now: number,
): Promise<{ user: SignedIn; method: string } | undefined> {
  const hash = hashOf(token)
  const row = await db.sql
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select(['users.id', 'users.name', 'users.email', 'users.role', 'users.language', 'users.password_hash'])
    .select(['sessions.seen_at', 'sessions.method'])
    .where('sessions.token_hash', '=', hash)
    .where('sessions.expires_at', '>', now)
    .where('sessions.seen_at', '>', now - IDLE_MS)
    .where('users.disabled_at', 'is', null)
    .executeTakeFirst()
  if (row === undefined) return undefined
  if (now - row.seen_at > SEEN_STEP_MS)
    await db.sql.updateTable('sessions').set({ seen_at: now }).where('token_hash', '=', hash).execute()
  return { user: signedIn(row), method: row.method }
}

/** Ends one session. @returns how it was begun; undefined when there was none */
export async function endSession(tx: Transaction<Tables>, token: string): Promise<string | undefined> {
  const hash = hashOf(token)
  const row = await tx
    .selectFrom('sessions')
    .select('method')
    .where('token_hash', '=', hash)
    .executeTakeFirst()
  await tx.deleteFrom('sessions').where('token_hash', '=', hash).execute()
  return row?.method
}

/** Ends all sessions of a user: after a new password, a new role, or when they are disabled. */
export async function endSessionsOf(tx: Transaction<Tables>, user: string): Promise<void> {
  await tx.deleteFrom('sessions').where('user_id', '=', user).execute()
}

export function signedIn(row: Omit<SignedIn, 'hasPassword'> & { password_hash: string | null }): SignedIn {
  const { id, name, email, role, language } = row
  return { id, name, email, role, language, hasPassword: row.password_hash !== null }
}
