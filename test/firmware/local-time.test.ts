/** The clock on the wall as the firmware works it out, against ICU's. */
import { zoneRuleOf } from '@pesebre/contract/zone-rule'
import t from 'tap'
import { loadFirmware, startCore } from '../../local/src/demo/core.ts'

t.setTimeout(120_000)

const never = () => {
  throw new Error('not here')
}
const START = Date.UTC(2026, 10, 20) / 1000
const HALF_HOUR_S = 1800
const YEAR_S = 365 * 86_400

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

t.test('local minutes of four years in zones of every kind', async (t) => {
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
  for (const zone of ZONES) {
    const rule = zoneRuleOf(zone, START * 1000)!
    const ten = rule.length === 1 ? [rule[0], rule[0], 1, 1, 0, 0, 1, 1, 0, 0] : rule
    const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
    const offsetAt = (now: number) => {
      const name = format.formatToParts(now * 1000).find(({ type }) => type === 'timeZoneName')?.value ?? ''
      const [, sign, hours = 0, minutes = 0] = /([+-])(\d\d):(\d\d)/.exec(name) ?? []
      return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
    }
    const wrong: string[] = []
    // Every 13 hours and 30 minutes: all hours of the day, and soon after each change.
    for (let now = START; now < START + 4 * YEAR_S; now += 27 * HALF_HOUR_S)
      if (core.localMinute(ten, now) !== Math.floor(now / 60) + offsetAt(now))
        wrong.push(new Date(now * 1000).toISOString())
    t.strictSame(wrong, [], zone)
  }
})
