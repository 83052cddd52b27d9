import t from 'tap'
import { type Database, openDatabase } from '../../../../web/server/src/db/database.ts'
import { createFleet, type FleetOptions } from '../../../../web/server/src/devices/fleet.ts'
import { createPeek } from '../../../../web/server/src/devices/peek.ts'
import { createSightings } from '../../../../web/server/src/devices/sightings.ts'
import type { StateEvent } from '../../../../web/server/src/live/documents.ts'

const NOW = Date.parse('2026-11-20T12:00:00Z')
const MINUTE = 60_000

type Registered = {
  name?: string
  kind?: 'feeder' | 'camera'
  state?: 'active' | 'disabled' | 'revoked' | 'replaced'
}

async function setUp(t: { after(handler: () => Promise<void>): void }, more: Partial<FleetOptions> = {}) {
  const db = await openDatabase(':memory:')
  t.after(() => db.close())
  const current = new Map<string, StateEvent>()
  const things: { thing: string; kind: string | undefined }[] = []
  const fleet = createFleet({
    db,
    now: () => NOW,
    states: { current: (thing) => current.get(thing) },
    registry: { listThings: async () => things },
    peek: async () => new Map(),
    // The index is a few minutes behind, as it is.
    leases: { seen: () => new Map(), back: () => undefined, completeTo: () => NOW - 3 * MINUTE },
    onError: (error) => {
      throw error
    },
    ...more,
  })
  return { db, fleet, current, things }
}

function register(
  { sql }: Database,
  thing: string,
  { name = thing, kind = 'feeder', state = 'active' }: Registered = {},
) {
  return sql.insertInto('devices').values({ thing, kind, name, state, registered_at: NOW }).execute()
}

/** As the index of the archive writes it. */
async function reported(
  { sql }: Database,
  thing: string,
  { ago, interval, reports = 1 }: { ago: number; interval?: number; reports?: number },
) {
  const row = { thing, seq: reports, at: NOW - ago, received: NOW - ago, state: '{"hopper_pct":50}' }
  await sql
    .insertInto('thing_numbers')
    .values({ ...row, type: 'feeder', reports, gateway: 'a' })
    .execute()
  await sql
    .insertInto('raw_rows')
    .values({ ...row, horse_id: '', interval_s: interval ?? null })
    .execute()
}

t.test('list() has every device, the one in most trouble first', async (t) => {
  const { db, fleet, things } = await setUp(t)
  for (const [thing, options] of [
    ['feeder-1', { name: 'well' }],
    ['feeder-2', { name: 'late' }],
    ['feeder-3', { name: 'silent' }],
    ['feeder-4', { name: 'never heard of' }],
    ['feeder-5', { name: 'stopped', state: 'disabled' }],
    ['feeder-6', { name: 'gone', state: 'revoked' }],
    ['feeder-7', { name: 'jammed' }],
  ] as [string, Registered][])
    await register(db, thing, options)
  await reported(db, 'feeder-1', { ago: 5 * MINUTE, interval: 300, reports: 7 })
  await reported(db, 'feeder-2', { ago: 20 * MINUTE, interval: 300 })
  await reported(db, 'feeder-3', { ago: 500 * MINUTE, interval: 300 })
  await reported(db, 'feeder-7', { ago: MINUTE, interval: 300 })
  await reported(db, 'open-1', { ago: 900 * MINUTE })
  things.push({ thing: 'mqtt-1', kind: 'sensor' }, { thing: 'pesebre-web', kind: undefined })
  const alarm = { thing: 'feeder-7', kind: 'jammed', detail: '{}', raised_at: NOW, updated_at: NOW }
  await db.sql
    .insertInto('alarms')
    .values([
      { ...alarm, id: 'alm_1', active_key: 'feeder-7/jammed' },
      { ...alarm, id: 'alm_2', active_key: null, kind: 'empty' },
    ])
    .execute()
  const { devices, total } = await fleet.list({})
  t.strictSame(
    devices.map(({ standing, thing }) => `${standing} ${thing}`),
    [
      'alarm feeder-7',
      'silent feeder-3',
      'late feeder-2',
      'new mqtt-1',
      'new feeder-4',
      'good open-1',
      'good feeder-1',
      'disabled feeder-5',
      'revoked feeder-6',
    ],
  )
  t.equal(total, 9)
  t.match(devices[0], { alarms: ['jammed'], isRegistered: true })
  t.match(
    devices.find(({ thing }) => thing === 'feeder-1'),
    {
      count: { reports: 7, to: NOW - 5 * MINUTE },
      at: NOW - 5 * MINUTE,
      interval_s: 300,
      gateway: 'a',
      state: { hopper_pct: 50 },
    },
  )
  t.match(
    devices.find(({ thing }) => thing === 'open-1'),
    { isRegistered: false, isSecure: false, standing: 'good' },
  )
  t.match(await fleet.standings(), { alarm: 1, silent: 1, late: 1, new: 2, good: 2, disabled: 1, revoked: 1 })
})

t.test('list() finds by kind, standing and name, page by page', async (t) => {
  const { db, fleet } = await setUp(t)
  for (let i = 0; i < 5; i++) await register(db, `feeder-0000000${i}`, { name: `Box ${i}` })
  await register(db, 'camera-00000009', { kind: 'camera', name: 'Yard' })
  const names = async (query: object) => (await fleet.list(query)).devices.map(({ name }) => name)
  t.strictSame(await names({ kind: 'camera' }), ['Yard'])
  t.strictSame(await names({ search: 'bOX 3' }), ['Box 3'])
  t.strictSame(await names({ search: '0000009' }), ['Yard'])
  t.strictSame(await names({ standing: 'late' }), [])
  t.strictSame(await names({ offset: 1, limit: 2 }), ['Box 1', 'Box 2'])
  t.equal((await fleet.list({ offset: 1, limit: 2 })).total, 6)
})

t.test('what a page watches is newer than the archive, which is newer than an old shadow', async (t) => {
  const { db, fleet, current } = await setUp(t)
  await register(db, 'feeder-1')
  await reported(db, 'feeder-1', { ago: 5 * MINUTE, interval: 300 })
  const event: StateEvent = {
    kind: 'state',
    thing: 'feeder-1',
    state: { hopper_pct: 7 },
    at: NOW - MINUTE,
    seq: 2,
    interval_s: 600,
    gateway: 'b',
  }
  current.set('feeder-1', event)
  t.match(await fleet.rows(['feeder-1', 'feeder-2']), [
    { state: { hopper_pct: 7 }, at: NOW - MINUTE, interval_s: 600, gateway: 'b' },
  ])
  current.set('feeder-1', { ...event, at: NOW - 90 * MINUTE })
  t.match(await fleet.rows(['feeder-1']), [{ state: { hopper_pct: 50 }, at: NOW - 5 * MINUTE, gateway: 'a' }])
})

t.test(
  'a device is not late when its gateway is away, nor while it may not have found it back',
  async (t) => {
    const gateway = { at: NOW - 15 * MINUTE, back: undefined as { at: number; away: number } | undefined }
    const { db, fleet } = await setUp(t, {
      leases: {
        seen: () => new Map([['a', gateway.at]]),
        back: (id) => (id === 'a' ? gateway.back : undefined),
        completeTo: () => NOW - 3 * MINUTE,
      },
    })
    await reported(db, 'feeder-1', { ago: 20 * MINUTE, interval: 300 })
    t.match(await fleet.rows(['feeder-1']), [{ standing: 'gateway-down' }])
    gateway.at = NOW
    gateway.back = { at: NOW - MINUTE, away: 14 * MINUTE }
    t.match(await fleet.rows(['feeder-1']), [{ standing: 'gateway-down' }])
    gateway.back = { at: NOW - 60 * MINUTE, away: 14 * MINUTE }
    t.match(await fleet.rows(['feeder-1']), [{ standing: 'late' }])
  },
)

t.test('a camera stands as its connection does', async (t) => {
  const connected = new Map<string, boolean | null>([
    ['camera-1', true],
    ['camera-2', false],
    ['camera-3', null],
  ])
  const { db, fleet } = await setUp(t, { isConnected: (thing) => connected.get(thing) ?? null })
  for (const thing of connected.keys()) await register(db, thing, { kind: 'camera' })
  t.strictSame(
    (await fleet.list({})).devices.map(({ thing, standing, speaks }) => `${thing} ${standing} ${speaks}`),
    ['camera-2 silent mqtt', 'camera-3 new mqtt', 'camera-1 good mqtt'],
  )
})

t.test(
  'a device that speaks MQTT to AWS IoT itself appears with its shadow, which is read once a minute at most',
  async (t) => {
    let reads = 0
    const failures: string[] = []
    const metadata = { reported: { level: { timestamp: NOW / 1000 - 5 } } }
    const peek = createPeek(
      {
        read: async (thing) => {
          reads++
          if (thing === 'broken') throw new Error('throttled')
          if (thing === 'foreign')
            throw Object.assign(new Error('not for us'), { name: 'ForbiddenException' })
          return { version: 1, state: { reported: { level: 3 } }, metadata } as never
        },
      },
      (error) => failures.push((error as Error).message),
    )
    const { fleet, things } = await setUp(t, { peek })
    things.push(...['trough', 'broken', 'foreign'].map((thing) => ({ thing, kind: 'sensor' })))
    const { devices } = await fleet.list({})
    t.match(devices, [
      { thing: 'broken', standing: 'new', state: null },
      { thing: 'foreign', standing: 'new', state: null },
      {
        thing: 'trough',
        standing: 'good',
        state: { level: 3 },
        at: NOW - 5_000,
        kind: 'sensor',
        count: null,
      },
    ])
    await fleet.list({})
    t.equal(reads, 4, 'only what could not be read is tried again')
    t.strictSame(failures, ['throttled', 'throttled'], 'what is not ours to read is no failure')
  },
)

t.test(
  'sightings: the first is told once, later ones are written once an hour, and never back',
  async (t) => {
    const { db } = await setUp(t)
    await register(db, 'feeder-1')
    const first: string[] = []
    const make = () =>
      createSightings({ db, onFirst: (thing) => first.push(thing), onError: (error) => t.error(error) })
    const seen = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      const row = await db.sql
        .selectFrom('devices')
        .select(['first_seen_at', 'last_seen_at'])
        .executeTakeFirstOrThrow()
      return [row.first_seen_at, row.last_seen_at].map((at) => (at ?? 0) - NOW)
    }
    const sightings = make()
    sightings.saw('feeder-1', NOW)
    sightings.saw('stranger', NOW)
    t.strictSame(await seen(), [0, 0])
    sightings.saw('feeder-1', NOW + 30 * MINUTE)
    t.strictSame(await seen(), [0, 0])
    sightings.saw('feeder-1', NOW + 60 * MINUTE)
    t.strictSame(await seen(), [0, 60 * MINUTE])
    make().saw('feeder-1', NOW + 10 * MINUTE)
    t.strictSame(await seen(), [0, 60 * MINUTE], 'after a restart')
    t.strictSame(first, ['feeder-1'])
  },
)
