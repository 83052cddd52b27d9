import { now } from '../data/clock.ts'
import { ago, clock, when } from '../words/format.ts'
import { language, words } from '../words/language.ts'

/** "5 min ago", with the exact time for who asks. */
export function Ago({ at }: { at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={clock(language.value, at, { seconds: true })}>
      {ago(language.value, words.value, { at, now: now.value })}
    </time>
  )
}

/** The time of day; with the day when that is not today. */
export function When({ at, zone }: { at: number; zone?: string | undefined }) {
  return (
    <time dateTime={new Date(at).toISOString()}>
      {when(language.value, at, { now: now.value, ...(zone !== undefined && { zone }) })}
    </time>
  )
}
