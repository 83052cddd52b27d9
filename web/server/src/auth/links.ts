import type { Transaction } from 'kysely'
import type { Database } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { newId } from '../ids.ts'
import { hashOf, newToken } from './tokens.ts'

/** What somebody gets who opens the link. */
export type LinkGrant =
  | { readonly kind: 'setup' }
  | {
      readonly kind: 'stable'
      readonly stable: string
      readonly role: 'owner' | 'groom' | 'vet'
      readonly email: string | null
    }
  | { readonly kind: 'account'; readonly role: 'admin' | 'user'; readonly email: string }

/** How long links are good, milliseconds. */
export const LINK_MS = { setup: 86_400_000, stable: 7 * 86_400_000, account: 7 * 86_400_000 } as const

/** Makes a link that is good once. The token is shown now and never again: only its hash is kept. */
export async function makeLink(
  tx: Transaction<Tables>,
  grant: LinkGrant,
  { by, now, token = newToken() }: { by: string | null; now: number; token?: string | undefined },
): Promise<{ id: string; token: string; expires: number }> {
  const id = newId('inv')
  const expires = now + LINK_MS[grant.kind]
  await tx
    .insertInto('invitations')
    .values({
      id,
      token_hash: hashOf(token),
      kind: grant.kind,
      stable_id: grant.kind === 'stable' ? grant.stable : null,
      role: grant.kind === 'setup' ? 'admin' : grant.role,
      email: grant.kind === 'setup' ? null : grant.email,
      invited_by: by,
      created_at: now,
      expires_at: expires,
    })
    .execute()
  return { id, token, expires }
}

/** The invitation that a token opens; undefined when there is none, it was used, or its time is past. */
export async function findLink(sql: Database['sql'], token: string, now: number) {
  return await sql
    .selectFrom('invitations')
    .selectAll()
    .where('token_hash', '=', hashOf(token))
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
}

/** Marks a link as used. False when somebody else was faster. */
export async function useLink(
  tx: Transaction<Tables>,
  id: string,
  { by, now }: { by: string; now: number },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('invitations')
    .set({ used_at: now, used_by: by })
    .where('id', '=', id)
    .where('used_at', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/**
 * While there is no admin, makes the one-time link that makes the first; links of earlier starts end.
 * @param chosen the token, where the operator has chosen it (PESEBRE_SETUP_TOKEN)
 * @returns the token; undefined when there is an admin
 */
export async function setupLink(db: Database, now: number, chosen?: string): Promise<string | undefined> {
  return db.write(async (tx) => {
    const admin = await tx.selectFrom('users').select('id').where('role', '=', 'admin').executeTakeFirst()
    if (admin !== undefined) return undefined
    await tx.deleteFrom('invitations').where('kind', '=', 'setup').execute()
    const { token } = await makeLink(tx, { kind: 'setup' }, { by: null, now, token: chosen })
    return token
  })
}
