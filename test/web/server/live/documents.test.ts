import t from 'tap'
import {
  currentOf,
  stateOf,
  thingOfControl,
  thingOfState,
} from '../../../../web/server/src/live/documents.ts'

t.test('stateOf() tells the device’s word and its time apart', async (t) => {
  const link = { at: 5, seq: 3, gateway: 'a', interval_s: 300, window: {}, older: {} }
  t.strictSame(stateOf('bella', { version: 9, state: { reported: { hopper_pct: 4, link } } }), {
    event: {
      kind: 'state',
      thing: 'bella',
      state: { hopper_pct: 4 },
      at: 5,
      seq: 3,
      interval_s: 300,
      gateway: 'a',
    },
    version: 9,
  })
})

t.test('stateOf() takes the time of a device that writes its own shadow from AWS IoT', async (t) => {
  const metadata = { reported: { a: { timestamp: 10 }, b: { c: { timestamp: 30 }, d: [{ timestamp: 20 }] } } }
  const { event } = stateOf('x', { version: 1, state: { reported: { a: 1, b: {} } }, metadata })
  t.match(event, { at: 30_000, seq: null, gateway: null, interval_s: null })
})

t.test('stateOf() says nothing of what is not there, or is nonsense', async (t) => {
  t.match(stateOf('x', undefined), { event: { state: null, at: null }, version: 0 })
  t.match(stateOf('x', { version: 1, state: { desired: { a: 1 } } }).event, { state: null, at: null })
  const link = { at: -1, seq: 1.5, interval_s: 0, gateway: 7 }
  t.match(stateOf('x', { version: 1, state: { reported: { link } } }).event, {
    state: {},
    at: null,
    seq: null,
    interval_s: null,
    gateway: null,
  })
})

t.test('topics and documents', async (t) => {
  t.equal(thingOfState('$aws/things/a/shadow/update/documents'), 'a')
  t.equal(thingOfState('$aws/things/a/shadow/name/control/update/documents'), undefined)
  t.equal(thingOfControl('$aws/things/a/shadow/name/control/update/documents'), 'a')
  t.equal(thingOfControl('$aws/things/a/b/shadow/name/control/update/documents'), undefined)
  t.match(currentOf(Buffer.from('{"current":{"version":1}}')), { version: 1 })
  for (const text of ['', '1', '{}', '{"current":{}}']) t.equal(currentOf(Buffer.from(text)), undefined)
})
