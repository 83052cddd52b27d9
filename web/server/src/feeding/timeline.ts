import type { Feed, FeedState } from '@pesebre/contract/api/feed'
import type { CommandState, Standing } from '@pesebre/contract/commands/standing'
import type { Selectable } from 'kysely'
import type { Tables } from '../db/schema.ts'

/** A row of the ledger. */
export type FeedRow = Selectable<Tables['feeds']>

/** What somebody saw of it, in order. */
export type Seen = { state: FeedState; at: number }

/**
 * How far a feeding has come. A later one replaces an earlier one, never the other way round. What moved the motor outranks what
 * did not, even when that was said first: the animal was fed all the same.
 */
const RANKS: Readonly<Record<CommandState, number>> = {
  queued: 0,
  sent: 1,
  accepted: 2,
  dispensing: 3,
  cancelled: 4,
  expired: 4,
  unknown: 4,
  refused: 5,
  partial: 6,
  jammed: 6,
  interrupted: 6,
  done: 6,
}
const ENDED = 4
const SETTLED = 6

/** Reason of a row whose command never came to be: the server stopped before, or somebody else was faster. */
export const NOT_GIVEN = 'not_given'

/** Whether no other state follows, as far as one can tell. */
export function isEnded(state: string): boolean {
  return RANKS[state as CommandState] >= ENDED
}

/** Whether no word can change it any more. */
export function isSettled({ state, reason }: Pick<FeedRow, 'state' | 'reason'>): boolean {
  return RANKS[state as CommandState] >= SETTLED || reason === NOT_GIVEN
}

/** The row after word of its command; the same row when that says nothing new. `now` is when it was heard. */
export function advance(row: FeedRow, standing: Standing, now: number): FeedRow {
  const { state, at, dispensed, reason, isCancelled } = standing
  const states = seenOf(row)
  const hasCancel = states.some((seen) => seen.state === 'cancelled')
  // Somebody took it back, perhaps too late.
  if (isCancelled && !hasCancel) states.push({ state: 'cancelled', at: now })
  const isNews = RANKS[state] > RANKS[row.state as CommandState]
  if (!isNews && (hasCancel || !isCancelled)) return row
  if (isNews && state !== 'cancelled') {
    // `unknown` and `expired` are the clock's word, not the device's.
    const when = state === 'unknown' || state === 'expired' ? Math.max(at ?? 0, now) : (at ?? now)
    states.push({ state, at: when })
  }
  return {
    ...row,
    states: JSON.stringify(states),
    updated_at: now,
    ...(isNews && { state, actual_g: dispensed ?? row.actual_g, reason: reason ?? null }),
  }
}

export function seenOf({ states }: Pick<FeedRow, 'states'>): Seen[] {
  return JSON.parse(states) as Seen[]
}

/** A row as the API shows it. */
export function feedOf(row: FeedRow): Feed {
  const states = seenOf(row)
  const isLate = row.not_after !== null && isMotor(row.state) && (states.at(-1)?.at ?? 0) > row.not_after
  const isCancelled = row.state !== 'cancelled' && states.some(({ state }) => state === 'cancelled')
  return {
    id: row.id,
    thing: row.thing,
    source: row.source === 'schedule' ? 'schedule' : 'command',
    ...(row.n !== null && { n: row.n }),
    ...(row.user_name !== null && { by: row.user_name }),
    ...(row.slot !== null && { minute: row.slot }),
    ...(row.local_date !== null && { date: row.local_date }),
    at: row.at,
    ...(row.not_after !== null && { notAfter: row.not_after }),
    ...(row.planned_g !== null && { planned: row.planned_g }),
    ...(row.actual_g !== null && { actual: row.actual_g }),
    state: row.state as FeedState,
    states,
    ...(row.reason !== null && { reason: row.reason }),
    ...(isLate && { late: true }),
    ...(isCancelled && { cancelled: true }),
    ...(row.override === 1 && { override: true }),
    ended: isEnded(row.state),
  }
}

/** Grams that count against a day: what was said to be given, else what was asked for if the motor may have run. */
export function gramsOf({
  state,
  actual_g,
  planned_g,
}: Pick<FeedRow, 'state' | 'actual_g' | 'planned_g'>): number {
  if (actual_g !== null) return actual_g
  if (state === 'refused' || state === 'expired' || state === 'cancelled') return 0
  return planned_g ?? 0
}

function isMotor(state: string): boolean {
  return RANKS[state as CommandState] >= SETTLED
}
