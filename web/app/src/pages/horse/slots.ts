/** The list of meals that is being edited. Pure. */
import type { Slot } from '@pesebre/contract/api/schedule'

export const EVERY_DAY = 127
export const WORKDAYS = 31
export const WEEKEND = 96

/** A meal in the editor; `key` stays while it is edited, `grams` may be nothing yet. */
export type Draft = { key: number; minute: number; grams: number; days: number }

let lastKey = 0

export function draft(slot: Slot): Draft {
  return { key: ++lastKey, ...slot }
}

/** As they are saved: by time of day. */
export function slotsOf(drafts: readonly Draft[]): Slot[] {
  return drafts
    .map(({ minute, grams, days }) => ({ minute, grams, days }))
    .toSorted((a, b) => a.minute - b.minute || a.days - b.days)
}

export function areSame(a: readonly Slot[], b: readonly Slot[]): boolean {
  const text = (slots: readonly Slot[]) =>
    JSON.stringify(slots.map(({ minute, grams, days }) => [minute, grams, days]).toSorted())
  return text(a) === text(b)
}

/** What hinders saving, of one meal or of all. */
export type Fault =
  | { kind: 'grams' | 'days'; key: number }
  | { kind: 'twice'; key: number; minute: number }
  | { kind: 'many' }

/** Every fault of the list: two meals in one minute of one day would be one on the feeder. */
export function faultsOf(drafts: readonly Draft[], max: number): Fault[] {
  const faults: Fault[] = []
  if (drafts.length > max) faults.push({ kind: 'many' })
  for (const [index, { key, minute, grams, days }] of drafts.entries()) {
    if (!(Number.isInteger(grams) && grams >= 1)) faults.push({ kind: 'grams', key })
    if (days === 0) faults.push({ kind: 'days', key })
    const isTwice = drafts
      .slice(0, index)
      .some((other) => other.minute === minute && (other.days & days) !== 0)
    if (isTwice) faults.push({ kind: 'twice', key, minute })
  }
  return faults
}

/** Grams of the fullest day. */
export function mostInADay(slots: readonly Slot[]): number {
  const days = Array.from({ length: 7 }, (_, day) =>
    slots.reduce((sum, { grams, days }) => sum + (days & (1 << day) ? grams : 0), 0),
  )
  return Math.max(0, ...days)
}

/**
 * So many meals from the first to the last time, alike in size: what does not divide goes to the first ones, so that the sum is exact.
 * @param plan minutes of the day, grams in all
 */
export function spread({
  count,
  first,
  last,
  total,
}: {
  count: number
  first: number
  last: number
  total: number
}): Slot[] {
  const span = Math.max(0, last - first)
  const base = Math.floor(total / count)
  const rest = total - base * count
  return Array.from({ length: count }, (_, index) => ({
    minute: count === 1 ? first : first + Math.round((span * index) / (count - 1)),
    grams: base + (index < rest ? 1 : 0),
    days: EVERY_DAY,
  }))
}
