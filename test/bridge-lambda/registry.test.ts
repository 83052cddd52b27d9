import t from 'tap'
import { CallError } from '../../bridge-lambda/src/errors.ts'
import type { Ports } from '../../bridge-lambda/src/ports.ts'
import { createRegistry } from '../../bridge-lambda/src/registry.ts'
import { createFakeClock } from '../fakes/clock.ts'

function setUp(overrides: Partial<Ports> = {}) {
  const calls: string[] = []
  const warnings: object[] = []
  const clock = createFakeClock()
  const ensureThing = createRegistry(
    {
      createThing: async (thing, type) => void calls.push(`thing ${thing} ${type} @${clock.now()}`),
      createThingType: async (type) => void calls.push(`type ${type} @${clock.now()}`),
      clock,
      log: { debug() {}, warn: (fields) => void warnings.push(fields) },
      ...overrides,
    },
    { thingsPerSecond: 100, typesPerSecond: 10 },
  )
  const limits = { deadline: 10_000, signal: new AbortController().signal }
  return { calls, warnings, clock, limits, ensureThing }
}

t.test('createRegistry: the type first, once; then its things', async (t) => {
  const { ensureThing, calls, limits } = setUp()
  await Promise.all([ensureThing('bella', 'feeder', limits), ensureThing('luna', 'feeder', limits)])
  await ensureThing('milo', 'feeder', limits)
  t.strictSame(
    calls.map((call) => call.split(' @')[0]),
    ['type feeder', 'thing bella feeder', 'thing luna feeder', 'thing milo feeder'],
  )
})

t.test('createRegistry: keeps to the rates', async (t) => {
  const { ensureThing, calls, limits } = setUp()
  for (let n = 0; n < 4; n++) await ensureThing(`thing-${n}`, `type-${n}`, limits)
  const moments = (kind: string) =>
    calls.filter((call) => call.startsWith(kind)).map((call) => Number(call.split('@')[1]) - 1_000)
  t.strictSame(moments('type'), [0, 100, 200, 300])
  t.strictSame(moments('thing'), [0, 100, 200, 300], 'a thing of a new type waits for the type')
})

t.test('createRegistry: what is there already is no error; another type is kept and told', async (t) => {
  const { ensureThing, warnings, limits } = setUp({
    createThing: async (thing) => Promise.reject(new CallError('exists', `Thing ${thing} already exists`)),
    createThingType: async () => Promise.reject(new CallError('exists', 'Type already exists')),
  })
  await ensureThing('bella', 'feeder', limits)
  t.strictSame(warnings, [{ thing: 'bella', type: 'feeder' }])
})

t.test('createRegistry: throttled, it tries again; a type that failed is not remembered', async (t) => {
  let fails = 3
  const { ensureThing, calls, limits, clock } = setUp({
    createThingType: async () => {
      if (fails-- > 0) throw new CallError('unavailable', 'Rate exceeded')
    },
  })
  await ensureThing('bella', 'feeder', limits)
  t.equal(calls.length, 1)
  t.ok(clock.slept.length >= 3)
  fails = 100
  await t.rejects(ensureThing('luna', 'camera', limits), { code: 'unavailable' })
  fails = 0
  clock.advance(-clock.now() + 1_000)
  await ensureThing('luna', 'camera', { ...limits, deadline: 60_000 })
  t.match(calls.at(-1), 'thing luna camera')
})

t.test('createRegistry: a type that was deleted meanwhile is made again next time', async (t) => {
  const types = new Set<string>()
  const { ensureThing, limits } = setUp({
    createThingType: async (type) => void types.add(type),
    createThing: async (_thing, type) => {
      if (!types.has(type)) throw new CallError('missing', `No thing type ${type}`)
    },
  })
  await ensureThing('bella', 'feeder', limits)
  types.clear()
  await t.rejects(ensureThing('luna', 'feeder', limits), { code: 'unavailable' })
  await ensureThing('luna', 'feeder', limits)
})

t.test(
  'createRegistry: more new things than the time allows: the rest must come again, without a call',
  async (t) => {
    const { ensureThing, calls, limits, clock } = setUp()
    const deadline = clock.now() + 95
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (_, n) => ensureThing(`thing-${n}`, 'feeder', { ...limits, deadline })),
    )
    t.equal(results.filter(({ status }) => status === 'fulfilled').length, 10)
    t.equal(calls.length, 1 + 10)
  },
)
