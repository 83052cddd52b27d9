import type { FirmwareWord, OutcomeState } from '@pesebre/contract/check-in'
import {
  type Control,
  type ControlReported,
  type KeptOutcome,
  type KeptWord,
  MEALS_KEPT,
  OUTCOMES_KEPT,
} from '@pesebre/contract/control'
import type { Report, ReportedCommand, ReportedOutcome } from '@pesebre/contract/report'

/**
 * Which word about one command, or one meal, outranks which. Of two of the same rank the one in the earlier report stands, so that an
 * end never changes. What moved the motor outranks what did not: a device that was busy and refused may still be handed
 * the same command by the other gateway, and run it.
 */
const RANKS: Readonly<Record<OutcomeState, number>> = {
  accepted: 1,
  dispensing: 2,
  refused: 3,
  expired: 3,
  partial: 4,
  jammed: 4,
  interrupted: 4,
  done: 4,
}

/**
 * Brings what reports say about commands, meals and configuration into the `reported` section of a control shadow.
 *
 * It is a join: per command or meal the outcome of the highest rank, then of the lowest `seq`; of the commands and of the meals
 * those with the highest numbers; of `sent` and `last` the highest. So the result is the same in any order of reports, however often they
 * come and however they are cut into pieces. Only `late` is decided when an outcome is first taken in, since it needs the
 * queue as it was: see `lateIn`.
 *
 * The configuration, and the firmware, is that of a newer report, if it is another. Its `seq` is not moved by reports that say the same, since
 * every report says it and a write each would be dear: so its order holds as long as a device's versions rise. When one has
 * lost its configuration, a report from before that comes late may hide it, until the next report.
 */
export function foldControl({ desired, reported }: Control, reports: Iterable<Report>): ControlReported {
  let { config, firmware, sent } = reported
  let last = reported.outcomes?.last
  let lastMeal = reported.meals?.last
  const items = new Map((reported.outcomes?.items ?? []).map((item) => [item.n, item]))
  const meals = new Map(Object.entries(reported.meals?.items ?? {}).map(([key, word]) => [Number(key), word]))
  for (const { seq, config_version, firmware: runs, sent: handedOut, outcomes = [] } of reports) {
    if (config_version !== undefined && config_version !== config?.version && seq > (config?.seq ?? -1))
      config = { version: config_version, seq }
    if (runs !== undefined && seq > (firmware?.seq ?? -1) && !isSameFirmware(runs, firmware))
      firmware = { ...(runs as FirmwareWord), seq }
    if (handedOut !== undefined) sent = Math.max(sent ?? 0, handedOut)
    for (const outcome of outcomes) {
      if ('occurrence' in outcome) {
        lastMeal = Math.max(lastMeal ?? 0, outcome.occurrence)
        const held = meals.get(outcome.occurrence)
        if (held === undefined || outranks(outcome, seq, held))
          meals.set(outcome.occurrence, { ...wordOf(outcome), seq })
        continue
      }
      last = Math.max(last ?? 0, outcome.n)
      const held = items.get(outcome.n)
      if (held !== undefined && !outranks(outcome, seq, held)) continue
      items.set(outcome.n, kept(outcome, seq, lateIn({ desired, reported }, outcome, held)))
    }
  }
  const newest = [...items.values()].sort((a, b) => a.n - b.n).slice(-OUTCOMES_KEPT)
  const newestMeals = [...meals].sort(([a], [b]) => a - b).slice(-MEALS_KEPT)
  return {
    ...(config && { config }),
    ...(firmware && { firmware }),
    ...(sent !== undefined && { sent }),
    ...(last !== undefined && { outcomes: { last, items: newest } }),
    ...(lastMeal !== undefined && { meals: { last: lastMeal, items: Object.fromEntries(newestMeals) } }),
  }
}

/** Whether a report says anything that belongs into the control shadow. */
export function concernsControl({ outcomes, sent, config_version, firmware }: Report): boolean {
  return (
    sent !== undefined ||
    config_version !== undefined ||
    firmware !== undefined ||
    (outcomes !== undefined && outcomes.length > 0)
  )
}

/** Whether a report may change what is reported: told by its few words, since most check-ins only repeat them. */
export function isNewToControl(
  { config, firmware, sent }: ControlReported,
  { outcomes = [], config_version, firmware: runs, sent: handedOut = 0 }: Report,
): boolean {
  if (outcomes.length > 0 || handedOut > (sent ?? 0)) return true
  if (config_version !== undefined && config_version !== config?.version) return true
  return runs !== undefined && !isSameFirmware(runs, firmware)
}

function isSameFirmware(
  { version, tried, problem }: NonNullable<Report['firmware']>,
  held: ControlReported['firmware'],
): boolean {
  return version === held?.version && tried === held.tried && problem === held.problem
}

function outranks({ state }: ReportedOutcome, seq: number, held: KeptWord): boolean {
  const rank = RANKS[state] - RANKS[held.state]
  return rank > 0 || (rank === 0 && seq < (held.seq ?? 0))
}

function kept(outcome: ReportedCommand, seq: number, late: boolean): KeptOutcome {
  return { n: outcome.n, ...wordOf(outcome), ...(late && { late }), seq }
}

function wordOf({ state, grams, reason, at }: ReportedOutcome): KeptWord {
  return {
    state,
    ...(grams !== undefined && { grams }),
    ...(reason !== undefined && { reason: reason as NonNullable<KeptWord['reason']> }),
    at,
  }
}

/**
 * Whether this came about after the command's time: by the queue, as long as the command is in it. Nobody sweeps a command
 * out of it before its end is known here, or a day has gone by.
 */
function lateIn(
  { desired }: Control,
  { n, state, at }: ReportedCommand,
  held: KeptOutcome | undefined,
): boolean {
  if (state === 'refused' || state === 'expired') return false
  const command = [...desired.queue, ...(desired.cancelled ?? [])].find((each) => each.n === n)
  return command === undefined ? held?.late === true : at > command.notAfter * 1000
}
