import { instantOf, localMinute } from '@pesebre/contract/wall-clock'
import t from 'tap'
import { localDays } from '../../../../web/server/src/history/days.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

for (const zone of [
  'UTC',
  'Europe/Madrid',
  'America/St_Johns',
  'Asia/Kolkata',
  'Africa/Casablanca',
  'Australia/Lord_Howe',
  'Asia/Beirut',
])
  t.test(`localDays() of ${zone}: every hour of three years is in the day that the wall shows`, async (t) => {
    const from = Date.UTC(2025, 0, 1)
    const to = Date.UTC(2028, 0, 1)
    const { parts, startOf } = localDays(zone, { from, to })
    t.equal(parts[0]!.from, from)
    t.equal(parts.at(-1)!.to, to)
    for (const [i, part] of parts.entries()) if (i > 0) t.equal(part.from, parts[i - 1]!.to, 'without a gap')
    const wrong: string[] = []
    for (let at = from; at < to; at += HOUR) {
      const day = Math.floor(localMinute(zone, at) / 1440)
      if (startOf(at) !== instantOf(zone, day * 1440)) wrong.push(new Date(at).toISOString())
    }
    t.same(wrong, [])
  })

t.test('localDays() of a time that begins on the day of a change', async (t) => {
  const change = Date.UTC(2026, 9, 25, 1)
  for (const from of [change - HOUR, change, change + HOUR, change - DAY]) {
    const { parts } = localDays('Europe/Madrid', { from, to: change + DAY })
    t.equal(parts.length, from < change ? 2 : 1, new Date(from).toISOString())
    t.equal(parts.at(-1)!.offsetMs, HOUR)
  }
})
