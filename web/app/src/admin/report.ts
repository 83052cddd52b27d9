/** A report of a device in one line. */
import type { Language } from '@pesebre/contract/api/values'
import { number } from '../words/format.ts'

const UNITS: Record<string, string> = {
  hopper_pct: '%',
  battery_mv: 'mV',
  temp_c: '°C',
  rssi_dbm: 'dBm',
  fed_g_today: 'g',
}

/** The measurements that a report has, each as `name value unit`, at most so many. */
export function sayReport(language: Language, state: Record<string, unknown>, most = 4): string {
  const known = Object.keys(UNITS).filter((name) => name in state)
  const others = Object.keys(state).filter((name) => !(name in UNITS))
  return [...known, ...others]
    .slice(0, most)
    .map((name) => `${name} ${sayValue(language, name, state[name])}`)
    .join(' · ')
}

/** One value with its unit. */
export function sayValue(language: Language, name: string, value: unknown): string {
  if (typeof value === 'number') {
    const text = number(language, value, Number.isInteger(value) ? 0 : 1)
    return UNITS[name] === undefined ? text : `${text} ${UNITS[name]}`
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}
