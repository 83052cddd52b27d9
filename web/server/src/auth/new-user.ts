import type { Transaction } from 'kysely'
import { isDuplicate } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { newId } from '../ids.ts'
import { Problem } from '../problems.ts'
import type { SignedIn } from './sessions.ts'

export type NewUser = {
  readonly email: string
  readonly name: string
  readonly role: 'admin' | 'user'
  readonly language: 'es' | 'en'
  readonly passwordHash?: string
  readonly oidc?: { readonly issuer: string; readonly subject: string }
  readonly at: number
}

/** Two spellings of one address are one account. */
export function normalEmail(email: string): string {
  return email.trim().toLowerCase()
}

/** @throws Problem 409 when the address has an account */
export async function insertUser(tx: Transaction<Tables>, user: NewUser): Promise<SignedIn> {
  const { name, role, language, passwordHash = null } = user
  const id = newId('usr')
  const email = normalEmail(user.email)
  try {
    await tx
      .insertInto('users')
      .values({
        id,
        email,
        name: name.trim(),
        role,
        language,
        password_hash: passwordHash,
        oidc_issuer: user.oidc?.issuer ?? null,
        oidc_subject: user.oidc?.subject ?? null,
        created_at: user.at,
      })
      .execute()
  } catch (error) {
    if (isDuplicate(error))
      throw new Problem('conflict', { detail: 'This address has an account: sign in first', reason: 'email' })
    throw error
  }
  return { id, email, name: name.trim(), role, language, hasPassword: passwordHash !== null }
}
