import {
  DAY_MINUTES,
  dateOf,
  instantOf,
  isOnDay,
  isZone,
  localMinute,
  startOfDate,
  transitionsBetween,
} from '@pesebre/contract/wall-clock'
import fc from 'fast-check'
import t from 'tap'

const YEAR = 366 * 86_400_000
const utc = (text: string) => Date.parse(`${text}Z`)
const wall = (text: string) => utc(text) / 60_000

t.test(
  'transitionsBetween: both changes of Europe/Madrid, half an hour at Lord Howe, Ramadan in Morocco',
  async (t) => {
    const from = utc('2026-09-01T00:00')
    t.same(transitionsBetween('Europe/Madrid', from, from + YEAR).slice(0, 2), [
      { at: utc('2026-10-25T01:00'), before: 120, after: 60 },
      { at: utc('2027-03-28T01:00'), before: 60, after: 120 },
    ])
    t.same(transitionsBetween('Australia/Lord_Howe', from, from + YEAR).slice(0, 2), [
      { at: utc('2026-10-03T15:30'), before: 630, after: 660 },
      { at: utc('2027-04-03T15:00'), before: 660, after: 630 },
    ])
    t.same(transitionsBetween('Africa/Casablanca', utc('2026-01-01T00:00'), utc('2026-06-30T00:00')), [
      { at: utc('2026-02-15T02:00'), before: 60, after: 0 },
      { at: utc('2026-03-22T02:00'), before: 0, after: 60 },
    ])
    t.same(transitionsBetween('Asia/Kolkata', from, from + YEAR), [])
  },
)

t.test('instantOf: a time that is skipped runs at the first instant after the gap', async (t) => {
  for (const time of [
    '2027-03-28T02:00',
    '2027-03-28T02:01',
    '2027-03-28T02:30',
    '2027-03-28T02:59',
    '2027-03-28T03:00',
  ])
    t.equal(instantOf('Europe/Madrid', wall(time)), utc('2027-03-28T01:00'), time)
  t.equal(instantOf('Europe/Madrid', wall('2027-03-28T01:59')), utc('2027-03-28T00:59'))
  t.equal(instantOf('Europe/Madrid', wall('2027-03-28T03:01')), utc('2027-03-28T01:01'))
  t.equal(instantOf('Australia/Lord_Howe', wall('2026-10-04T02:15')), utc('2026-10-03T15:30'))
})

t.test('instantOf: a time that comes twice runs the first time', async (t) => {
  t.equal(instantOf('Europe/Madrid', wall('2026-10-25T02:00')), utc('2026-10-25T00:00'))
  t.equal(instantOf('Europe/Madrid', wall('2026-10-25T02:59')), utc('2026-10-25T00:59'))
  t.equal(instantOf('Europe/Madrid', wall('2026-10-25T03:00')), utc('2026-10-25T02:00'))
  t.equal(instantOf('Africa/Casablanca', wall('2026-02-15T02:30')), utc('2026-02-15T01:30'))
})

t.test(
  'instantOf: the first instant at which the wall shows that minute or a later one, in any zone',
  async (t) => {
    const zones = [
      'Europe/Madrid',
      'Australia/Lord_Howe',
      'Africa/Casablanca',
      'America/New_York',
      'Asia/Kathmandu',
      'Pacific/Chatham',
      'UTC',
    ]
    const changes = zones.flatMap((zone) =>
      transitionsBetween(zone, utc('2026-01-01T00:00'), utc('2028-01-01T00:00')).map(({ at }) => ({
        zone,
        at,
      })),
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.constantFrom(...changes),
          fc.record({
            zone: fc.constantFrom(...zones),
            at: fc.integer({ min: utc('2026-01-01T00:00'), max: utc('2028-01-01T00:00') }),
          }),
        ),
        fc.integer({ min: -180, max: 180 }),
        ({ zone, at }, minutes) => {
          const minute = localMinute(zone, at) + minutes
          const instant = instantOf(zone, minute)
          if (localMinute(zone, instant) < minute) throw new Error('Not there yet')
          // No sooner: a brute search over the four hours before.
          for (let before = instant - 60_000; before > instant - 4 * 3_600_000; before -= 60_000)
            if (localMinute(zone, before) >= minute) throw new Error(`${zone} ${minute}: ${before} is sooner`)
        },
      ),
      { numRuns: 200 },
    )
    t.pass('every minute')
  },
)

t.test('dates, days and zones', async (t) => {
  t.equal(dateOf(wall('2026-11-20T23:59')), '2026-11-20')
  t.equal(startOfDate('2026-11-20'), wall('2026-11-20T00:00'))
  for (const none of ['2026-02-30', '2026-13-01', 'x', '']) t.ok(Number.isNaN(startOfDate(none)), none)
  t.ok(isOnDay(0b0010000, wall('2026-11-20T12:00')), 'a Friday')
  t.notOk(isOnDay(0b1101111, wall('2026-11-20T12:00')))
  t.ok(isOnDay(0b0000001, wall('2026-11-20T12:00') + 3 * DAY_MINUTES))
  t.ok(isZone('Europe/Madrid'))
  t.notOk(isZone('Europe/Segovia'))
})
