import type { DeviceConfig, ScheduleSlot } from '@pesebre/contract/check-in'
import t from 'tap'
import { dueMeal, occurrenceBefore } from '../../../local/src/demo/schedule.ts'

const EVERY_DAY = 127

function config(schedule: ScheduleSlot[], zone = 'Europe/Berlin'): DeviceConfig {
  return { version: 1, zone, schedule }
}

const at = (text: string) => Date.parse(text) / 1000

/** When meals begin, if it looks every minute. */
function meals(plan: DeviceConfig, [from, to]: [string, string]): string[] {
  const begun: string[] = []
  let last = occurrenceBefore(plan, at(from))
  for (let now = at(from); now <= at(to); now += 60) {
    const meal = dueMeal(plan, last, now)
    if (meal === undefined) continue
    last = meal.occurrence
    begun.push(new Date(now * 1000).toISOString().slice(0, 16))
  }
  return begun
}

t.test('dueMeal() follows the clock on the wall, and the days', async (t) => {
  const plan = config([
    [7 * 60, 500, EVERY_DAY],
    [18 * 60 + 30, 700, 0b0000011],
  ])
  // 2 February 2026 is a Monday; Berlin is an hour ahead of UTC.
  t.strictSame(meals(plan, ['2026-02-02T00:00Z', '2026-02-04T23:00Z']), [
    '2026-02-02T06:00',
    '2026-02-02T17:30',
    '2026-02-03T06:00',
    '2026-02-03T17:30',
    '2026-02-04T06:00',
  ])
})

t.test(
  'dueMeal() gives a meal in a skipped hour at the first instant after it, and one in a doubled hour once',
  async (t) => {
    const plan = config([[2 * 60 + 30, 500, EVERY_DAY]])
    t.strictSame(meals(plan, ['2026-03-28T12:00Z', '2026-03-29T12:00Z']), ['2026-03-29T01:00'])
    t.strictSame(meals(plan, ['2026-10-24T12:00Z', '2026-10-25T12:00Z']), ['2026-10-25T00:30'])
  },
)

t.test(
  'dueMeal() makes up for a meal of the last two hours, oldest first, and for none before',
  async (t) => {
    const plan = config(
      [
        [6 * 60, 100, EVERY_DAY],
        [7 * 60, 200, EVERY_DAY],
        [9 * 60, 300, EVERY_DAY],
      ],
      'UTC',
    )
    const now = at('2026-02-02T08:30Z')
    const meal = dueMeal(plan, 0, now)
    t.match(meal, { grams: 200 })
    t.ok(meal!.notAfter > now)
    t.equal(dueMeal(plan, meal!.occurrence, now), undefined)
  },
)

t.test('dueMeal() gives nothing without a schedule, or in a zone that nobody knows', async (t) => {
  t.equal(dueMeal({ version: 0 }, 0, at('2026-02-02T08:30Z')), undefined)
  t.equal(dueMeal(config([[510, 100, EVERY_DAY]], 'Mars/Olympus'), 0, at('2026-02-02T08:30Z')), undefined)
})
