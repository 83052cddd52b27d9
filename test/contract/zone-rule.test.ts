import { type ZoneRule, zoneRuleOf } from '@pesebre/contract/zone-rule'
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

t.test('zoneRuleOf: a zone that follows no rule has the offset of now', async (t) => {
  t.equal(zoneRuleOf('Africa/Casablanca', NOW)?.length, 1)
})

t.test('zoneRuleOf: a zone that nobody knows', async (t) => {
  t.equal(zoneRuleOf('Europe/Pesebre', NOW), undefined)
})
