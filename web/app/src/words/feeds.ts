/** What became of a portion, as sentences: never "fed" without the feeder's own word. */
import type { Feed, FeedState } from '@pesebre/contract/api/feed'
import type { Language } from '@pesebre/contract/api/values'
import type { Tone } from '../ui/tone.ts'
import type { Words } from './en.ts'
import { grams } from './format.ts'
import { sayReason } from './problems.ts'

const TONES: Partial<Record<FeedState | 'planned' | 'due' | 'missed', Tone>> = {
  done: 'good',
  accepted: 'accent',
  dispensing: 'accent',
  queued: 'accent',
  sent: 'accent',
  partial: 'warn',
  due: 'warn',
  unknown: 'bad',
  jammed: 'bad',
  interrupted: 'bad',
  missed: 'bad',
  refused: 'warn',
  expired: 'warn',
}

export type MealState = FeedState | 'planned' | 'due' | 'missed'

export function toneOf(state: MealState): Tone {
  return TONES[state] ?? 'neutral'
}

/** The state in a word or two: `Fed 500 g`, `Refused`. */
export function sayState(
  language: Language,
  w: Words,
  { state, actual }: { state: MealState; actual?: number | undefined },
): string {
  if (state === 'done' && actual !== undefined) return w.doneGrams(grams(language, actual))
  if ((state === 'partial' || state === 'jammed') && actual !== undefined)
    return `${w.state[state]}: ${grams(language, actual)}`
  return w.state[state]
}

/** What it means, and what to do. */
export function explain(w: Words, { state, reason }: Pick<Feed, 'state' | 'reason'>): string {
  if (state === 'refused' && reason !== undefined)
    return `${w.stateHelp.refused.replace(/\.$/, '')}: ${sayReason(w, reason)}.`
  return w.stateHelp[state]
}

/** Who or what asked for it. */
export function sayAsker(w: Words, { source, by }: Pick<Feed, 'source' | 'by'>): string {
  if (source === 'schedule') return w.feed.bySchedule
  return by ?? w.day.byHand
}
