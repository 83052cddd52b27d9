import { ScheduleSchema } from '@pesebre/contract/api/schedule'
import t from 'tap'
import Value from 'typebox/value'
import { clockChanges, mealsBetween, nextMeal } from '../../../../web/server/src/feeding/plan.ts'
import { openStable } from './stable.ts'

t.setTimeout(60_000)

const utc = (text: string) => Date.parse(`${text}Z`)
const MADRID = 'Europe/Madrid'
const EVERY_DAY = 127
/** 02:30 and 03:00, every day. */
const night = (zone: string) => ({
  zone,
  schedule: [
    [150, 500, EVERY_DAY],
    [180, 400, EVERY_DAY],
  ] as [number, number, number][],
})

t.test('the clock goes back: a doubled meal is given once, the first time', async (t) => {
  const day = [utc('2026-10-24T22:00') - 1, utc('2026-10-25T23:00') - 1] as const
  t.same(
    mealsBetween(night(MADRID), ...day).map(({ minute, at }) => [minute, new Date(at).toISOString()]),
    [
      [150, '2026-10-25T00:30:00.000Z'],
      [180, '2026-10-25T02:00:00.000Z'],
    ],
  )
  const [change] = clockChanges(night(MADRID), utc('2026-09-01T00:00'))
  t.match(change, { date: '2026-10-25', at: utc('2026-10-25T01:00'), shift: -60, from: 180, to: 120 })
  t.same(change?.meals, [
    { minute: 150, grams: 500, effect: 'doubled', at: utc('2026-10-25T00:30'), wall: 150 },
  ])
})

t.test('the clock goes forward: a skipped meal is given at the first instant after the gap', async (t) => {
  const day = [utc('2027-03-27T23:00') - 1, utc('2027-03-28T22:00') - 1] as const
  t.same(
    mealsBetween(night(MADRID), ...day).map(({ minute, at }) => [minute, new Date(at).toISOString()]),
    [
      [150, '2027-03-28T01:00:00.000Z'],
      [180, '2027-03-28T01:00:00.000Z'],
    ],
  )
  const [change] = clockChanges(night(MADRID), utc('2027-01-01T00:00'))
  t.match(change, { date: '2027-03-28', at: utc('2027-03-28T01:00'), shift: 60, from: 120, to: 180 })
  t.same(change?.meals, [
    { minute: 150, grams: 500, effect: 'skipped', at: utc('2027-03-28T01:00'), wall: 180 },
  ])
})

t.test('half an hour at Lord Howe, a month of Ramadan in Morocco, no change in India', async (t) => {
  const [howe] = clockChanges(
    {
      zone: 'Australia/Lord_Howe',
      schedule: [
        [130, 300, EVERY_DAY],
        [150, 300, EVERY_DAY],
      ],
    },
    utc('2026-09-01T00:00'),
  )
  t.match(howe, { shift: 30, from: 120, to: 150, meals: [{ minute: 130, effect: 'skipped', wall: 150 }] })
  t.equal(howe?.meals.length, 1)
  const morocco = clockChanges(night('Africa/Casablanca'), utc('2026-01-01T00:00')).slice(0, 2)
  t.match(morocco, [
    { date: '2026-02-15', shift: -60, meals: [{ minute: 150, effect: 'doubled' }] },
    { date: '2026-03-22', shift: 60, meals: [{ minute: 150, effect: 'skipped', wall: 180 }] },
  ])
  t.same(clockChanges(night('Asia/Kolkata'), utc('2026-01-01T00:00')), [])
})

t.test('every day of two years has each meal once, in zones that change and that do not', async (t) => {
  for (const zone of [
    MADRID,
    'Australia/Lord_Howe',
    'Africa/Casablanca',
    'America/New_York',
    'Asia/Kathmandu',
  ]) {
    const slots = Array.from({ length: 24 }, (_, hour): [number, number, number] => [
      hour * 60 + 30,
      100,
      EVERY_DAY,
    ])
    const [from, to] = [utc('2026-01-01T00:00'), utc('2028-01-01T00:00')]
    const meals = mealsBetween({ zone, schedule: slots }, from, to)
    t.equal(new Set(meals.map(({ occurrence }) => occurrence)).size, meals.length, zone)
    t.ok(Math.abs(meals.length - 730 * 24) <= 1, `${zone}: ${meals.length}`)
    // Cut anywhere, nothing is twice or missing.
    const cut = utc('2026-10-25T00:45')
    const parts = [
      ...mealsBetween({ zone, schedule: slots }, from, cut),
      ...mealsBetween({ zone, schedule: slots }, cut, to),
    ]
    t.equal(parts.length, meals.length, zone)
  }
})

t.test('days of the week; the next meal; a zone that nobody knows', async (t) => {
  const mondays = { zone: MADRID, schedule: [[480, 900, 1]] as [number, number, number][] }
  t.match(nextMeal(mondays, utc('2026-11-20T12:00')), { at: utc('2026-11-23T07:00'), grams: 900 })
  t.match(nextMeal(mondays, utc('2026-11-23T07:00')), { at: utc('2026-11-30T07:00') })
  t.equal(nextMeal({ zone: 'Europe/Segovia', schedule: [[480, 900, 1]] }, 0), undefined)
})

t.test(
  'PUT /schedule: pending until the feeder reports the version; who edits an old one is told',
  async (t) => {
    const stable = await openStable()
    t.teardown(stable.close)
    const slots = Array.from({ length: 24 }, (_, hour) => ({
      minute: hour * 60,
      grams: 250,
      days: EVERY_DAY,
    }))
    const put = (body: object, who: 'owner' | 'groom' = 'owner') => stable.ask(who, 'PUT @/schedule', body)
    t.equal((await put({ zone: MADRID, slots }, 'groom')).status, 403)
    const first = await put({ zone: MADRID, slots })
    t.equal(first.status, 200)
    t.ok(Value.Check(ScheduleSchema, first.json))
    t.match(first.json, { zone: MADRID, version: 1, pending: true, max: 48, slots: { length: 24 } })
    t.match(first.json.changes, [
      { date: '2027-03-28', meals: [{ minute: 120, effect: 'skipped' }] },
      { date: '2027-10-31', meals: [{ minute: 120, effect: 'doubled' }] },
    ])
    t.match(stable.control().desired.config, { version: 1, zone: MADRID, limits: { portion: 2000 } })
    await stable.holds(1)
    t.match((await stable.ask('vet', 'GET @/schedule')).json, {
      pending: false,
      running: 1,
      next: { minute: 14 * 60, grams: 250 },
    })

    const second = await put({ zone: MADRID, slots: slots.slice(0, 2), version: 1 })
    t.match(second.json, { version: 2, pending: true, running: 1 })
    t.match((await put({ zone: MADRID, slots, version: 1 })).json, { status: 409, reason: 'changed' })
    t.match(
      (await put({ zone: MADRID, slots: slots.slice(0, 2), version: 2 })).json,
      { version: 2 },
      'the same is no other',
    )
    t.match((await put({ zone: MADRID, slots: [] })).json, { version: 3, slots: [] })
  },
)

t.test('PUT /schedule: no feeder can follow that', async (t) => {
  const stable = await openStable()
  t.teardown(stable.close)
  const put = async (slots: object[], more: object = {}) =>
    (await stable.ask('owner', 'PUT @/schedule', { zone: MADRID, slots, ...more })).json
  const meal = { minute: 480, grams: 500, days: EVERY_DAY }
  t.match(await put([meal], { zone: 'Europe/Segovia' }), { status: 400 })
  t.match(await put([{ ...meal, minute: 1440 }]), { status: 400 })
  t.match(await put([{ ...meal, days: 0 }]), { status: 400 })
  t.match(await put(Array.from({ length: 49 }, (_, i) => ({ ...meal, minute: i, grams: 1 }))), {
    status: 400,
  })
  t.match(await put([meal, { ...meal, days: 1 }]), { status: 400, errors: [{ path: '/slots/1' }] })
  t.match(
    await put([
      { ...meal, days: 2 },
      { ...meal, days: 1 },
    ]),
    { version: 1 },
    'at one time on different days',
  )
  t.match(await put([{ ...meal, grams: 2001 }]), { status: 422, reason: 'portion', max: 2000 })
  await stable.db.sql
    .updateTable('horses')
    .set({ weight_kg: 200 })
    .where('id', '=', stable.web.horse)
    .execute()
  t.match(await put([{ ...meal, grams: 900 }]), { status: 422, reason: 'override', max: 800 })
  t.match(await put([{ ...meal, grams: 900 }], { override: true }), { version: 2 })
  const many = [1, 2, 3, 4, 5].map((hour) => ({ ...meal, minute: hour * 60, grams: 700 }))
  t.match(await put(many), { status: 422, reason: 'daily', max: 3000 })
})

t.test('a calibration is one of what the feeder holds, and is asked for when it is pending', async (t) => {
  const stable = await openStable()
  t.teardown(stable.close)
  const weigh = async (asked: number, weighed: number) =>
    (await stable.ask('groom', 'POST @/calibration', { asked, weighed })).json
  t.match((await stable.ask('vet', 'GET @/calibration')).json, { factor: 1000, pending: false })
  t.match(await weigh(500, 550), { factor: 1100, pending: true, by: 'groom' })
  t.match(stable.control().desired.config, { version: 1, calibration: 1100 })
  t.match(await weigh(500, 550), { status: 409, reason: 'pending' })
  await stable.holds(1)
  t.match(await weigh(1000, 900), { factor: 990 }, 'what is in force is corrected')
  await stable.holds(2)
  t.match(await weigh(1000, 20), { status: 422, reason: 'calibration' })
})

t.test('the plan of a day against what was eaten', async (t) => {
  const stable = await openStable()
  t.teardown(stable.close)
  const { clock } = stable
  clock.now = utc('2026-11-20T05:00')
  await stable.ask('owner', 'PUT @/schedule', {
    zone: MADRID,
    slots: [
      { minute: 420, grams: 900, days: EVERY_DAY },
      { minute: 720, grams: 500, days: EVERY_DAY },
      { minute: 1140, grams: 900, days: EVERY_DAY },
    ],
  })
  const start = utc('2026-11-20T00:00') / 60_000
  clock.now = utc('2026-11-20T06:00')
  await stable.say({ occurrence: start + 420 }, 'dispensing')
  t.match((await stable.ask('vet', 'GET @/day')).json.meals[0], { minute: 420, state: 'dispensing' })
  clock.now += 30_000
  await stable.say({ occurrence: start + 420 }, 'partial', { grams: 700 })
  clock.now = utc('2026-11-20T11:04')
  const due = (await stable.ask('vet', 'GET @/day')).json
  t.match(due, { date: '2026-11-20', zone: MADRID, planned: 2300, actual: 700 })
  t.same(
    due.meals.map(({ minute, state }: { minute: number; state: string }) => [minute, state]),
    [
      [420, 'partial'],
      [720, 'due'],
      [1140, 'planned'],
    ],
  )
  clock.now = utc('2026-11-20T11:10')
  t.equal((await stable.ask('vet', 'GET @/day')).json.meals[1].state, 'missed')
  await stable.feed('groom', 400)
  await stable.say({ n: 1 }, 'done', { grams: 400 })
  const fed = (await stable.ask('vet', 'GET @/day')).json
  t.match(fed.meals[2], { source: 'command', planned: 400, actual: 400 })
  t.equal(fed.actual, 1100)
  // Another schedule from now on changes nothing of what was planned before.
  await stable.ask('owner', 'PUT @/schedule', { zone: MADRID, slots: [] })
  clock.now += 3_600_000
  const after = (await stable.ask('vet', 'GET @/day')).json
  t.equal(after.planned, 1400)
  t.match((await stable.ask('vet', 'GET @/day?date=2026-11-19')).json, { meals: [], planned: 0 })
  t.equal((await stable.ask('vet', 'GET @/day?date=2026-02-30')).status, 400)
})

t.test(
  'missed meals: five minutes after the deadline, whatever the connection; word that comes late counts',
  async (t) => {
    const stable = await openStable()
    t.teardown(stable.close)
    const { clock } = stable
    clock.now = utc('2026-11-20T05:00')
    await stable.ask('owner', 'PUT @/schedule', {
      zone: MADRID,
      slots: [
        { minute: 420, grams: 900, days: EVERY_DAY },
        { minute: 480, grams: 100, days: EVERY_DAY },
      ],
    })
    await stable.settled()
    const start = utc('2026-11-20T00:00') / 60_000
    const at = async (time: string) => {
      clock.now = utc(`2026-11-20T${time}`)
      await stable.feeding().tick()
      return stable.missed.map(({ meal }) => meal.minute)
    }
    t.same(await at('05:30'), [], 'yesterday nobody wanted it')
    t.same(await at('06:05:59'), [])
    t.same(await at('06:06:00'), [420], 'deadline, gap and five minutes')
    t.same(await at('06:50'), [420], 'told once')
    clock.now = utc('2026-11-20T07:00:20')
    await stable.say({ occurrence: start + 480 }, 'done', { grams: 100 })
    t.same(await at('07:30'), [420])
    // The server was away over a meal: it is found missing after the start.
    clock.now = utc('2026-11-21T06:30')
    const again = await stable.restart()
    await again.tick()
    t.same(
      stable.missed.map(({ meal }) => meal.minute),
      [420, 420],
      'today’s; of yesterday’s everybody was told',
    )
  },
)
