import { AlarmSchema } from '@pesebre/contract/api/alarm'
import t from 'tap'
import Value from 'typebox/value'
import { openAlarms } from '../../../../web/server/src/alarms/alarms.ts'
import { signalsOfFeed, signalsOfState } from '../../../../web/server/src/alarms/signals.ts'
import { createSweep } from '../../../../web/server/src/alarms/sweep.ts'
import { createFleet } from '../../../../web/server/src/devices/fleet.ts'
import { createPlaces } from '../../../../web/server/src/feeding/feeders.ts'
import type { FeedRow } from '../../../../web/server/src/feeding/timeline.ts'
import { createLeases } from '../../../../web/server/src/hops/leases.ts'
import { createControlShadows } from '../../../fakes/control-shadows.ts'
import { openTestDatabase } from '../../../fakes/test-database.ts'
import { openWebApp } from '../../../fakes/web-app.ts'

t.setTimeout(60_000)

const MINUTE = 60_000
const HOUR = 60 * MINUTE

async function openYard() {
  const web = await openWebApp()
  const { db, clock } = web
  const told: string[] = []
  const live: { kind: string; cleared?: number; acknowledged?: object }[] = []
  const places = createPlaces(db, () => clock.now, 0)
  const open = () =>
    openAlarms({
      db,
      places,
      now: () => clock.now,
      publish: (event) => void live.push((event as { alarm: (typeof live)[number] }).alarm),
      onAlarm: ({ kind }) => void told.push(kind),
    })
  const alarms = open()
  const shadows = createControlShadows()
  /** What the bridge has written. */
  const report = (state: object, more: { at?: number; interval_s?: number; gateway?: string } = {}) => {
    const { at = clock.now, interval_s = 300, gateway = 'a' } = more
    const link = { at, seq: at, gateway, interval_s }
    shadows.classics.set(web.feeder, { state: { reported: { ...state, link } }, version: at })
  }
  const lease = (id: string, at: number) =>
    shadows.controls.set(`pesebre-gateway-${id}`, {
      state: { reported: { instance: 'x', at, mark: 1 } },
      version: at,
    })
  // The fake tells named shadows from classic ones, not from one another.
  const read = async (thing: string, name?: string) =>
    name === 'gateway' ? shadows.shadowsOf().read(thing, 'control') : shadows.shadowsOf().read(thing)
  const leases = createLeases({ db, shadows: { read }, now: () => clock.now })
  const sweep = createSweep({
    db,
    shadows: { read },
    leases,
    places,
    alarms,
    now: () => clock.now,
    standing: () => ({ isFeeding: false, isEnabled: true }),
  })
  const fleet = createFleet({
    db,
    leases,
    now: () => clock.now,
    states: { current: () => undefined },
    registry: { listThings: async () => [] },
    peek: async () => new Map(),
    onError: (error) => {
      throw error
    },
  })
  return { web, db, clock, alarms, open, told, live, sweep, report, lease, fleet }
}

const list = async ({ web }: Awaited<ReturnType<typeof openYard>>, all = '') =>
  (
    await web.app.inject({
      method: 'GET',
      url: `/api/stables/${web.stable}/alarms${all}`,
      headers: web.headers('vet'),
    })
  ).json()

t.test('signals of a report: with a gap between on and off', async (t) => {
  const kinds = (state: object) =>
    signalsOfState(state as Record<string, unknown>).map(({ kind, isOn }) => `${kind} ${isOn}`)
  t.same(kinds({ hopper_pct: 10, battery_mv: 3500 }), ['empty true', 'battery true'])
  t.same(kinds({ hopper_pct: 12, battery_mv: 3550 }), [])
  t.same(kinds({ hopper_pct: 15, battery_mv: 3600 }), ['empty false', 'battery false'])
  t.same(kinds({ hopper_pct: 'low', battery_mv: null }), [])
  t.same(kinds({}), [])
})

t.test('signals of a feeding', async (t) => {
  const kinds = (row: Partial<FeedRow>) =>
    signalsOfFeed({
      n: 1,
      slot: null,
      occurrence: null,
      planned_g: 5,
      actual_g: null,
      reason: null,
      source: 'command',
      ...row,
    } as FeedRow).map(({ kind, isOn }) => `${isOn ? '+' : '-'}${kind}`)
  t.same(kinds({ state: 'jammed' }), ['+jammed', '-unknown'])
  t.same(kinds({ state: 'interrupted' }), ['+interrupted', '-unknown'])
  t.same(kinds({ state: 'unknown' }), ['+unknown'])
  t.same(kinds({ state: 'refused', reason: 'gap' }), [])
  t.same(kinds({ state: 'refused', reason: 'latched' }), ['+jammed'])
  t.same(kinds({ state: 'refused', reason: 'daily', source: 'schedule' }), ['+missed'])
  t.same(kinds({ state: 'done', source: 'schedule' }), ['-jammed', '-interrupted', '-unknown', '-missed'])
  t.same(kinds({ state: 'cancelled' }), [])
})

t.test('one alarm per device and kind: raised, happened again, cleared, acknowledged', async (t) => {
  const yard = await openYard()
  t.teardown(yard.web.close)
  const { alarms, clock, web, told, live } = yard
  const jam = (n: number) =>
    ({ kind: 'jammed', isOn: true, isAnew: true, detail: { n, grams: 500 } }) as const
  await alarms.take(web.feeder, [jam(1)])
  await alarms.take(web.feeder, [jam(1)])
  t.same(told, ['jammed'])
  const [row] = alarms.open()
  t.match(row, { thing: web.feeder, horse: 'Bella', count: 1, stable_id: web.stable })
  clock.now += MINUTE
  await alarms.acknowledge(row!.id, {
    user: { id: web.users.groom, name: 'groom' },
    at: clock.now,
    address: null,
  })
  t.same(alarms.open(), [], 'nobody is told any more')
  t.match(live.at(-1), { acknowledged: { by: 'groom', at: clock.now } })
  clock.now += MINUTE
  await alarms.take(web.feeder, [jam(2)])
  t.match(alarms.open(), [{ count: 2, acknowledged_at: null }], 'it happened again')
  t.same(told, ['jammed', 'jammed'])
  await alarms.take(web.feeder, [{ kind: 'jammed', isOn: false }], clock.now - 1)
  t.equal(alarms.open().length, 1, 'what was good before clears nothing')
  clock.now += MINUTE
  await alarms.take(web.feeder, [{ kind: 'jammed', isOn: false }])
  t.same(alarms.open(), [])
  t.ok(Value.Check(AlarmSchema, live.at(-1)))
  t.equal(live.at(-1)?.cleared, clock.now)
  const [cleared] = await alarms.list(web.stable, false)
  t.match(
    cleared,
    { kind: 'jammed', cleared: clock.now, acknowledged: undefined },
    'until somebody has seen it',
  )
  await alarms.take(web.feeder, [jam(2)])
  t.equal((await alarms.list(web.stable, true)).length, 1, 'found again after a start: everybody was told')
  t.match(
    (await yard.db.sql.selectFrom('audit').select('action').execute()).map(({ action }) => action),
    ['alarm.acknowledge'],
  )
})

t.test('two servers: one alarm', async (t) => {
  const yard = await openYard()
  t.teardown(yard.web.close)
  const other = yard.open()
  const low = { kind: 'battery', isOn: true, detail: { battery_mv: 3400 } } as const
  await Promise.all([yard.alarms.take(yard.web.feeder, [low]), other.take(yard.web.feeder, [low])])
  t.same(yard.told, ['battery'])
  t.equal((await other.list(yard.web.stable, true)).length, 1)
  const [row] = other.open()
  const claims = await Promise.all([yard.alarms.claim(row!, 5), other.claim(row!, 6)])
  t.same(claims.toSorted(), [false, true], 'one of them tells')
})

t.test('the sweep, by a clock: low, late, back; and a gateway that has gone is no late feeder', async (t) => {
  const yard = await openYard()
  t.teardown(yard.web.close)
  const { sweep, clock, report, lease, alarms, web } = yard
  const look = async () => {
    await sweep.sweep()
    return alarms.kindsOf(web.feeder).toSorted()
  }
  const start = clock.now
  lease('a', clock.now)
  report({ hopper_pct: 8, battery_mv: 3900 })
  t.same(await look(), ['empty'])
  t.match((await sweep.cards([web.horse])).get(web.horse), {
    state: 'empty',
    hopperPct: 8,
    batteryPct: 67,
    lastSeen: start,
    nextExpected: start + 5 * MINUTE,
  })
  clock.now = start + HOUR + 13 * MINUTE
  lease('a', clock.now)
  t.same(await look(), ['empty'], 'an hour may hide reports that say nothing new')
  clock.now += MINUTE
  lease('a', clock.now)
  t.same(await look(), ['empty', 'late'])
  t.equal((await sweep.cards([web.horse])).get(web.horse)?.state, 'late')
  report({ hopper_pct: 90, battery_mv: 3900 })
  t.same(await look(), [])
  t.equal((await sweep.cards([web.horse])).get(web.horse)?.state, 'ok')

  const gone = clock.now
  clock.now += 5 * HOUR
  t.same(await look(), [], 'its gateway has gone: nobody knows')
  t.same(alarms.kindsOf('pesebre-gateway-a'), ['gateway'])
  t.match(yard.told, ['empty', 'late', 'gateway'])
  t.match((await sweep.cards([web.horse])).get(web.horse), { state: 'gateway_down', lastSeen: gone })
  lease('a', clock.now)
  t.same(await look(), [], 'it is back; its feeders have to find that out')
  t.same(alarms.kindsOf('pesebre-gateway-a'), [])
  clock.now += 75 * MINUTE + 14 * MINUTE
  lease('a', clock.now)
  t.same(await look(), ['late'])
})

t.test(
  'the archive’s index tells of silence sooner, and of life that the shadow does not show',
  async (t) => {
    const yard = await openYard()
    t.teardown(yard.web.close)
    const { sweep, clock, report, lease, alarms, web, db } = yard
    const start = clock.now
    report({ hopper_pct: 50 })
    const index = async (thing: string, at: number) => {
      await db.sql.deleteFrom('thing_numbers').where('thing', '=', thing).execute()
      const row = { thing, type: 'feeder', reports: 1, seq: 1, at, received: at, gateway: 'a', state: '{}' }
      await db.sql.insertInto('thing_numbers').values(row).execute()
    }
    lease('a', clock.now)
    await sweep.sweep()
    clock.now = start + 25 * MINUTE
    lease('a', clock.now)
    await index(web.feeder, start)
    await index('other', clock.now - MINUTE)
    await sweep.sweep()
    t.same(alarms.kindsOf(web.feeder), ['late'], 'everything up to four minutes ago is known')
    await index(web.feeder, start + 20 * MINUTE)
    await sweep.sweep()
    t.same(alarms.kindsOf(web.feeder), [])
  },
)

t.test('the fleet says of a device what the alarms say, also after its gateway came back', async (t) => {
  const yard = await openYard()
  t.teardown(yard.web.close)
  const { sweep, clock, report, lease, web, db, fleet } = yard
  const start = clock.now
  report({ hopper_pct: 50 })
  const row = { thing: web.feeder, seq: 1, at: start, received: start, state: '{}' }
  await db.sql
    .insertInto('thing_numbers')
    .values({ ...row, type: 'feeder', reports: 1, gateway: 'a' })
    .execute()
  await db.sql
    .insertInto('raw_rows')
    .values({ ...row, horse_id: '', interval_s: 300 })
    .execute()
  const both = async () => {
    await sweep.sweep()
    const [device] = await fleet.rows([web.feeder])
    return [sweep.presenceFor(web.feeder).state, device!.standing]
  }
  lease('a', clock.now)
  t.same(await both(), ['seen', 'good'])
  clock.now = start + 80 * MINUTE
  t.same(await both(), ['gateway-down', 'gateway-down'])
  clock.now += MINUTE
  lease('a', clock.now)
  t.same(await both(), ['gateway-down', 'gateway-down'], 'its devices have to find that out')
  clock.now += 95 * MINUTE
  lease('a', clock.now)
  t.same(await both(), ['silent', 'alarm'])
})

t.test('alarms of a device that is not in use any more go with it', async (t) => {
  const yard = await openYard()
  t.teardown(yard.web.close)
  await yard.alarms.take(yard.web.feeder, [{ kind: 'battery', isOn: true }])
  await yard.db.sql
    .updateTable('devices')
    .set({ state: 'revoked' })
    .where('thing', '=', yard.web.feeder)
    .execute()
  yard.clock.now += 1
  await yard.sweep.sweep()
  t.same(yard.alarms.kindsOf(yard.web.feeder), [])
  t.equal((await list(yard)).status, 503, 'the routes say that AWS IoT is not set up')
})

t.test('GET /api/stables/{stable}/alarms, POST /api/alarms/{alarm}/acknowledge', async (t) => {
  const db = await openTestDatabase()
  const now = () => Date.parse('2026-11-20T12:00:00Z')
  const places = createPlaces(db, now, 0)
  const alarms = openAlarms({ db, places, now, publish: () => undefined })
  const web = await openWebApp({ db, alarms })
  t.teardown(web.close)
  await alarms.take(web.feeder, [{ kind: 'empty', isOn: true, detail: { hopper_pct: 7 } }])
  const listed = await web.ask('vet', `GET /api/stables/${web.stable}/alarms`)
  t.match(listed.json.alarms, [
    { kind: 'empty', thing: web.feeder, horse: { name: 'Bella' }, detail: { hopper_pct: 7 }, count: 1 },
  ])
  t.equal((await web.ask('stranger', `GET /api/stables/${web.stable}/alarms`)).status, 404)
  const { id } = listed.json.alarms[0]
  t.equal((await web.ask('vet', `POST /api/alarms/${id}/acknowledge`)).status, 403)
  t.equal((await web.ask('stranger', `POST /api/alarms/${id}/acknowledge`)).status, 404)
  const first = await web.ask('groom', `POST /api/alarms/${id}/acknowledge`)
  t.match(first.json, { id, acknowledged: { by: 'groom' } })
  const second = await web.ask('owner', `POST /api/alarms/${id}/acknowledge`)
  t.match(second.json, { acknowledged: { by: 'groom' } }, 'who was first stays')
})
