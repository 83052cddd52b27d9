/** Numbers of an alarm as words. */
import type { Alarm } from '@pesebre/contract/api/alarm'
import type { Language } from '@pesebre/contract/api/values'
import type { Words } from './en.ts'
import { ago, grams, hhmm, number } from './format.ts'

/** What is known beside the kind: the meal, the level, the last word. Empty when nothing is. */
export function sayDetail(
  language: Language,
  w: Words,
  { detail }: Pick<Alarm, 'detail'>,
  now: number,
): string {
  const value = (name: string) => (typeof detail[name] === 'number' ? detail[name] : undefined)
  const minute = value('minute')
  const planned = value('grams')
  const hopper = value('hopper_pct')
  const battery = value('battery_mv')
  const seen = value('seen')
  const parts = [
    minute !== undefined && w.alarm.meal(hhmm(minute), grams(language, planned ?? 0)),
    minute === undefined && planned !== undefined && grams(language, planned),
    hopper !== undefined && w.alarm.level(`${number(language, hopper)} %`),
    battery !== undefined && w.alarm.level(`${number(language, battery / 1000, 2)} V`),
    seen !== undefined && w.alarm.seen(ago(language, w, { at: seen, now })),
  ]
  return parts.filter((part) => part !== false).join(' · ')
}
