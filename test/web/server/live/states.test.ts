import t from 'tap'
import { stateTopic } from '../../../../web/server/src/live/documents.ts'
import { createStates, SINGLE_MAX } from '../../../../web/server/src/live/states.ts'
import { type FakeIot, fakeIot } from '../../../fakes/live-web.ts'

function setUp(iot: FakeIot = fakeIot(), lingerMs = 0) {
  const told: string[] = []
  const errors: unknown[] = []
  const states = createStates({
    iot,
    shadows: iot,
    lingerMs,
    onState: ({ thing, state }) => told.push(`${thing} ${JSON.stringify(state)}`),
    onError: (error) => errors.push(error),
  })
  return { iot, states, told, errors }
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 10))

t.test('want() reads the shadow after it has subscribed, and tells each change once', async (t) => {
  const { iot, states, told } = setUp()
  iot.change('bella', { hopper_pct: 1 })
  await states.want('bella').ready
  t.match(states.current('bella'), { state: { hopper_pct: 1 } })
  iot.report('bella', { hopper_pct: 2 })
  t.match(states.current('bella'), { state: { hopper_pct: 2 } })
  t.strictSame(told, ['bella {"hopper_pct":1}', 'bella {"hopper_pct":2}'])
  t.equal(states.current('sol'), undefined)
})

t.test('what is read late does not undo what was heard meanwhile', async (t) => {
  const iot = fakeIot()
  const answer = Promise.withResolvers<void>()
  const read = async (thing: string) => {
    const document = iot.shadows.get(thing)
    await answer.promise
    return document
  }
  iot.change('bella', { hopper_pct: 1 })
  const { states, told } = setUp({ ...iot, read })
  const { ready } = states.want('bella')
  await soon()
  iot.report('bella', { hopper_pct: 2 })
  answer.resolve()
  await ready
  await soon()
  t.strictSame(told, ['bella {"hopper_pct":2}'])
})

t.test('a document that comes late, or twice, is not told', async (t) => {
  const { iot, states, told } = setUp()
  const heard: ((topic: string, payload: Uint8Array) => void)[] = []
  const own = createStates({
    iot: {
      ...iot,
      subscribe(_, handler) {
        heard.push(handler)
        return { ready: Promise.resolve(), stop() {} }
      },
    },
    shadows: iot,
    onState: ({ state }) => told.push(JSON.stringify(state)),
    onError: () => {},
  })
  const document = (version: number) =>
    Buffer.from(JSON.stringify({ current: { version, state: { reported: { version } } } }))
  await own.want('bella').ready
  told.length = 0
  for (const version of [5, 5, 4, 6]) heard[0]!(stateTopic('bella'), document(version))
  for (const text of ['', 'null', '{}', '{"current":null}', '{"current":{"version":"7"}}'])
    heard[0]!(stateTopic('bella'), Buffer.from(text))
  t.strictSame(told, ['{"version":5}', '{"version":6}'])
  own.close()
  states.close()
})

t.test('many things are heard by one filter, since a connection may have 50; few by their own', async (t) => {
  const { iot, states } = setUp()
  const names = Array.from({ length: SINGLE_MAX + 5 }, (_, i) => `feeder-${i}`)
  const wants = names.map((name) => states.want(name))
  await Promise.all(wants.map(({ ready }) => ready))
  t.strictSame(iot.filters(), [stateTopic('+')])
  for (const name of names) iot.report(name, { n: 1 })
  iot.report('stranger', { n: 1 })
  t.ok(names.every((name) => states.current(name)?.state?.['n'] === 1))
  t.equal(states.current('stranger'), undefined)
  for (const { stop } of wants.slice(SINGLE_MAX / 2)) stop()
  await soon()
  await soon()
  t.equal(iot.filters().length, SINGLE_MAX / 2)
  t.notOk(iot.filters().includes(stateTopic('+')))
  iot.report('feeder-0', { n: 2 })
  t.match(states.current('feeder-0'), { state: { n: 2 } })
})

t.test('a thing that nobody watches for a moment is not asked for again', async (t) => {
  const { iot, states } = setUp(fakeIot(), 1_000)
  const first = states.want('bella')
  await first.ready
  first.stop()
  first.stop()
  await states.want('bella').ready
  t.equal(iot.reads(), 1)
  states.close()
})

t.test('after AWS IoT was away everything that is watched is read again, a few at a time', async (t) => {
  const iot = fakeIot()
  let [open, most] = [0, 0]
  const read = async (thing: string) => {
    most = Math.max(most, ++open)
    await soon()
    open--
    return iot.read(thing)
  }
  const { states, told } = setUp({ ...iot, read })
  await Promise.all(Array.from({ length: 100 }, (_, i) => states.want(`f${i}`).ready))
  told.length = 0
  iot.setLive(false)
  for (let i = 0; i < 100; i++) iot.report(`f${i}`, { n: i })
  t.strictSame(told, [])
  iot.setLive(true)
  while (told.length < 100) await soon()
  t.ok(most <= 16, `${most} at a time`)
  t.equal(new Set(told).size, 100)
})

t.test('a shadow that was deleted and made anew is taken, though its version is lower', async (t) => {
  const { iot, states } = setUp()
  for (let i = 0; i < 5; i++) iot.change('bella', { i })
  await states.want('bella').ready
  iot.setLive(false)
  iot.shadows.set('bella', { version: 1, state: { reported: { anew: true } } })
  iot.setLive(true)
  await soon()
  t.match(states.current('bella'), { state: { anew: true } })
})

t.test('AWS IoT that cannot be asked keeps nobody waiting', async (t) => {
  const { states, errors } = setUp({
    ...fakeIot(),
    read: async () => {
      throw new Error('away')
    },
  })
  await states.want('bella').ready
  t.equal(states.current('bella'), undefined)
  t.equal(errors.length, 1)
})
