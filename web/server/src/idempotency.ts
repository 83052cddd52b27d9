import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { userOf } from './access.ts'
import { isDuplicate } from './db/database.ts'
import type { Deps } from './deps.ts'
import { Problem } from './problems.ts'

/** An answer is kept for so long. */
const KEPT_MS = 86_400_000
/** A request that has no answer after that died with its server: its key may be tried again. */
const RUNNING_MS = 60_000
const KEY = /^[A-Za-z0-9_-]{8,128}$/
/** Old rows are looked for with one request of so many. */
const SWEEP_EVERY = 100

/**
 * Hooks for a route that must not take effect twice: `app.post(url, { ...idempotent(deps), ... }, handler)`.
 * The same user, key and request get the first answer again, with `idempotent-replay: true`; the same key for another
 * request is 422, one that still runs 409. Answers of 500 and above are not kept: the request may be sent again.
 * After a crash between effect and answer the handler runs again, so it must know its own key, too (a command's `key`).
 * @param required whether a request without an Idempotency-Key is refused
 */
export function idempotent(deps: Pick<Deps, 'db' | 'now'>, { required = true } = {}) {
  let requests = 0

  return {
    async preHandler(request: FastifyRequest, reply: FastifyReply) {
      const key = request.headers['idempotency-key']
      if (key === undefined && !required) return
      if (typeof key !== 'string' || !KEY.test(key))
        throw new Problem('invalid', {
          detail: 'The header Idempotency-Key must be 8 to 128 of A-Z a-z 0-9 _ -',
        })
      const kept = await claim(deps, { user: userOf(request).id, key, hash: hashOfRequest(request) })
      if (kept === undefined) {
        if (++requests % SWEEP_EVERY === 0) await sweep(deps)
        ;(request as Claimed).claimed = key
        return
      }
      return reply
        .code(kept.status)
        .header('idempotent-replay', 'true')
        .type(kept.status < 400 ? 'application/json' : 'application/problem+json')
        .serializer((text: string) => text)
        .send(kept.answer)
    },
    async onSend(request: FastifyRequest, reply: FastifyReply, payload: unknown) {
      const key = (request as Claimed).claimed
      if (key === undefined) return payload
      await settle(deps, { user: userOf(request).id, key }, { status: reply.statusCode, payload })
      return payload
    },
  }
}

/** The key that this request has taken; a header's value alone does not mean that it is the first. */
type Claimed = FastifyRequest & { claimed?: string }

/** Takes the key, or gives the answer that it got before. */
async function claim(
  { db, now }: Pick<Deps, 'db' | 'now'>,
  { user, key, hash }: { user: string; key: string; hash: string },
): Promise<{ status: number; answer: string } | undefined> {
  const at = now()
  const row = { user_id: user, key, request_hash: hash, status: 0, answer: '', created_at: at }
  try {
    await db.sql.insertInto('idempotency').values(row).execute()
    return undefined
  } catch (error) {
    if (!isDuplicate(error)) throw error
  }
  const kept = await db.sql
    .selectFrom('idempotency')
    .selectAll()
    .where('user_id', '=', user)
    .where('key', '=', key)
    .executeTakeFirst()
  const age = at - (kept?.created_at ?? 0)
  if (kept !== undefined && age < KEPT_MS) {
    if (kept.request_hash !== hash) throw new Problem('key-reused')
    if (kept.status !== 0) return kept
    if (age < RUNNING_MS)
      throw new Problem('conflict', { detail: 'The first request still runs', retryAfter: 1 })
  }
  // Only one of those who find an old row gets it.
  const { numUpdatedRows } = await db.sql
    .updateTable('idempotency')
    .set(row)
    .where('user_id', '=', user)
    .where('key', '=', key)
    .where('created_at', '=', kept?.created_at ?? 0)
    .executeTakeFirst()
  if (numUpdatedRows !== 1n)
    throw new Problem('conflict', { detail: 'The first request still runs', retryAfter: 1 })
  return undefined
}

async function settle(
  { db }: Pick<Deps, 'db'>,
  { user, key }: { user: string; key: string },
  { status, payload }: { status: number; payload: unknown },
): Promise<void> {
  if (status >= 500) {
    await db.sql.deleteFrom('idempotency').where('user_id', '=', user).where('key', '=', key).execute()
    return
  }
  await db.sql
    .updateTable('idempotency')
    .set({ status, answer: typeof payload === 'string' ? payload : '' })
    .where('user_id', '=', user)
    .where('key', '=', key)
    .execute()
}

async function sweep({ db, now }: Pick<Deps, 'db' | 'now'>): Promise<void> {
  await db.sql
    .deleteFrom('idempotency')
    .where('created_at', '<', now() - KEPT_MS)
    .execute()
}

function hashOfRequest(request: FastifyRequest): string {
  return createHash('sha256')
    .update(`${request.method} ${request.url}\n${JSON.stringify(request.body ?? null)}`)
    .digest('hex')
}
