import type { Command } from '@pesebre/contract/check-in'
import t from 'tap'
import {
  begin,
  configure,
  confirm,
  decide,
  finish,
  outcomesToTell,
  takeScheduled,
  wake,
} from '../../../local/src/demo/feeding.ts'
import { type FeederRecord, NEW_RECORD } from '../../../local/src/demo/record.ts'

const NOW = 1_800_000_000
const WELL = { now: NOW, batteryMv: 3700 }
const feed = (n: number, grams = 500, ttl_s = 600): Command => ({ n, kind: 'feed', grams, ttl_s })

/** The record after a command was decided on. */
function decided(record: FeederRecord, command: Command, circumstances = WELL): FeederRecord {
  const decision = decide(record, command, circumstances)
  if (decision.kind !== 'decided') throw new Error(`Not decided: ${JSON.stringify(decision)}`)
  return decision.record
}

/** The record after a whole meal. */
function fed(record: FeederRecord, command: Command, now = NOW): FeederRecord {
  const accepted = decided(record, command, { ...WELL, now })
  return finish(begin(accepted, now), { state: 'done', grams: command.grams }, now)
}

t.test(
  'an id at or below the high-water mark is answered with its outcome, else refused as stale (F2)',
  async (t) => {
    const record = confirm(fed(NEW_RECORD, feed(7)), [{ n: 7, state: 'done' }], { upTo: 7, meal: 0 })
    t.strictSame(outcomesToTell(record), [])
    const again = decide(record, feed(7), WELL)
    t.equal(again.kind, 'repeated')
    t.match(outcomesToTell(again.kind === 'repeated' ? again.record : record), [
      { n: 7, state: 'done', grams: 500 },
    ])
    t.strictSame(decide(record, feed(6), WELL), { kind: 'stale' })
  },
)

t.test('after a power cut: accepted waits, dispensing is interrupted and counts whole (F4)', async (t) => {
  const accepted = decided(NEW_RECORD, feed(1))
  t.strictSame(wake(accepted), accepted)
  const record = wake(begin(accepted, NOW))
  t.equal(record.active, undefined)
  t.match(outcomesToTell(record), [{ n: 1, state: 'interrupted', grams: undefined }])
  t.equal(record.hours[0]?.grams, 500)
  t.strictSame(decide(record, feed(1), WELL).kind, 'repeated', 'the same command never runs it again')
  t.match(decided(record, feed(2), { ...WELL, now: NOW + 60 }).active, { n: 2 }, 'a new one may')
})

t.test('limits, in their order; a refusal uses the id up (F5)', async (t) => {
  const latched: FeederRecord = { ...NEW_RECORD, latched: true }
  const cases: [string, FeederRecord, Command, Parameters<typeof decide>[2]][] = [
    ['latched', latched, feed(1, 9999, 0), { now: undefined, batteryMv: 0 }],
    ['no_time', NEW_RECORD, feed(1, 9999, 0), { now: undefined, batteryMv: 0 }],
    ['expired', NEW_RECORD, feed(1, 9999, 0), { now: NOW, batteryMv: 0 }],
    ['portion', NEW_RECORD, feed(1, 2001), { now: NOW, batteryMv: 0 }],
    [
      'daily',
      { ...NEW_RECORD, hours: [{ hour: NOW / 3600 - 23, grams: 12_000 }], lastMealAt: NOW },
      feed(1),
      { now: NOW, batteryMv: 0 },
    ],
    ['gap', { ...NEW_RECORD, lastMealAt: NOW - 19 }, feed(1), { now: NOW, batteryMv: 0 }],
    ['battery', NEW_RECORD, feed(1), { now: NOW, batteryMv: 3299 }],
  ]
  for (const [reason, before, command, circumstances] of cases) {
    const decision = decide(before, command, circumstances)
    const record = decision.kind === 'decided' ? decision.record : before
    t.match(outcomesToTell(record), [{ n: 1, state: 'refused', reason }], reason)
    t.equal(record.active, undefined, reason)
    t.equal(record.highWater, 1, reason)
  }
})

t.test('the cloud may lower the limits and never raise them (F5)', async (t) => {
  const lower = configure(NEW_RECORD, { version: 1, limits: { portion: 400, gap_s: 600 } }, NOW)
  t.match(outcomesToTell(decided(lower, feed(1, 401))), [{ reason: 'portion' }])
  t.match(
    outcomesToTell(decided(fed(lower, feed(1, 400)), feed(2, 400), { ...WELL, now: NOW + 599 })).at(-1),
    {
      reason: 'gap',
    },
  )
  const higher = configure(
    NEW_RECORD,
    { version: 1, limits: { portion: 5000, daily: 90_000, gap_s: 0 } },
    NOW,
  )
  t.match(outcomesToTell(decided(higher, feed(1, 2001))), [{ reason: 'portion' }])
  t.match(outcomesToTell(decided(fed(higher, feed(1)), feed(2), { ...WELL, now: NOW + 19 })).at(-1), {
    reason: 'gap',
  })
})

t.test('a day is the last 24 hours; a clock that is set back frees nothing (F5, F8)', async (t) => {
  let record: FeederRecord = NEW_RECORD
  for (let n = 1; n <= 6; n++) record = fed(record, feed(n, 2000), NOW + n * 3600)
  const at = (now: number) => outcomesToTell(decided(record, feed(7, 100), { ...WELL, now })).at(-1)
  t.match(at(NOW + 8 * 3600), { reason: 'daily' })
  t.match(at(NOW), { reason: 'daily' }, 'six hours back')
  t.match(at(NOW - 7 * 86_400), { reason: 'daily' }, 'a week back')
  t.match(
    decided(record, feed(7, 100), { ...WELL, now: NOW + 26.5 * 3600 }).active,
    { n: 7 },
    'the first is a day ago',
  )
  const one = fed(NEW_RECORD, feed(1, 100))
  t.match(outcomesToTell(decided(one, feed(2, 100), { ...WELL, now: NOW - 3600 })).at(-1), { reason: 'gap' })
})

t.test('while it is busy a command is refused without using up its id (F6)', async (t) => {
  const busy = decided(NEW_RECORD, feed(1))
  t.strictSame(decide(busy, feed(2), WELL), { kind: 'busy' })
  t.equal(decide(busy, feed(1), WELL).kind, 'repeated', 'the one that it works on is told again')
  const free = finish(begin(busy, NOW), { state: 'done', grams: 500 }, NOW)
  t.match(decided(free, feed(2), { ...WELL, now: NOW + 60 }).active, { n: 2, state: 'accepted' })
})

t.test('a jam latches, whatever was given counts, and nothing runs from then on (F7)', async (t) => {
  const record = finish(begin(decided(NEW_RECORD, feed(1)), NOW), { state: 'jammed', grams: 120 }, NOW)
  t.match(outcomesToTell(record), [{ n: 1, state: 'jammed', grams: 120 }])
  t.match(record, { latched: true, jams: 1, hours: [{ grams: 120 }] })
  t.match(outcomesToTell(decided(record, feed(2), { ...WELL, now: NOW + 60 })).at(-1), { reason: 'latched' })
  t.equal(takeScheduled(record, { occurrence: 5, grams: 100, notAfter: NOW + 60 }, WELL).active, undefined)
})

t.test('an answer confirms only what was in the very request (F9)', async (t) => {
  const done = fed(NEW_RECORD, feed(1))
  t.strictSame(
    confirm(done, [{ n: 1, state: 'accepted' }], { upTo: 1, meal: 0 }),
    done,
    'the answer to "accepted" came late',
  )
  t.strictSame(confirm(done, [], { upTo: 1, meal: 0 }), done)
  t.strictSame(confirm(done, [{ n: 1, state: 'done' }], { upTo: 0, meal: 0 }), done, 'not named')
  t.strictSame(outcomesToTell(confirm(done, [{ n: 1, state: 'done' }], { upTo: 1, meal: 0 })), [])
})

t.test('a confirmed outcome makes room, the oldest first; the ring keeps eight', async (t) => {
  let record: FeederRecord = NEW_RECORD
  for (let n = 1; n <= 12; n++) {
    record = fed(record, feed(n, 10), NOW + n * 60)
    record = confirm(record, outcomesToTell(record), { upTo: n, meal: 0 })
  }
  t.strictSame(
    record.ring.map(({ n }) => n),
    [5, 6, 7, 8, 9, 10, 11, 12],
  )
})

/** The record after a meal of the schedule. */
function ate(record: FeederRecord, occurrence: number, now = NOW): FeederRecord {
  const taken = takeScheduled(record, { occurrence, grams: 50, notAfter: now + 600 }, { ...WELL, now })
  return finish(begin(taken, now), { state: 'done', grams: 50 }, now)
}

t.test('a meal of the schedule is told from its start, and until an answer names it (F9)', async (t) => {
  const taken = takeScheduled(NEW_RECORD, { occurrence: 700, grams: 50, notAfter: NOW + 600 }, WELL)
  t.match(outcomesToTell(taken), [{ occurrence: 700, state: 'accepted' }])
  t.match(outcomesToTell(begin(taken, NOW)), [{ occurrence: 700, state: 'dispensing' }])
  const cut = wake(begin(taken, NOW))
  t.match(outcomesToTell(cut), [{ occurrence: 700, state: 'interrupted', grams: undefined }])
  const done = ate(NEW_RECORD, 700)
  t.strictSame(outcomesToTell(done), [{ occurrence: 700, state: 'done', grams: 50, at: NOW }])
  const told = outcomesToTell(done)
  t.strictSame(confirm(done, told, { upTo: 900, meal: 0 }), done, 'a command number is no occurrence')
  t.strictSame(confirm(done, told, { upTo: 0, meal: 699 }), done)
  t.strictSame(confirm(done, [{ occurrence: 700, state: 'accepted' }], { upTo: 0, meal: 700 }), done)
  t.strictSame(outcomesToTell(confirm(done, told, { upTo: 0, meal: 700 })), [])
})

t.test(
  'meals are given without a network, and all told when it is back, beside commands, eight at a time',
  async (t) => {
    let record = fed(NEW_RECORD, feed(1, 10), NOW - 3600)
    for (let i = 1; i <= 20; i++) record = ate(record, i * 60, NOW + i * 3600)
    t.equal(record.motorRuns, 21)
    const told: number[] = []
    for (let exchanges = 0; outcomesToTell(record).length > 0; exchanges++) {
      const now = outcomesToTell(record)
      t.ok(now.length <= 8 && exchanges < 4)
      if (exchanges === 0) t.match(now[0], { n: 1 })
      const meals = now.flatMap((one) => ('n' in one ? [] : [one.occurrence]))
      told.push(...meals)
      record = confirm(record, now, { upTo: 1, meal: Math.max(...meals) })
    }
    t.strictSame(
      told,
      Array.from({ length: 20 }, (_, i) => (i + 1) * 60),
    )
    for (let i = 21; i <= 80; i++) record = ate(record, i * 60, NOW + i * 3600)
    t.equal(record.meals.length, 48)
    t.equal(record.meals.at(-1)?.occurrence, 80 * 60, 'the oldest made room: an animal is fed all the same')
  },
)
