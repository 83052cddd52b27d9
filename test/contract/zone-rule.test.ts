import { ruleHoldsUntil, type ZoneRule, zoneRuleOf } from '@pesebre/contract/zone-rule'
import t from 'tap'

const NOW = Date.UTC(2026, 10, 20)

/** By the last line of each zone's file in the time zone database: its POSIX TZ string. */
const RULES: [zone: string, rule: ZoneRule][] = [
  // CET-1CEST,M3.5.0,M10.5.0/3
  ['Europe/Madrid', [60, 120, 3, 5, 0, 120, 10, 5, 0, 180]],
  // EST5EDT,M3.2.0,M11.1.0
  ['America/New_York', [-300, -240, 3, 2, 0, 120, 11, 1, 0, 120]],
  // EET-2EEST,M3.4.4/50,M10.4.4/50
  ['Asia/Gaza', [120, 180, 3, 4, 4, 3000, 10, 4, 4, 3000]],
  // EET-2EEST,M4.5.5/0,M10.5.4/24
  ['Africa/Cairo', [120, 180, 4, 5, 5, 0, 10, 5, 4, 1440]],
  // <-02>2<-01>,M3.5.0/-1,M10.5.0/0: an hour before the last Sunday is 71 hours into the fourth Thursday
  ['America/Nuuk', [-120, -60, 3, 4, 4, 4260, 10, 5, 0, 0]],
  // <+1030>-10:30<+11>-11,M10.1.0,M4.1.0
  ['Australia/Lord_Howe', [630, 660, 10, 1, 0, 120, 4, 1, 0, 120]],
  // IST-5:30
  ['Asia/Kolkata', [330]],
  ['UTC', [0]],
]

t.test('zoneRuleOf: what the time zone database says', async (t) => {
  for (const [zone, rule] of RULES) t.same(zoneRuleOf(zone, NOW), rule, zone)
})

/** Morocco: an hour less in Ramadan, until it gave that up on 20 September 2026. Palestine: by Ramadan from 2038 on. */
const DAY = 86_400_000
const MONTH = 30 * DAY
const FIVE_YEARS = 5 * 365 * DAY

t.test('zoneRuleOf: a zone that follows no rule is told its next two changes', async (t) => {
  const january = Date.UTC(2026, 0, 10)
  // Sunday 15 February at 3:00, Sunday 22 March at 2:00
  t.same(zoneRuleOf('Africa/Casablanca', january), [0, 60, 3, 4, 0, 120, 2, 3, 0, 180])
  const until = (rule: ZoneRule) => new Date(ruleHoldsUntil(rule, 'Africa/Casablanca', january)).toISOString()
  t.equal(until(zoneRuleOf('Africa/Casablanca', january)!), '2026-09-20T01:00:00.000Z')
  t.equal(until([60]), '2026-02-15T02:00:00.000Z', 'the offset of that day')
  t.equal(until([0]), new Date(january).toISOString(), 'wrong already')
})

t.test('zoneRuleOf: one change is known, and none after it', async (t) => {
  const summer = Date.UTC(2026, 6, 1)
  const rule = zoneRuleOf('Africa/Casablanca', summer)!
  t.same(rule.slice(6), [9, 3, 0, 120])
  t.ok(ruleHoldsUntil(rule, 'Africa/Casablanca', summer) > Date.UTC(2027, 3, 1), 'for a long time after it')
  t.same(zoneRuleOf('Africa/Casablanca', NOW), [0])
})

t.test('ruleHoldsUntil: of every zone, at the worst of times, for a month at least', async (t) => {
  const odd: string[] = []
  for (const [now, zones] of [
    [Date.UTC(2026, 0, 10), Intl.supportedValuesOf('timeZone')],
    [Date.UTC(2041, 7, 1), ['Asia/Gaza', 'Asia/Hebron', 'Europe/Madrid']],
    [Date.UTC(2041, 8, 27), ['Asia/Gaza', 'Asia/Hebron']],
  ] as const) {
    const short: string[] = []
    for (const zone of zones) {
      const until = ruleHoldsUntil(zoneRuleOf(zone, now)!, zone, now)
      if (until < now + MONTH) short.push(zone)
      if (until < now + FIVE_YEARS) odd.push(zone)
    }
    t.same(short, [])
  }
  t.comment(`No rule for five years: ${odd.join(', ')}`)
  for (const zone of ['Africa/Casablanca', 'Africa/El_Aaiun', 'Asia/Gaza', 'Asia/Hebron'])
    t.ok(odd.includes(zone), zone)
  t.notOk(odd.includes('Europe/Madrid'))
})

t.test('a zone that nobody knows has no rule, and none would be better', async (t) => {
  t.equal(zoneRuleOf('Europe/Pesebre', NOW), undefined)
  t.equal(ruleHoldsUntil([0], 'Europe/Pesebre', NOW), Number.POSITIVE_INFINITY)
})
