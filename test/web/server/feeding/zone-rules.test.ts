import { ruleHoldsUntil, zoneRuleOf } from '@pesebre/contract/zone-rule'
import t, { type Test } from 'tap'
import { withRule } from '../../../../web/server/src/feeding/zone-rules.ts'
import { openStable } from './stable.ts'

t.setTimeout(60_000)

const DAY = 86_400_000
const MOROCCO = 'Africa/Casablanca'

/** A year of a feeder in this zone, that takes each configuration up to nine days late. Returns the versions that it was given. */
async function live(
  t: Test,
  zone: string,
  { from, days }: { from: number; days: number },
): Promise<number[]> {
  const { configure, clock, control, holds, feeding, close } = await openStable()
  t.teardown(close)
  clock.now = from
  const rule = zoneRuleOf(zone, from)!
  configure({ version: 1, zone, rule, schedule: [[420, 500, 127]] })
  const given = [control().desired.config!]
  let held = given[0]!
  const wrong: string[] = []
  for (let day = 0; day < days; day += 3) {
    clock.now = from + day * DAY
    await feeding().reconcile()
    const wanted = control().desired.config!
    if (wanted.version !== given.at(-1)!.version) given.push(wanted)
    if (day % 9 === 0 && held.version !== wanted.version) {
      held = wanted
      await holds(held.version)
    }
    if (ruleHoldsUntil(held.rule!, zone, clock.now) < clock.now + DAY)
      wrong.push(new Date(clock.now).toISOString())
  }
  t.same(wrong, [], 'the clock on its wall goes right each day')
  t.same(control().desired.config?.schedule, [[420, 500, 127]])
  return given.map(({ version }) => version)
}

t.test(
  'where clocks go by the moon or by decree, a feeder gets a new rule weeks ahead of what it did not know',
  async (t) => {
    t.same(await live(t, MOROCCO, { from: Date.UTC(2026, 0, 10), days: 420 }), [1, 2])
  },
)

t.test('three years of Palestine when Ramadan is in summer: four changes a year', async (t) => {
  const versions = await live(t, 'Asia/Gaza', { from: Date.UTC(2041, 0, 10), days: 1_000 })
  t.ok(versions.length > 3 && versions.length < 12, `${versions.length} versions`)
})

t.test('where the clocks follow a rule, one configuration is enough', async (t) => {
  t.same(await live(t, 'Europe/Madrid', { from: Date.UTC(2026, 0, 10), days: 420 }), [1])
})

t.test('a schedule in another zone has the rule of that one at once', async (t) => {
  const { ask, clock, control, close } = await openStable()
  t.teardown(close)
  const slots = [{ minute: 420, grams: 500, days: 127 }]
  for (const zone of [MOROCCO, 'Europe/Madrid']) {
    t.equal((await ask('owner', 'PUT @/schedule', { zone, slots })).status, 200)
    t.same(control().desired.config?.rule, zoneRuleOf(zone, clock.now), zone)
  }
})

t.test('withRule: the same configuration when there is nothing better to say', async (t) => {
  const now = Date.UTC(2026, 0, 10)
  const unknown = { version: 1, zone: 'Europe/Pesebre' }
  t.equal(withRule(unknown, now), unknown)
  const none = { version: 1 }
  t.equal(withRule(none, now), none)
  const told = withRule({ version: 1, zone: MOROCCO }, now)
  t.equal(withRule(told, now + 7 * DAY), told)
  t.same(withRule({ version: 1, rule: [60] }, now), { version: 1 }, 'no zone, no rule')
})
