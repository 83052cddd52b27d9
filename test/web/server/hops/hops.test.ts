import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Hops } from '@pesebre/contract/api/hop'
import { Registry } from 'prom-client'
import t from 'tap'
import { readMetrics, watchGateways } from '../../../../web/server/src/hops/gateways.ts'
import type { Look } from '../../../../web/server/src/hops/looks.ts'
import { watchQueues } from '../../../../web/server/src/hops/queues.ts'
import { lookAtMqtt, lookAtShadows } from '../../../../web/server/src/hops/services.ts'
import { watchHops } from '../../../../web/server/src/hops/watch.ts'

type Teardown = { teardown(handler: () => Promise<void>): void }
const brief = (looks: readonly Look[]) =>
  looks.map(({ hop, id, state, note }) => `${hop} ${id} ${state}: ${note}`)

/** The admin port of a gateway. */
async function gateway(t: Teardown, said: { ready: object; metrics: Record<string, number> }) {
  const server: Server = createServer((request, response) => {
    response.end(
      request.url === '/readyz'
        ? JSON.stringify(said.ready)
        : Object.entries(said.metrics)
            .map(([name, value]) => `# HELP ${name} x\n${name} ${value}\n${name}_other{a="b"} 5\n`)
            .join(''),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => new Promise<void>((resolve) => void server.close(() => resolve()).closeAllConnections())
  t.teardown(close)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

t.test('gateways: ready or why not, their journals, and which does not answer', async (t) => {
  const well = await gateway(t, {
    ready: { ready: true, reasons: [], gateway: 'a' },
    metrics: { pesebre_journal_backlog_bytes: 0 },
  })
  const ill = await gateway(t, {
    ready: { ready: false, reasons: ['queue: the oldest report has waited for 200 s'], gateway: 'b' },
    metrics: {
      pesebre_journal_backlog_bytes: 5_000,
      pesebre_oldest_unsent_seconds: 200,
      pesebre_journal_failed: 0,
    },
  })
  const now = Date.now
  const seen = new Map<string, number>()
  const gateways = watchGateways([well.url, ill.url], { now, leases: { seen: () => seen } })
  t.strictSame(brief(await gateways.look()), [
    'gateway a ok: ready',
    'journal a ok: everything was sent',
    'gateway b broken: queue: the oldest report has waited for 200 s',
    'journal b slow: 5 kB not sent yet',
  ])
  await well.close()
  const [gone, journal] = await gateways.look()
  t.match(
    gone,
    { hop: 'gateway', id: 'a', state: 'broken', note: /^does not answer at 127\.0\.0\.1:\d+: / },
    'known by its id',
  )
  t.match(journal, { state: 'unknown' })
})

t.test(
  'gateways: which of them run is what their leases say; what they know, their admin ports',
  async (t) => {
    const answering = await gateway(t, { ready: { ready: true, gateway: 'a' }, metrics: {} })
    const seen = new Map<string, number>()
    const clock = { now: 1_000_000_000 }
    const leases = { seen: () => seen }
    const gateways = watchGateways([answering.url], { now: () => clock.now, leases })
    const looks = async () => brief(await gateways.look()).filter((look) => look.startsWith('gateway'))
    seen
      .set('a', clock.now)
      .set('b', clock.now - 20_000)
      .set('c', clock.now - 600_000)
      .set('d', 0)
    t.strictSame(
      await looks(),
      [
        'gateway a ok: ready',
        'gateway b ok: it last said that it runs 20 s ago',
        'gateway c broken: it last said that it runs 600 s ago',
        'gateway d broken: it said that it stops',
      ],
      'also those without an admin port',
    )
    await answering.close()
    const [unreachable] = await looks()
    t.match(unreachable, /^gateway a slow: does not answer at .*; it last said that it runs 0 s ago$/)
    clock.now += 91_000
    t.match(
      (await looks())[0],
      /^gateway a broken: does not answer at .*; it last said that it runs 91 s ago$/,
    )

    const one = { seen: () => new Map([['a', clock.now]]) }
    const deaf = watchGateways(['http://127.0.0.1:1'], { now: () => clock.now, leases: one })
    t.match(brief(await deaf.look()), [/^gateway a slow: /, /^journal a unknown: /], 'the only one it can be')
  },
)

t.test('gateways: reports are counted over their restarts', async (t) => {
  const metrics = { pesebre_reports_kept_total: 1_000 }
  const { url } = await gateway(t, { ready: { ready: true, gateway: 'a' }, metrics })
  let now = 0
  const leases = { seen: () => new Map() }
  const gateways = watchGateways([url], { now: () => now, leases })
  t.strictSame(gateways.reports(), { total: 0, perMinute: 0 })
  for (const [at, kept] of [
    [0, 1_000],
    [30_000, 1_040],
    [70_000, 1_100],
    [80_000, 7],
  ] as const) {
    now = at
    metrics.pesebre_reports_kept_total = kept
    await gateways.look()
  }
  t.strictSame(gateways.reports(), { total: 107, perMinute: 67 })
  t.equal(watchGateways([], { now: Date.now, leases }).reports(), undefined)
})

t.test('readMetrics() reads values without labels', async (t) => {
  const text = '# TYPE a counter\na 1\nb{x="1"} 2\nc_total 3.5e3\n\nd NaN\n'
  t.strictSame(
    [...readMetrics(text)],
    [
      ['a', 1],
      ['c_total', 3500],
      ['d', Number.NaN],
    ],
  )
})

t.test(
  'queue, bridge and dead letters: what waits, for how long at most, and who does not fetch it',
  async (t) => {
    let now = 1_000_000
    const held = { queue: { waiting: 0, inFlight: 0 }, dead: { waiting: 0, inFlight: 0 } }
    const queues = watchQueues(
      { queue: 'queue', deadLetters: 'dead' },
      { now: () => now, depth: async (url) => held[url as 'queue'] },
    )
    t.strictSame(brief(await queues.look()), [
      'queue  ok: reachable, 0 waiting',
      'bridge  ok: nothing waits for it',
      'dead-letters  ok: none',
    ])
    held.queue = { waiting: 3, inFlight: 0 }
    now += 10_000
    const [young] = await queues.look()
    t.match(young, { state: 'ok', depth: 3, age: 10_000 })
    now += 120_000
    held.dead.waiting = 2
    t.strictSame(brief(await queues.look()), [
      'queue  slow: reachable, 3 waiting',
      'bridge  broken: 3 messages wait in the queue: does the bridge run?',
      'dead-letters  slow: 2 messages could not be brought into a shadow: see npx pesebre dlq list',
    ])
    held.queue = { waiting: 0, inFlight: 4 }
    t.match(brief(await queues.look())[1], 'bridge  broken: the bridge has taken 4 messages and not finished')
    held.queue = { waiting: 0, inFlight: 0 }
    t.match((await queues.look())[0], { state: 'ok', age: 0 })
  },
)

t.test('queue: one that cannot be asked is broken, and the bridge behind it unknown', async (t) => {
  const queues = watchQueues(
    { queue: 'queue', deadLetters: undefined },
    {
      now: Date.now,
      depth: async () => {
        throw Object.assign(new Error('no route\nsecond line'), { name: 'TimeoutError' })
      },
    },
  )
  t.strictSame(brief(await queues.look()), [
    'queue  broken: TimeoutError: no route',
    'bridge  unknown: the queue cannot be asked',
    'dead-letters  unknown: not set up',
  ])
})

t.test('shadow and mqtt', async (t) => {
  t.match(await lookAtShadows({ read: async () => undefined }), { state: 'ok' })
  const away = async () => {
    throw new Error('ECONNREFUSED')
  }
  t.match(await lookAtShadows({ read: away }), { state: 'broken', note: 'ECONNREFUSED' })
  const never = () => new Promise<never>(() => {})
  t.match(await lookAtShadows({ read: never }), { state: 'broken', note: 'no answer within 4 s' })
  t.match(lookAtMqtt({ isLive: true, since: 0 }, 5), { state: 'ok' })
  t.match(lookAtMqtt({ isLive: false, since: 1_000 }, 5_000), { state: 'broken', age: 4_000 })
  t.match(lookAtMqtt(undefined, 0), { state: 'unknown' })
})

t.test(
  'watchHops() keeps the order of the way, since when each is so, and names the first that is broken',
  async (t) => {
    let now = 100
    const state = { queue: 'ok', shadow: 'ok' } as Record<'queue' | 'shadow', Look['state']>
    const look = (hop: 'queue' | 'shadow') => async (): Promise<Look> => ({
      hop,
      id: '',
      state: state[hop],
      note: 'x',
      ms: 1.2345,
    })
    const both = async (): Promise<Look[]> => [
      { hop: 'gateway', id: 'b', state: 'ok', note: '', age: 1500 },
      { hop: 'gateway', id: 'a', state: 'ok', note: '' },
    ]
    const registry = new Registry()
    const told: Hops[] = []
    const watch = watchHops({
      looks: [look('shadow'), look('queue'), both],
      now: () => now,
      isWatched: () => true,
      onHops: (hops) => told.push(hops),
      registry,
      everyMs: 20,
      watchedMs: 20,
    })
    t.teardown(() => watch.close())
    const first = await watch.look()
    t.strictSame(
      first.hops.map(({ hop, id }) => `${hop}${id}`),
      ['gatewaya', 'gatewayb', 'queue', 'shadow'],
    )
    t.match(first, { broken: null, hops: [{}, {}, { since: 100, at: 100, ms: 1.2 }] })
    state.queue = 'broken'
    state.shadow = 'broken'
    now = 200
    while (watch.last().broken === null) await new Promise((resolve) => setTimeout(resolve, 10))
    t.match(watch.last(), {
      broken: 'queue',
      hops: [{ since: 100, at: 200 }, {}, { since: 200 }, { since: 200 }],
    })
    t.ok(told.length > 0)
    const metrics = await registry.metrics()
    t.match(metrics, 'pesebre_hop_state{hop="queue",id=""} 2')
    t.match(metrics, 'pesebre_hop_age_seconds{hop="gateway",id="b"} 1.5')
  },
)
