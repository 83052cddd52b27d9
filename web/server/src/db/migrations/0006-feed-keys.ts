import type { Kysely } from 'kysely'
import { HASH } from '../columns.ts'

/** A wish that is sent twice is one row of the ledger: the hash of who sent it under which Idempotency-Key. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('feeds').addColumn('key_hash', HASH).execute()
  await db.schema.createIndex('feeds_key').on('feeds').column('key_hash').unique().execute()
}
