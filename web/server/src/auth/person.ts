import type { Database } from '../db/database.ts'
import { normalEmail } from './new-user.ts'
import type { OidcPerson } from './oidc.ts'
import { type SignedIn, signedIn } from './sessions.ts'

/**
 * The account of somebody whom a provider vouches for: the one that belongs to their subject, else the one with their
 * verified address, which from then on belongs to the subject. Undefined: they have none, or it was disabled.
 */
export async function findPerson(db: Database, person: OidcPerson): Promise<SignedIn | undefined> {
  const { issuer, subject, email } = person
  const users = db.sql.selectFrom('users').selectAll()
  const own = await users
    .where('oidc_issuer', '=', issuer)
    .where('oidc_subject', '=', subject)
    .executeTakeFirst()
  if (own !== undefined) return own.disabled_at === null ? signedIn(own) : undefined
  if (email === undefined) return undefined
  const known = await users
    .where('email', '=', normalEmail(email))
    .where('oidc_subject', 'is', null)
    .where('disabled_at', 'is', null)
    .executeTakeFirst()
  if (known === undefined) return undefined
  await db.sql
    .updateTable('users')
    .set({ oidc_issuer: issuer, oidc_subject: subject })
    .where('id', '=', known.id)
    .where('oidc_subject', 'is', null)
    .execute()
  return signedIn(known)
}
