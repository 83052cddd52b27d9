import type { AuditRow } from '@pesebre/contract/api/user'
import type { FastifyRequest } from 'fastify'
import type { Transaction } from 'kysely'
import type { Tables } from './db/schema.ts'

/** Who did it, when, from where. */
export type Actor = {
  /** null: the server itself. */
  readonly user: { readonly id: string; readonly name: string } | null
  readonly at: number
  readonly address: string | null
}

export type AuditEntry = {
  /** Noun and verb: `horse.create`, `device.revoke`. */
  readonly action: string
  /** Id of what it was done to. */
  readonly subject?: string
  /** The stable whose owners may read it. */
  readonly stable?: string
  /** What of it changed. No secrets. */
  readonly detail?: AuditRow['detail']
}

export function actorOf(request: FastifyRequest, now: number): Actor {
  return { user: request.identity?.user ?? null, at: now, address: request.ip }
}

/** Writes down what was done, in the transaction that does it: neither is there without the other. */
export async function audit(tx: Transaction<Tables>, actor: Actor, entry: AuditEntry): Promise<void> {
  await tx
    .insertInto('audit')
    .values({
      at: actor.at,
      user_id: actor.user?.id ?? null,
      user_name: actor.user?.name ?? '',
      stable_id: entry.stable ?? null,
      action: entry.action,
      subject: entry.subject ?? null,
      detail: JSON.stringify(entry.detail ?? {}),
      address: actor.address,
    })
    .execute()
}
