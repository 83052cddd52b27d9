import { FeedSchema } from '@pesebre/contract/api/feed'
import t from 'tap'
import Value from 'typebox/value'
import { openStable } from './stable.ts'

t.setTimeout(60_000)

const MINUTE = 60_000

t.test(
  'a feeding from the button to the feeder’s word: every state with its time, live and in the ledger',
  async (t) => {
    const stable = await openStable()
    t.teardown(stable.close)
    const { clock } = stable
    const start = clock.now
    const given = await stable.feed('groom', 500)
    t.equal(given.status, 202)
    t.ok(Value.Check(FeedSchema, given.json))
    t.match(given.json, { n: 1, state: 'queued', planned: 500, by: 'groom', at: start, ended: false })
    t.equal(given.json.notAfter, start + 10 * MINUTE, 'ten minutes')
    t.match(stable.control().desired.queue, [{ n: 1, grams: 500, by: 'groom', key: given.json.id }])

    clock.now += 1000
    await stable.send(1)
    clock.now += 1000
    await stable.say({ n: 1 }, 'accepted')
    t.match((await stable.ask('vet', 'GET @/feeds')).json.feeds, [{ n: 1, state: 'accepted', ended: false }])
    clock.now += 1000
    await stable.say({ n: 1 }, 'dispensing')
    clock.now += 5000
    await stable.say({ n: 1 }, 'done', { grams: 497 })
    const { json } = await stable.ask('vet', 'GET @/feeds')
    t.match(json.feeds, [{ n: 1, state: 'done', actual: 497, ended: true, source: 'command' }])
    t.same(json.feeds[0].states, [
      { state: 'queued', at: start },
      { state: 'sent', at: start + 1000 },
      { state: 'accepted', at: start + 2000 },
      { state: 'dispensing', at: start + 3000 },
      { state: 'done', at: start + 8000 },
    ])
    const live = stable.events.flatMap((event) =>
      event.kind === 'feed' ? [(event.feed as { state: string }).state] : [],
    )
    t.same(live, ['queued', 'sent', 'accepted', 'dispensing', 'done'])
  },
)

t.test('a feeding writes to the database twice', async (t) => {
  const stable = await openStable()
  t.teardown(stable.close)
  stable.writes.length = 0
  await stable.feed('owner', 500)
  await stable.send(1)
  await stable.say({ n: 1 }, 'accepted')
  await stable.say({ n: 1 }, 'dispensing')
  await stable.say({ n: 1 }, 'done', { grams: 500 })
  await stable.say({ n: 1 }, 'done', { grams: 500 })
  await stable.feeding().tick()
  t.same(stable.writes, ['InsertQueryNode', 'UpdateQueryNode'])
})

t.test('the same wish again is the same feeding; the same key for another is refused', async (t) => {
  const stable = await openStable()
  t.teardown(stable.close)
  const first = await stable.feed('owner', 500, { key: 'twice-pressed' })
  const again = await stable.feed('owner', 500, { key: 'twice-pressed' })
  t.equal(again.json.id, first.json.id)
  t.equal(again.headers['idempotent-replay'], 'true')
  t.equal(stable.control().desired.queue.length, 1)
  await stable.say({ n: 1 }, 'done', { grams: 500 })
  stable.clock.now += 2 * MINUTE
  const late = await stable.feed('owner', 500, { key: 'twice-pressed' })
  t.match(late.json, { id: first.json.id, state: 'done' }, 'long after its end, too')
  t.match((await stable.feed('owner', 400, { key: 'twice-pressed' })).json, { status: 422, reason: 'key' })
  t.equal(stable.control().desired.next, 2)
  const missing = await stable.web.ask('owner', `POST /api/horses/${stable.web.horse}/feeds`, {
    body: { grams: 1 },
  })
  t.equal(missing.status, 400)
})

t.test('one open command per feeder, and a gap between two', async (t) => {
  const stable = await openStable()
  t.teardown(stable.close)
  await stable.feed('owner', 500)
  t.match((await stable.feed('groom', 300)).json, { status: 409, reason: 'open', n: 1 })
  await stable.say({ n: 1 }, 'done', { grams: 500 })
  stable.clock.now += 20_000
  const soon = await stable.feed('groom', 300)
  t.match(soon.json, { status: 409, reason: 'gap', retryAfter: 40 })
  t.equal(soon.headers['retry-after'], '40')
  stable.clock.now += 40_000
  t.equal((await stable.feed('groom', 300)).status, 202)
})

t.test('caps: what the weight allows, an owner’s word, an owner’s limit, a day', async (t) => {
  const stable = await openStable()
  t.teardown(stable.close)
  const { db, web } = stable
  await db.sql.updateTable('horses').set({ weight_kg: 200 }).where('id', '=', web.horse).execute()
  t.match((await stable.ask('vet', 'GET @/limits')).json, {
    portion: 800,
    daily: 3000,
    recommended: 800,
    left: 3000,
  })
  t.match((await stable.feed('groom', 801)).json, { status: 422, reason: 'portion', max: 800 })
  t.match((await stable.feed('groom', 801, { override: true })).json, { reason: 'portion', max: 800 })
  t.match((await stable.feed('owner', 801)).json, { status: 422, reason: 'override', max: 800 })
  t.match((await stable.feed('owner', 2001, { override: true })).json, { reason: 'portion', max: 2000 })
  const more = await stable.feed('owner', 1500, { override: true })
  t.match(more.json, { planned: 1500, override: true })
  await stable.say({ n: 1 }, 'done', { grams: 1500 })
  stable.clock.now += 2 * MINUTE
  t.match((await stable.feed('owner', 1501, { override: true })).json, { reason: 'daily', left: 1500 })
  t.match((await stable.ask('owner', 'GET @/limits')).json, { left: 1500 })

  t.match((await stable.ask('owner', 'PUT @/limits', { portion: 900 })).json, {
    reason: 'override',
    max: 800,
  })
  const set = await stable.ask('owner', 'PUT @/limits', { portion: 900, override: true, gap: 600 })
  t.match(set.json, { portion: 900, gap: 600, daily: 3000, pending: true })
  t.match(
    stable.control().desired.config,
    { version: 1, limits: { portion: 900, daily: 3000, gap_s: 600 } },
    'the feeder keeps it, too',
  )
  await stable.holds(1)
  t.equal((await stable.ask('owner', 'GET @/limits')).json.pending, false)
  stable.clock.now += 10 * MINUTE
  t.match((await stable.feed('owner', 901, { override: true })).json, { reason: 'portion', max: 900 })
  t.match((await stable.ask('owner', 'PUT @/limits', { portion: null, gap: null })).json, {
    portion: 800,
    gap: 60,
  })
  t.equal((await stable.ask('groom', 'PUT @/limits', { portion: 1 })).status, 403)
})

t.test('a feeder that comes to another horse keeps to the limits of that one', async (t) => {
  const stable = await openStable()
  t.teardown(stable.close)
  const { db, web, clock } = stable
  await stable.ask('owner', 'PUT @/limits', { portion: 300, gap: 120 })
  await stable.feeding().tick()
  t.match(stable.control().desired.config, { version: 1, limits: { portion: 300, daily: 7500, gap_s: 120 } })
  const pony = 'hrs_aaaaaaaaaaaaaaaa'
  const row = { id: pony, stable_id: web.stable, name: 'Poni', weight_kg: 200, created_at: 0 }
  await db.sql.insertInto('horses').values(row).execute()
  await db.sql.updateTable('devices').set({ horse_id: pony }).where('thing', '=', stable.feeder).execute()
  clock.now += MINUTE
  await stable.feeding().tick()
  t.match(stable.control().desired.config, { version: 2, limits: { portion: 2000, daily: 3000, gap_s: 120 } })
  clock.now += MINUTE
  await stable.feeding().tick()
  t.equal(stable.control().desired.config?.version, 2)
})

t.test('a day is not filled up so that the feeder must refuse a meal of the schedule', async (t) => {
  const stable = await openStable()
  t.teardown(stable.close)
  stable.configure({
    version: 1,
    zone: 'Europe/Madrid',
    schedule: [
      [19 * 60, 2000, 127],
      [20 * 60, 2000, 127],
    ],
  })
  t.match((await stable.ask('owner', 'GET @/limits')).json, { daily: 7500, left: 3500 })
})

t.test('taken back: before it was handed out, and too late', async (t) => {
  const stable = await openStable()
  t.teardown(stable.close)
  await stable.feed('owner', 500)
  t.match((await stable.ask('groom', 'DELETE @/feeds/1')).json, { n: 1, state: 'cancelled', ended: true })
  t.match((await stable.ask('groom', 'DELETE @/feeds/1')).json, { status: 409, reason: 'ended' })
  t.match((await stable.ask('groom', 'DELETE @/feeds/7')).json, { status: 409, reason: 'missing' })
  stable.clock.now += 1000
  await stable.feed('owner', 400)
  await stable.send(2)
  const late = await stable.ask('groom', 'DELETE @/feeds/2')
  t.match(late.json, { n: 2, state: 'sent', cancelled: true, ended: false })
  await stable.say({ n: 2 }, 'done', { grams: 400 })
  const { json } = await stable.ask('owner', 'GET @/feeds')
  t.match(json.feeds, [
    { n: 2, state: 'done', cancelled: true },
    { n: 1, state: 'cancelled' },
  ])
})

t.test(
  'refused, jammed, partial, interrupted, expired, unknown: each as the feeder or the clock says it',
  async (t) => {
    const stable = await openStable()
    t.teardown(stable.close)
    const { clock } = stable
    const next = async () => {
      clock.now += 2 * MINUTE
      return (await stable.feed('owner', 100)).json.n
    }
    await stable.say({ n: await next() }, 'refused', { reason: 'latched' })
    await stable.say({ n: await next() }, 'jammed', { grams: 30 })
    await stable.say({ n: await next() }, 'partial', { grams: 60 })
    await stable.say({ n: await next() }, 'interrupted')
    await next()
    clock.now += 13 * MINUTE
    await stable.feeding().tick()
    await stable.send(await next())
    clock.now += 13 * MINUTE
    await stable.feeding().tick()
    const { json } = await stable.ask('owner', 'GET @/feeds')
    t.match(json.feeds, [
      { state: 'unknown', ended: true },
      { state: 'expired' },
      { state: 'interrupted', planned: 100, actual: undefined },
      { state: 'partial', actual: 60 },
      { state: 'jammed', actual: 30 },
      { state: 'refused', reason: 'latched' },
    ])
    await stable.say({ n: 6 }, 'done', { grams: 100 })
    const late = (await stable.ask('owner', 'GET @/feeds')).json.feeds[0]
    t.match(late, { state: 'done', actual: 100, late: true }, 'word that came late')
  },
)

t.test('the server stops in the middle of a feeding: nothing lost, nothing doubled', async (t) => {
  const stable = await openStable()
  t.teardown(stable.close)
  const { json } = await stable.feed('owner', 500)
  await stable.send(1)
  const after = await stable.restart()
  t.equal(stable.control().desired.queue.length, 1)
  t.match(after.going(stable.feeder), [{ id: json.id, state: 'sent' }])
  await stable.say({ n: 1 }, 'accepted')
  await stable.say({ n: 1 }, 'done', { grams: 500 })
  const third = await stable.restart()
  t.match(await third.page(stable.web.horse, undefined, 10), {
    feeds: [{ id: json.id, state: 'done', actual: 500 }],
  })
  t.equal((await third.page(stable.web.horse, undefined, 10)).feeds.length, 1)
})

t.test('a feeding from the command line, and a page of the ledger after the other', async (t) => {
  const stable = await openStable()
  t.teardown(stable.close)
  const notAfter = stable.clock.now / 1000 + 600
  stable.shadows.write(stable.feeder, {
    desired: {
      queue: [{ n: 1, kind: 'feed', grams: 250, by: 'cli', at: stable.clock.now / 1000, notAfter, key: 'x' }],
      next: 2,
    },
  })
  await stable.settled()
  t.match((await stable.ask('owner', 'GET @/feeds')).json.feeds, [
    { n: 1, by: 'cli', planned: 250, state: 'queued' },
  ])
  await stable.say({ n: 1 }, 'done', { grams: 250 })
  for (let n = 2; n < 6; n++) {
    stable.clock.now += 2 * MINUTE
    await stable.feed('owner', 100)
    await stable.say({ n }, 'done', { grams: 100 })
  }
  const seen: number[] = []
  let before = ''
  for (let pages = 0; pages < 9; pages++) {
    const { json } = await stable.ask('owner', `GET @/feeds?limit=2${before}`)
    seen.push(...json.feeds.map(({ n }: { n: number }) => n))
    if (json.before === undefined) break
    before = `&before=${json.before}`
  }
  t.same(seen, [5, 4, 3, 2, 1])
})

t.test('without AWS IoT, and without a feeder, it says so', async (t) => {
  const stable = await openStable()
  t.teardown(stable.close)
  await stable.db.sql
    .updateTable('devices')
    .set({ horse_id: null })
    .where('thing', '=', stable.feeder)
    .execute()
  t.match((await stable.feed('owner', 100)).json, { status: 409, reason: 'no_feeder' })
  t.match((await stable.ask('owner', 'GET @/schedule')).json, { status: 409, reason: 'no_feeder' })
  t.match((await stable.ask('owner', 'GET @/day')).json, { meals: [] })
})

t.test('two browsers at two servers press at once: one feeding, the other is told of it', async (t) => {
  const stable = await openStable()
  t.teardown(stable.close)
  const { web, db, clock } = stable
  const horse = { id: web.horse, stable_id: web.stable, weight_kg: 500, meal_max_g: null, day_max_g: null }
  for (let round = 0; round < 20; round++) {
    clock.now += 10 * MINUTE
    const results = await Promise.all(
      [stable.open(), stable.open()].map((server, i) => {
        const user = { id: i === 0 ? web.users.owner : web.users.groom, name: `${i}`, isOwner: true }
        return server.give({
          thing: web.feeder,
          horse,
          grams: 100,
          override: false,
          user,
          key: `race-${round}-${i}`,
        })
      }),
    )
    t.same(results.map((result) => (result.ok ? 'given' : result.refusal.reason)).toSorted(), [
      'given',
      'open',
    ])
    const open = stable.control().desired.queue.filter(({ notAfter }) => notAfter * 1000 > clock.now)
    t.equal(open.length, 1)
    await stable.say({ n: open[0]!.n }, 'done', { grams: 100 })
  }
  const rows = await db.sql.selectFrom('feeds').select(['n', 'state']).where('n', 'is not', null).execute()
  t.equal(rows.length, 20)
})

t.test(
  'the command line is faster, and has fed already: the number that was written down is not used for another',
  async (t) => {
    const stable = await openStable()
    t.teardown(stable.close)
    const { clock, shadows, feeder, hooks } = stable
    stable.configure({ version: 1, limits: { gap_s: 0 } })
    hooks.onWrite = () => {
      delete hooks.onWrite
      const at = clock.now / 1000
      const command = { n: 1, kind: 'feed', grams: 300, by: 'cli', at, notAfter: at + 600, key: 'x' }
      shadows.write(feeder, { desired: { queue: [command], next: 2 } })
      shadows.write(feeder, {
        reported: { outcomes: { last: 1, items: [{ n: 1, state: 'done', grams: 300, at: clock.now - 1 }] } },
      })
    }
    const { json } = await stable.feed('owner', 500, { key: 'overtaken' })
    t.match(json, { status: 409, reason: 'open', n: 1 })
    await stable.settled()
    t.match((await stable.ask('owner', 'GET @/feeds')).json.feeds, [
      { n: 1, by: 'cli', planned: 300, actual: 300, state: 'done' },
    ])
    t.match((await stable.feed('owner', 500, { key: 'overtaken' })).json, {
      status: 409,
      reason: 'not_given',
    })
    t.equal((await stable.feed('owner', 500, { key: 'another-key' })).json.n, 2)
  },
)
