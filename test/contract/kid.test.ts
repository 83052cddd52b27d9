import {
  deviceOfThing,
  isSecureName,
  kidOf,
  masterSecretInfo,
  thingName,
  thingOfKid,
} from '@pesebre/contract/kid'
import t from 'tap'

t.test('kidOf, thingOfKid: there and back, to the ends of every field', async (t) => {
  for (const kind of ['feeder', 'waterer', 'sensor', 'test'] as const) {
    for (const version of [0, 1, 15]) {
      for (const number of [0, 1, 0x1a2b3c4d, 0x80000000, 0xffffffff]) {
        const thing = thingName(kind, number)
        t.same(thingOfKid(kidOf({ kind, version, number })), { thing, type: kind, version })
        t.same(deviceOfThing(thing), { kind, number })
      }
    }
  }
})

t.test('kidOf: bytes as the contract has them', async (t) => {
  t.same([...kidOf({ kind: 'feeder', version: 1, number: 0x1a2b3c4d })], [0x11, 0x1a, 0x2b, 0x3c, 0x4d])
  t.throws(() => kidOf({ kind: 'feeder', version: 16, number: 0 }), { message: 'Make a kid: version 16' })
  t.throws(() => kidOf({ kind: 'feeder', version: 0, number: 2 ** 32 }), RangeError)
})

t.test('thingOfKid: nobody for another length, an unknown kind, and a camera', async (t) => {
  t.equal(thingOfKid(Uint8Array.of()), undefined)
  t.equal(thingOfKid(Uint8Array.of(0x11, 0, 0, 0)), undefined)
  t.equal(thingOfKid(Uint8Array.of(0x11, 0, 0, 0, 0, 0)), undefined)
  t.equal(thingOfKid(Uint8Array.of(0x01, 0, 0, 0, 0)), undefined)
  t.equal(thingOfKid(Uint8Array.of(0x21, 0, 0, 0, 0)), undefined)
  t.equal(thingOfKid(Uint8Array.of(0xe1, 0, 0, 0, 0)), undefined)
})

t.test('isSecureName: the very form of a registered device', async (t) => {
  t.ok(isSecureName('feeder-1a2b3c4d'))
  t.ok(isSecureName('camera-00000000'))
  for (const name of [
    'feeder-1A2B3C4D',
    'feeder-1a2b3c4',
    'feeder-1a2b3c4d0',
    'my-feeder-1a2b3c4d',
    'demo',
    'x-1a2b3c4d',
  ])
    t.notOk(isSecureName(name), name)
})

t.test('masterSecretInfo: the label, then the kid', async (t) => {
  t.equal(Buffer.from(masterSecretInfo(Uint8Array.of(1, 2))).toString('latin1'), 'pesebre/oscore/1\x01\x02')
})
