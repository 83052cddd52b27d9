import { GAP_S } from '@pesebre/contract/commands/rules'
import type { Control } from '@pesebre/contract/control'
import { mealsOf, missedAt } from './day.ts'
import type { Ledger } from './ledger.ts'
import type { PlannedMeal } from './plan.ts'
import type { Schedules } from './schedules.ts'

/** A meal of which there is no word, whatever the feeder's connection looks like (design/feeding.md, missed-meal watch). */
export type Missed = { readonly thing: string; readonly meal: PlannedMeal }

export type WatchOptions = {
  readonly ledger: Pick<Ledger, 'between'>
  readonly schedules: Schedules
  readonly now: () => number
  /** Told of each once; and of meals that were told of after all. */
  readonly onMissed: (missed: Missed) => Promise<void>
}

/** After a start, meals of this long are looked at again. */
const LOOK_BACK_MS = 86_400_000
/** A word may be of a meal that began late: the ledger's times are the feeder's. */
const SLACK_MS = 3 * 3_600_000

/**
 * Watches one clock for all feeders. A meal counts when it was wanted at its time, even if the feeder has not taken that schedule yet: the
 * horse was not fed.
 */
export function createMissedWatch({ ledger, schedules, now, onMissed }: WatchOptions) {
  /** Up to when the meals of each feeder were looked at. */
  const watched = new Map<string, number>()

  /**
   * Looks at the meals of a feeder whose time ran out since the last look.
   * @param control as it was just heard: what it says is in the ledger already
   */
  async function look(thing: string, control: Control): Promise<void> {
    const time = now()
    await schedules.note(thing, control, time)
    const gapS = control.desired.config?.limits?.gap_s ?? GAP_S
    const since = watched.get(thing) ?? time - LOOK_BACK_MS
    const isOver = (meal: PlannedMeal): boolean => missedAt(meal, gapS) <= time
    // What is not over now is looked at again.
    const back = missedAt({ occurrence: 0, minute: 0, grams: 0, at: 0 }, gapS)
    const meals = mealsOf(await schedules.of(thing), since - back, time - back).filter(isOver)
    if (meals.length > 0 && control.desired.enabled) {
      const first = meals[0]!.at
      const rows = await ledger.between({ thing }, first - SLACK_MS, time + SLACK_MS)
      const told = new Set(rows.map(({ occurrence }) => occurrence))
      for (const meal of meals) if (!told.has(meal.occurrence)) await onMissed({ thing, meal })
    }
    watched.set(thing, time)
  }

  return { look }
}

export type MissedWatch = ReturnType<typeof createMissedWatch>
