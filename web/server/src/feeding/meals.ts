import type { DeviceConfig } from '@pesebre/contract/check-in'
import type { KeptMeal } from '@pesebre/contract/control'
import { dateOf, minuteOfDay } from '@pesebre/contract/wall-clock'
import { idOf } from './ledger.ts'
import { type FeedRow, isEnded, type Seen, seenOf } from './timeline.ts'

/**
 * A meal of the schedule as a row of the ledger, by the feeder's word.
 * @param before the row of an earlier word; the same row comes back when there is nothing new
 * @param config of the feeder: tells how much was planned, unless it has changed since
 */
export function mealRow({
  thing,
  meal,
  config,
  before,
}: {
  thing: string
  meal: KeptMeal
  config: DeviceConfig | undefined
  before: FeedRow | undefined
}): FeedRow {
  const { occurrence, state, at, grams, reason } = meal
  if (before !== undefined && (before.state === state || isEnded(before.state))) return before
  const minute = minuteOfDay(occurrence)
  const planned = config?.schedule?.find(([slot]) => slot === minute)?.[1]
  const states: Seen[] = [...(before === undefined ? [] : seenOf(before)), { state, at }]
  return {
    id: idOf(thing, `m${occurrence}`),
    thing,
    horse_id: before?.horse_id ?? null,
    stable_id: before?.stable_id ?? null,
    source: 'schedule',
    n: null,
    occurrence,
    slot: minute,
    local_date: dateOf(occurrence),
    planned_g: before?.planned_g ?? planned ?? null,
    actual_g: grams ?? null,
    state,
    reason: reason ?? null,
    override: 0,
    user_id: null,
    user_name: null,
    at: before?.at ?? at,
    not_after: null,
    states: JSON.stringify(states),
    updated_at: at,
    key_hash: null,
  }
}
