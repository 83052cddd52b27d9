/** A report of a device in one line. */
import type { Language } from '@pesebre/contract/api/values'
import type { Words } from '../words/en.ts'
import { number } from '../words/format.ts'

const UNITS = {
  hopper_pct: '%',
  battery_mv: 'mV',
  temp_c: '°C',
  rssi_dbm: 'dBm',
  fed_g_today: 'g',
} as const

/** Of more nobody sees at a glance which is which. */
const FIELDS_MAX = 4

/** The measurements that a report has, each as `name value unit`: those first that every feeder has. */
export function sayReport(language: Language, w: Words, state: Record<string, unknown>): string {
  const known = Object.keys(UNITS).filter((name) => name in state)
  const others = Object.keys(state).filter((name) => !(name in UNITS))
  return [...known, ...others]
    .slice(0, FIELDS_MAX)
    .map((name) => `${sayName(w, name)} ${sayValue(language, name, state[name])}`)
    .join(' · ')
}

/** What people call a measurement; what nobody has a word for keeps the device's own. */
export function sayName({ history }: Words, name: string): string {
  return Object.hasOwn(UNITS, name) ? history[name as keyof typeof UNITS] : name
}

/** One value with its unit. */
export function sayValue(language: Language, name: string, value: unknown): string {
  if (typeof value === 'number') {
    const text = number(language, value, Number.isInteger(value) ? 0 : 1)
    return Object.hasOwn(UNITS, name) ? `${text}\u00a0${UNITS[name as keyof typeof UNITS]}` : text
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}
