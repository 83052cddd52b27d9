import t from 'tap'
import { en } from '../../../web/app/src/words/en.ts'
import {
  ago,
  clock,
  dateIn,
  daysLater,
  grams,
  hhmm,
  minuteOf,
  span,
  weekdays,
  when,
} from '../../../web/app/src/words/format.ts'

const zone = 'Europe/Madrid'
const noon = Date.parse('2026-11-20T11:00:00Z')
const MINUTE = 60_000

t.test('times are of the zone of the stable, by 24 hours', async (t) => {
  t.equal(clock('en', noon, { zone }), '12:00')
  t.equal(clock('es', noon, { zone: 'UTC', seconds: true }), '11:00:00')
  t.equal(clock('en', Date.parse('2026-11-19T23:00:00Z'), { zone }), '00:00', 'never 24:00')
})

t.test('when() names the day unless it is today', async (t) => {
  t.equal(when('en', noon - 60 * MINUTE, { zone, now: noon }), '11:00')
  t.match(when('en', noon - 24 * 60 * MINUTE, { zone, now: noon }), /19 Nov, 12:00/)
  t.match(when('es', noon - 400 * 24 * 60 * MINUTE, { zone, now: noon }), /2025/)
})

t.test('days are of the wall clock, also where one has 23 or 25 hours', async (t) => {
  t.equal(dateIn(zone, Date.parse('2026-11-19T23:30:00Z')), '2026-11-20')
  t.equal(daysLater('2026-03-28', 1), '2026-03-29')
  t.equal(daysLater('2026-03-29', 1), '2026-03-30')
  t.equal(daysLater('2026-01-01', -1), '2025-12-31')
})

t.test('minutes of the day as the time field has them, both ways', async (t) => {
  for (const minute of [0, 59, 60, 719, 1439]) t.equal(minuteOf(hhmm(minute)), minute)
  for (const text of ['', '24:00', '12:60', '7:30', 'noon']) t.equal(minuteOf(text), undefined, text)
})

t.test('grams stay grams, grouped, with their unit on the same line', async (t) => {
  t.equal(grams('es', 1500), '1.500\u00a0g')
  t.equal(grams('en', 65_535), '65,535\u00a0g')
})

t.test('ages never lie in the future, and grow coarser', async (t) => {
  t.equal(ago('en', en, { at: noon + MINUTE, now: noon }), 'just now')
  t.match(ago('en', en, { at: noon - 62_000, now: noon }), /1 min/)
  t.match(ago('en', en, { at: noon - 3 * 60 * MINUTE, now: noon }), /3 h/)
  t.equal(span(en, 90 * MINUTE), '90 min')
  t.equal(span(en, 30_000), '30 s')
})

t.test('the week begins on Monday', async (t) => {
  t.equal(weekdays('en', 'long')[0], 'Monday')
  t.equal(weekdays('es', 'long')[6], 'domingo')
})
