import t from 'tap'
import { createBridge } from '../../bridge-lambda/src/bridge.ts'
import { CallError } from '../../bridge-lambda/src/errors.ts'
import type { Ports } from '../../bridge-lambda/src/ports.ts'
import { createFakeClock } from '../fakes/clock.ts'
import { createControls } from '../fakes/iot-controls.ts'
import { createShadows } from '../fakes/iot-shadows.ts'

const BATCH = '01JD0000000000000000000000'

function record(thing: string, seq: number, state: unknown = { seq }): object {
  return { thing, type: 'feeder', seq, at: seq, received: seq, state }
}

function message(id: string, ...records: unknown[]) {
  return { id, body: JSON.stringify({ v: 1, gateway: 'a', batch: BATCH, records }) }
}

function setUp(overrides: Partial<Ports> = {}, concurrency = 4) {
  const shadows = createShadows()
  const controls = createControls()
  const letters: { body: string; reason: string }[] = []
  const warnings: string[] = []
  const clock = createFakeClock()
  const bridge = createBridge(
    {
      getShadow: shadows.getShadow,
      updateShadow: shadows.updateShadow,
      getControl: controls.getControl,
      updateControl: controls.updateControl,
      createThing: async () => {},
      createThingType: async () => {},
      sendToDlq: async ({ body, reason }) => void letters.push({ body, reason }),
      clock,
      log: { debug() {}, warn: (_fields, event) => void warnings.push(event) },
      ...overrides,
    },
    { concurrency, cachedThings: 100, thingsPerSecond: 100, typesPerSecond: 15 },
  )
  return { bridge, shadows, controls, letters, warnings, clock }
}

t.test('createBridge: one poison record in the middle harms nobody', async (t) => {
  const { bridge, shadows, letters } = setUp()
  const failed = await bridge(
    [
      message('m1', record('bella', 1), { thing: 'luna' }, record('milo', 1)),
      { id: 'm2', body: 'not a batch' },
      message('m3', record('luna', 1)),
    ],
    60_000,
  )
  t.strictSame(failed, [])
  for (const thing of ['bella', 'milo', 'luna']) t.match(shadows.reported(thing), { seq: 1 })
  t.strictSame(letters, [
    {
      body: `{"v":1,"gateway":"a","batch":"${BATCH}","records":[{"thing":"luna"}]}`,
      reason: 'Read record: / must have required properties type, seq, at, received',
    },
    { body: 'not a batch', reason: letters[1]?.reason },
  ])
})

t.test(
  'createBridge: what a shadow refuses goes away alone, and can be put back once it is mended',
  async (t) => {
    const { bridge, shadows, letters } = setUp()
    const failed = await bridge(
      [message('m1', record('bella', 1), record('bella', 2, { bad: [null] }), record('bella', 3))],
      60_000,
    )
    t.strictSame(failed, [])
    t.strictSame(shadows.reported('bella'), { seq: 3, link: { at: 3, seq: 3, gateway: 'a' } })
    t.equal(letters.length, 1)
    t.match(letters[0]?.reason, /^Update shadow of bella|State contains an invalid node/)
    const mended = letters[0]!.body.replace('[null]', '[0]')
    t.strictSame(await bridge([{ id: 'm2', body: mended }], 60_000), [])
    t.match(shadows.reported('bella'), { seq: 3, bad: [0], link: { seq: 3, older: { bad: 2 } } })
  },
)

t.test('createBridge: only messages with a report that did not get through come again', async (t) => {
  const { bridge, shadows, warnings } = setUp()
  shadows.hooks.onUpdate = (thing) => {
    if (thing === 'luna') throw new CallError('unavailable', 'Rate exceeded')
  }
  const messages = [
    message('m1', record('bella', 1)),
    message('m2', record('bella', 2), record('luna', 1)),
    message('m3', record('milo', 1)),
    message('m4', record('luna', 2)),
  ]
  t.strictSame((await bridge(messages, 60_000)).sort(), ['m2', 'm4'])
  t.match(shadows.reported('bella'), { seq: 2 })
  t.strictSame(warnings, ['Reports not written: they come again'])
  shadows.hooks.onUpdate = () => {}
  t.strictSame(await bridge(messages, 60_000), [])
  t.match(shadows.reported('luna'), { seq: 2 })
})

t.test('createBridge: poison that cannot be sent away stays with its message', async (t) => {
  const { bridge, shadows } = setUp({
    sendToDlq: async () => Promise.reject(new CallError('unavailable', 'Queue is away')),
  })
  const failed = await bridge(
    [message('m1', record('bella', 1), 5), message('m2', record('luna', 1))],
    60_000,
  )
  t.strictSame(failed, ['m1'])
  t.match(shadows.reported('bella'), { seq: 1 })
})

t.test('createBridge: poison of a message that comes again is not sent yet: no copies pile up', async (t) => {
  const { bridge, shadows, letters } = setUp()
  shadows.hooks.onUpdate = () => {
    throw new CallError('unavailable', 'Rate exceeded')
  }
  for (let n = 0; n < 5; n++)
    t.strictSame(await bridge([message('m1', record('bella', 1), 5)], 60_000), ['m1'])
  t.equal(letters.length, 0)
  shadows.hooks.onUpdate = () => {}
  t.strictSame(await bridge([message('m1', record('bella', 1), 5)], 60_000), [])
  t.equal(letters.length, 1)
})

t.test('createBridge: an error that nobody foresaw fails its messages only', async (t) => {
  const { bridge, shadows } = setUp({
    createThing: async (thing) => {
      if (thing === 'bella') throw new TypeError('Cannot read properties of undefined')
    },
  })
  t.strictSame(await bridge([message('m1', record('bella', 1)), message('m2', record('luna', 1))], 60_000), [
    'm1',
  ])
  t.match(shadows.reported('luna'), { seq: 1 })
})

t.test('createBridge: works on many things at once, but on no more than allowed', async (t) => {
  let out = 0
  let most = 0
  const shadows = createShadows()
  const { bridge } = setUp(
    {
      getShadow: shadows.getShadow,
      updateShadow: async (...args) => {
        most = Math.max(most, ++out)
        await new Promise((resolve) => setImmediate(resolve))
        out--
        return shadows.updateShadow(...args)
      },
    },
    7,
  )
  const records = Array.from({ length: 100 }, (_, n) => record(`thing-${n}`, 1))
  t.strictSame(await bridge([message('m1', ...records)], 60_000), [])
  t.equal(most, 7)
  t.equal(shadows.documents.size, 100)
})

t.test('createBridge: when time runs out, what is not done comes again', async (t) => {
  const { bridge, shadows, clock } = setUp({}, 1)
  shadows.hooks.onUpdate = () => {
    clock.advance(400)
    if (clock.now() > 2_700) throw new CallError('unavailable', 'Aborted')
  }
  const messages = Array.from({ length: 6 }, (_, n) => message(`m${n}`, record(`thing-${n}`, 1)))
  t.strictSame(await bridge(messages, 2_000), ['m2', 'm3', 'm4', 'm5'])
})

t.test('createBridge: an event without messages', async (t) => {
  const { bridge } = setUp()
  t.strictSame(await bridge([], 1_000), [])
})

t.test('createBridge: outcomes go to the control shadow, once, and only where there is one', async (t) => {
  const { bridge, controls, warnings } = setUp()
  const outcomes = [{ n: 1, state: 'done', at: 5 }]
  const said = (thing: string) => ({ ...record(thing, 1), outcomes, sent: 1, config_version: 2 })
  t.same(await bridge([message('m1', said('feeder-00000001'))], 60_000), [])
  t.same(warnings, ['No control shadow: outcomes not kept'])
  t.equal(controls.documents.size, 0)
  controls.write('feeder-00000002', { desired: { enabled: true } })
  t.same(await bridge([message('m2', said('feeder-00000002'))], 60_000), [])
  t.same(await bridge([message('m3', said('feeder-00000002'))], 60_000), [])
  t.same(controls.reported('feeder-00000002'), {
    config: { version: 2, seq: 1 },
    sent: 1,
    outcomes: { last: 1, items: [{ n: 1, state: 'done', at: 5, seq: 1 }] },
  })
  t.equal(controls.counts.updates, 1)
  t.equal(controls.counts.gets, 2, 'the second time from memory')
})

t.test('createBridge: a control shadow that is not to be had brings the message back', async (t) => {
  const down = async () => Promise.reject(new CallError('unavailable', 'down'))
  const { bridge } = setUp({ getControl: down })
  const said = { ...record('feeder-00000001', 1), sent: 1 }
  t.same(await bridge([message('m1', said), message('m2', record('bella', 1))], 1_000), ['m1'])
})
