import { createHash } from 'node:crypto'
import type { Insertable } from 'kysely'
import { type Database, isDuplicate } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { newId } from '../ids.ts'
import { type FeedRow, NOT_GIVEN } from './timeline.ts'

/** The ledger of what was fed, in the database. A feeding writes to it twice: when it is asked for, and when it has ended. */
export type Ledger = ReturnType<typeof openLedger>

/** A row that is new, but for what the ledger itself knows. */
export type NewFeed = Omit<Insertable<Tables['feeds']>, 'horse_id' | 'stable_id' | 'updated_at'>

/** How a wish was written down: as new; it was there already; or its command number is somebody else's by now. */
export type Intended = { kind: 'new' | 'known'; row: FeedRow } | { kind: 'taken' }

const ENDED_STATES = ['done', 'partial', 'jammed', 'interrupted'] as const

export function openLedger(db: Database) {
  const { sql } = db

  /** Writes a wish down before its command is given, so that it cannot be forgotten. The command number is a lock as well. */
  async function intend(
    row: NewFeed & { key_hash: string; horse_id: string; stable_id: string },
  ): Promise<Intended> {
    try {
      await sql
        .insertInto('feeds')
        .values({ ...row, updated_at: row.at })
        .execute()
      return { kind: 'new', row: (await byId(row.id))! }
    } catch (error) {
      if (!isDuplicate(error)) throw error
      const known = await byKey(row.key_hash)
      return known === undefined ? { kind: 'taken' } : { kind: 'known', row: known }
    }
  }

  /**
   * Writes how a feeding stands, if no last word was written before: two servers hear the same.
   * @returns whether it was written
   */
  async function end(row: FeedRow): Promise<boolean> {
    const { id, n, state, states, actual_g, reason, updated_at } = row
    const result = await sql
      .updateTable('feeds')
      .set({ n, state, states, actual_g, reason, updated_at })
      .where('id', '=', id)
      .where('state', 'not in', [...ENDED_STATES])
      .executeTakeFirst()
    return result.numUpdatedRows > 0n
  }

  /**
   * Adds a feeding that nobody asked for here: a meal of the schedule, a command from the command line. Once: a second one of the same
   * meal, or the same command, cannot be written.
   * @returns the row as it stands, and whether it is new
   */
  async function add(row: NewFeed): Promise<{ row: FeedRow; isNew: boolean }> {
    const horse = await sql
      .selectFrom('devices')
      .innerJoin('horses', 'horses.id', 'devices.horse_id')
      .select(['horses.id', 'horses.stable_id'])
      .where('devices.thing', '=', row.thing)
      .executeTakeFirst()
    const values = {
      ...row,
      horse_id: horse?.id ?? null,
      stable_id: horse?.stable_id ?? null,
      updated_at: row.at,
    }
    try {
      await sql.insertInto('feeds').values(values).execute()
      return { row: (await byId(row.id))!, isNew: true }
    } catch (error) {
      if (!isDuplicate(error)) throw error
    }
    const same = sql.selectFrom('feeds').selectAll().where('thing', '=', row.thing)
    const found =
      row.n != null
        ? await same.where('n', '=', row.n).executeTakeFirst()
        : await same
            .where('slot', '=', row.slot ?? -1)
            .where('local_date', '=', row.local_date ?? '')
            .executeTakeFirst()
    if (found === undefined)
      throw new Error(`Cannot write the ledger: ${row.thing} ${row.n ?? row.occurrence}`)
    return { row: found, isNew: false }
  }

  function byId(id: string): Promise<FeedRow | undefined> {
    return sql.selectFrom('feeds').selectAll().where('id', '=', id).executeTakeFirst()
  }

  function byKey(keyHash: string): Promise<FeedRow | undefined> {
    return sql.selectFrom('feeds').selectAll().where('key_hash', '=', keyHash).executeTakeFirst()
  }

  function byNumber(thing: string, n: number): Promise<FeedRow | undefined> {
    return sql
      .selectFrom('feeds')
      .selectAll()
      .where('thing', '=', thing)
      .where('n', '=', n)
      .executeTakeFirst()
  }

  function byOccurrence(thing: string, occurrence: number): Promise<FeedRow | undefined> {
    return sql
      .selectFrom('feeds')
      .selectAll()
      .where('thing', '=', thing)
      .where('occurrence', '=', occurrence)
      .executeTakeFirst()
  }

  /** Every command of which something may still be heard: not settled, and asked for after `since`. */
  function open(since: number): Promise<FeedRow[]> {
    return sql
      .selectFrom('feeds')
      .selectAll()
      .where('n', 'is not', null)
      .where('state', 'not in', [...ENDED_STATES])
      .where('at', '>', since)
      .execute()
  }

  /** What was fed to a horse, or by a feeder, in (from, to], the oldest first. */
  function between(of: { horse: string } | { thing: string }, from: number, to: number): Promise<FeedRow[]> {
    return given()
      .where('at', '>', from)
      .where('at', '<=', to)
      .$if('horse' in of, (query) => query.where('horse_id', '=', (of as { horse: string }).horse))
      .$if('thing' in of, (query) => query.where('thing', '=', (of as { thing: string }).thing))
      .orderBy('at')
      .execute()
  }

  /** A page of a horse's ledger, the newest first. @param before `at.id` of the last row of the page before */
  async function page(horse: string, before: string | undefined, limit: number): Promise<FeedRow[]> {
    const [at = '', id = ''] = before?.split('.') ?? []
    return given()
      .where('horse_id', '=', horse)
      .$if(before !== undefined, (query) =>
        query.where((row) =>
          row.or([row('at', '<', Number(at)), row.and([row('at', '=', Number(at)), row('id', '<', id)])]),
        ),
      )
      .orderBy('at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
      .execute()
  }

  /** The last meal of each of these horses. */
  async function lastOf(horses: readonly string[]): Promise<FeedRow[]> {
    if (horses.length === 0) return []
    const newest = sql
      .selectFrom('feeds')
      .select((row) => ['horse_id', row.fn.max('at').as('at')])
      .where('horse_id', 'in', [...horses])
      .where('state', 'not in', ['queued', 'sent', 'cancelled', 'expired', 'refused'])
      .groupBy('horse_id')
    return sql
      .selectFrom('feeds')
      .innerJoin(newest.as('newest'), (join) =>
        join.onRef('newest.horse_id', '=', 'feeds.horse_id').onRef('newest.at', '=', 'feeds.at'),
      )
      .selectAll('feeds')
      .execute()
  }

  /** What was really asked of a feeder: not what a server that stopped, or was too slow, never gave. */
  function given() {
    return sql
      .selectFrom('feeds')
      .selectAll()
      .where((row) => row.or([row('reason', 'is', null), row('reason', '!=', NOT_GIVEN)]))
  }

  return {
    intend,
    end,
    add,
    byId,
    byKey,
    byNumber,
    byOccurrence,
    open,
    between,
    page,
    lastOf,
    newId: () => newId('fee'),
  }
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** An id that two servers give the same feeding, that neither of them asked for. */
export function idOf(thing: string, what: string): string {
  const digest = createHash('sha256').update(`${thing}/${what}`).digest()
  return `fee_${Array.from(digest.subarray(0, 16), (byte) => ALPHABET[byte % 32]).join('')}`
}

/** What a wish is found again by. */
export function keyHashOf(user: string, key: string): string {
  return createHash('sha256').update(`${user}\n${key}`).digest('hex')
}
