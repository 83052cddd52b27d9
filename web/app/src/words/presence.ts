/** When a feeder was last heard of, as sentences. Never more than the feeder itself has said (research F10, F12). */
import type { FeederSummary } from '@pesebre/contract/api/horse'
import type { Language } from '@pesebre/contract/api/values'
import type { Tone } from '../ui/tone.ts'
import type { Words } from './en.ts'
import { ago, clock } from './format.ts'

/** The one word for how a feeder is, and how much it matters. */
export function sayFeeder({ feeder: w }: Words, state: FeederSummary['state']): { text: string; tone: Tone } {
  if (state === 'ok') return { text: w.ready, tone: 'good' }
  if (state === 'feeding') return { text: w.dispensing, tone: 'accent' }
  if (state === 'jammed') return { text: w.jammed, tone: 'bad' }
  if (state === 'late') return { text: w.late, tone: 'warn' }
  if (state === 'offline') return { text: w.late, tone: 'bad' }
  if (state === 'gateway_down') return { text: w.gateway, tone: 'warn' }
  if (state === 'empty') return { text: w.empty, tone: 'warn' }
  if (state === 'low_battery') return { text: w.battery, tone: 'warn' }
  if (state === 'disabled') return { text: w.disabled, tone: 'neutral' }
  return { text: w.unknown, tone: 'neutral' }
}

type Seen = Pick<FeederSummary, 'lastSeen'> & { state?: FeederSummary['state'] }

/** The age of its last word. It stays one line long, so that nothing below it moves each time that a feeder speaks. */
export function sayPresence(language: Language, w: Words, { lastSeen, state }: Seen, now: number): string {
  if (lastSeen === null) return w.presence.never
  const age = ago(language, w, { at: lastSeen, now })
  if (state === 'late' || state === 'offline') return w.presence.late(age)
  if (state === 'gateway_down') return w.presence.gateway(age)
  return w.presence.seen(age)
}

/** By when the feeder promised its next word; undefined when it has promised none, or that time has passed. */
export function sayNext(
  language: Language,
  { nextExpected }: Pick<FeederSummary, 'nextExpected'>,
  now: number,
) {
  if (nextExpected === null || nextExpected < now) return undefined
  return clock(language, nextExpected, { seconds: nextExpected - now < 60_000 })
}
