import type { DeviceConfig, ScheduleSlot } from '@pesebre/contract/check-in'
import { nameConfig } from '@pesebre/contract/numbered'
import { Misuse } from './command.ts'
import { wholeNumber } from './device-args.ts'

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const EVERY_DAY = 0x7f
const LIMITS = { portion: 'portion', daily: 'daily', gap: 'gap_s', gap_s: 'gap_s' } as const
const ANY = { min: 0, max: 0x7fff_ffff } as const

/** What `config set` takes, for its help. */
export const SETTINGS_HELP = [
  '  interval_s=300          seconds from one check-in to the next',
  '  zone=Europe/Madrid      IANA time zone of the schedule',
  '  portion=1500            most grams at once; daily=8000 in 24 hours; gap_s=60 seconds between two',
  '  slot=07:30/1500         a meal: local time, grams; slot=18:00/1200/mon-fri on these days, or mon,wed,sat',
  'All slots are replaced by those given; slots= alone removes them. A setting without a value, as zone=, is removed.',
].join('\n')

/**
 * Applies `key=value` arguments to a configuration, and raises its version.
 * @param version higher than any that the device can hold
 * @throws Misuse for what no device can follow
 */
export function applySettings(
  current: DeviceConfig | undefined,
  settings: readonly string[],
  version: number,
): DeviceConfig {
  const config: DeviceConfig = {
    ...current,
    version,
    ...(current?.limits && { limits: { ...current.limits } }),
  }
  const slots: ScheduleSlot[] = []
  for (const setting of settings) {
    const equals = setting.indexOf('=')
    if (equals < 1) throw new Misuse(`Not a setting, as interval_s=300 is: "${setting}"`)
    const [key, value] = [setting.slice(0, equals), setting.slice(equals + 1).trim()]
    if (key === 'slot') slots.push(slotOf(value))
    else if (key === 'slots' && value === '') delete config.schedule
    else if (key === 'interval_s') set(config, key, value && wholeNumber(value, key, ANY))
    else if (key === 'zone') {
      set(config, key, value && zoneOf(value))
      // That of another zone: the gateway works it out, and the web server writes it down.
      delete config.rule
    } else if (Object.hasOwn(LIMITS, key)) {
      config.limits ??= {}
      set(config.limits, LIMITS[key as keyof typeof LIMITS], value && wholeNumber(value, key, ANY))
    } else
      throw new Misuse(`No such setting; there are interval_s, zone, portion, daily, gap_s, slot: "${key}"`)
  }
  if (slots.length > 0) config.schedule = slots.sort((a, b) => a[0] - b[0])
  if (config.limits && Object.keys(config.limits).length === 0) delete config.limits
  if (config.schedule && config.zone === undefined)
    throw new Misuse('A schedule needs a time zone: add zone=Europe/Madrid, or yours')
  const checked = nameConfig(config)
  if (typeof checked === 'string') throw new Misuse(`No device can follow this: ${checked}`)
  return checked
}

/** A setting without a value is removed. */
function set<T extends object, K extends keyof T>(target: T, key: K, value: T[K] | ''): void {
  if (value === '') delete target[key]
  else target[key] = value as T[K]
}

function zoneOf(zone: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) && zone
  } catch {
    throw new Misuse(`Not an IANA time zone, as Europe/Madrid is: "${zone}"`)
  }
}

function slotOf(text: string): ScheduleSlot {
  const found = /^([01]?\d|2[0-3]):([0-5]\d)\/(\d{1,5})(?:\/(\S+))?$/.exec(text)
  if (found === null) throw new Misuse(`Not a slot, as 07:30/1500 or 18:00/1200/mon-fri is: "${text}"`)
  const [, hours, minutes, grams, days] = found
  return [Number(hours) * 60 + Number(minutes), Number(grams), days === undefined ? EVERY_DAY : daysOf(days)]
}

/** Bit 0 is Monday. `fri-mon` goes over the weekend. */
function daysOf(text: string): number {
  let days = 0
  for (const part of text.toLowerCase().split(',')) {
    const [first, last] = part.split('-').map((day) => (DAYS as readonly string[]).indexOf(day)) as [
      number,
      number?,
    ]
    if (first < 0 || (last !== undefined && last < 0) || part.split('-').length > 2)
      throw new Misuse(`Not days, as mon-fri or mon,wed,sat are: "${text}"`)
    for (let day = first; ; day = (day + 1) % DAYS.length) {
      days |= 1 << day
      if (day === (last ?? first)) break
    }
  }
  return days
}

/** A slot for the eye: `07:30  1500 g  mon tue`. */
export function slotText([minute, grams, days]: ScheduleSlot): string {
  const time = `${Math.floor(minute / 60)}`.padStart(2, '0')
  const on = days === EVERY_DAY ? 'every day' : DAYS.filter((_, i) => days & (1 << i)).join(' ')
  return `${time}:${`${minute % 60}`.padStart(2, '0')}  ${grams} g  ${on}`
}
