/** The clock on the wall as the firmware works it out, against ICU's. */
import { ruleHoldsUntil, zoneRuleOf } from '@pesebre/contract/zone-rule'
import t from 'tap'
import { loadFirmware, startCore } from '../../local/src/demo/core.ts'

t.setTimeout(120_000)

const never = () => {
  throw new Error('not here')
}
const START = Date.UTC(2026, 10, 20) / 1000
const HALF_HOUR_S = 1800
const YEARS_S = 4 * 365 * 86_400

/** Zones of every kind of rule: north, south, half hours, times before midnight and beyond the day, none at all. */
const ZONES = [
  'Europe/Madrid',
  'Europe/Dublin',
  'America/New_York',
  'America/St_Johns',
  'America/Santiago',
  'America/Nuuk',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Antarctica/Troll',
  'Africa/Cairo',
  'Asia/Gaza',
  'Asia/Kolkata',
  'Pacific/Kiritimati',
]
/** Those that follow none, before a change that only they know. */
const ODD: [zone: string, start: number][] = [
  ['Africa/Casablanca', Date.UTC(2026, 0, 10) / 1000],
  ['Africa/Casablanca', Date.UTC(2026, 6, 1) / 1000],
  ['Asia/Gaza', Date.UTC(2041, 8, 27) / 1000],
  ['Asia/Hebron', Date.UTC(2042, 0, 10) / 1000],
]

t.test(
  'local minutes of four years in zones of every kind, and as long as its rule holds in those without one',
  async (t) => {
    const core = startCore(
      loadFirmware(),
      { kid: new Uint8Array(5), secret: new Uint8Array(16), gateways: [{ id: 'a', host: 'a', port: 1 }] },
      {
        uptime: () => 0,
        random: () => 0,
        get: (key) => (key === 'sequence' ? new Uint8Array(4) : undefined),
        put: () => undefined,
        send: never,
        motor: never,
        readMotor: never,
        sense: () => ({ battery_mv: 3900, temp_c: 20, rssi_dbm: -60, hopper_pct: 50 }),
        log: () => undefined,
      },
    )
    for (const [zone, start] of [...ZONES.map((zone) => [zone, START] as const), ...ODD]) {
      const rule = zoneRuleOf(zone, start * 1000)!
      const until = Math.min(start + YEARS_S, ruleHoldsUntil(rule, zone, start * 1000) / 1000)
      if (start === START) t.equal(until, start + YEARS_S, `${zone}: for good`)
      const ten = rule.length === 1 ? [rule[0], rule[0], 1, 1, 0, 0, 1, 1, 0, 0] : rule
      const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
      const offsetAt = (now: number) => {
        const name = format.formatToParts(now * 1000).find(({ type }) => type === 'timeZoneName')?.value ?? ''
        const [, sign, hours = 0, minutes = 0] = /([+-])(\d\d):(\d\d)/.exec(name) ?? []
        return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
      }
      const wrong: string[] = []
      // Every 13 hours and 30 minutes: all hours of the day, and soon after each change.
      for (let now = start; now < until; now += 27 * HALF_HOUR_S)
        if (core.localMinute(ten, now) !== Math.floor(now / 60) + offsetAt(now))
          wrong.push(new Date(now * 1000).toISOString())
      t.strictSame(wrong, [], zone)
    }
  },
)
