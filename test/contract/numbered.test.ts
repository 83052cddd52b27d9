import type { Downlink, Uplink } from '@pesebre/contract/check-in'
import {
  nameConfig,
  nameDownlink,
  nameUplink,
  numberDownlink,
  numberUplink,
} from '@pesebre/contract/numbered'
import { Decoder, Encoder } from 'cbor-x'
import t from 'tap'

const asMaps = new Encoder({ mapsAsObjects: false, useRecords: false })
const asObjects = new Decoder({ mapsAsObjects: true, useRecords: false })

const UPLINK: Uplink = {
  state: { hopper_pct: 63, battery_mv: 3912, temp_c: -4.5, fw: 'b3', f77: 1, note: 'x' },
  age_s: 3,
  interval_s: 300,
  config_version: 7,
  changed: false,
  clock: 1_795_000_000,
  outcomes: [
    { n: 41, state: 'done', grams: 500, age_s: 12 },
    { n: 42, state: 'refused', reason: 'gap' },
    { n: 43, state: 'refused', reason: 'r99' },
    { occurrence: 29_909_940, state: 'done', grams: 1_500, age_s: 40 },
  ],
  no_reply: true,
}
const DOWNLINK: Downlink = {
  time: 1_795_000_000,
  commands: [{ n: 44, kind: 'feed', grams: 500, ttl_s: 598 }],
  more: true,
  acked_upto: 43,
  config: {
    version: 8,
    interval_s: 300,
    zone: 'Europe/Madrid',
    schedule: [[420, 1_500, 127]],
    limits: { portion: 2_000, daily: 8_000, gap_s: 60 },
    calibration: 1_085,
  },
  acked_meal: 29_909_940,
  gateways: { version: 1, list: ['a=a.example:5683', 'b=[2001:db8::1]:5683'] },
}

t.test('nameUplink, numberUplink: there and back, through maps, objects and JSON', async (t) => {
  const cbor = asMaps.encode(numberUplink(UPLINK, 'feeder'))
  t.same(nameUplink(asMaps.decode(cbor), 'feeder'), UPLINK)
  t.same(nameUplink(asObjects.decode(cbor), 'feeder'), UPLINK)
  t.same(nameUplink(JSON.parse(JSON.stringify(UPLINK)), 'feeder'), UPLINK)
  t.same(nameUplink({}, 'feeder'), {})
})

t.test('nameUplink: numbered state fields are those of the kind', async (t) => {
  const body = new Map([[0, new Map([[0, 63]])]])
  t.same(nameUplink(body, 'feeder'), { state: { hopper_pct: 63 } })
  t.same(nameUplink(body, 'sensor'), { state: { f0: 63 } })
})

t.test('nameUplink: what it does not know is left out, integers of eight bytes are numbers', async (t) => {
  t.same(
    nameUplink(
      new Map<unknown, unknown>([
        [99, 1],
        ['x', 2],
        [5, 1_795_000_000n],
        [1, null],
      ]),
      'feeder',
    ),
    {
      clock: 1_795_000_000,
    },
  )
})

t.test('nameUplink: says what is wrong, and where', async (t) => {
  const cases: [unknown, string][] = [
    [[], '/: not a map'],
    ['x', '/: not a map'],
    [null, '/: not a map'],
    [new Uint8Array(3), '/: not a map'],
    [{ age_s: -1 }, '/age_s: not an integer from 0 to 2147483647'],
    [{ age_s: 1.5 }, '/age_s: not an integer from 0 to 2147483647'],
    [{ age_s: Number.NaN }, '/age_s: not an integer from 0 to 2147483647'],
    [{ clock: 2n ** 60n }, '/clock: not an integer from 0 to 4294967295'],
    [{ changed: 1 }, '/changed: not true or false'],
    [{ 1: 3, age_s: 3 }, '/age_s: stands there twice'],
    [{ state: 3 }, '/state: not a map'],
    [{ state: { 0: 1, hopper_pct: 2 } }, '/state/hopper_pct: stands there twice'],
    [{ state: JSON.parse('{"__proto__":1}') }, '/state: reserved name: __proto__'],
    [{ state: new Map([[{}, 1]]) }, '/state: key that is neither text nor number'],
    [{ outcomes: {} }, '/outcomes: not a list'],
    [{ outcomes: Array(9).fill({ n: 1, state: 3 }) }, '/outcomes: more than 8'],
    [{ outcomes: [{ state: 3 }] }, '/outcomes/0: neither n nor occurrence'],
    [{ outcomes: [{ n: 1, occurrence: 1, state: 3 }] }, '/outcomes/0: both n and occurrence'],
    [
      { outcomes: [{ occurrence: 0, state: 3 }] },
      '/outcomes/0/occurrence: not an integer from 1 to 4294967295',
    ],
    [{ outcomes: [{ n: 0, state: 3 }] }, '/outcomes/0/n: not an integer from 1 to 4294967295'],
    [
      { outcomes: [{ n: 1, state: 9 }] },
      '/outcomes/0/state: not one of accepted, dispensing, done, partial, jammed, refused, interrupted, expired',
    ],
  ]
  for (const [body, problem] of cases) t.equal(nameUplink(body, 'feeder'), problem)
  t.equal(({} as Record<string, unknown>)['polluted'], undefined)
})

t.test('nameDownlink, numberDownlink: there and back, through maps, objects and JSON', async (t) => {
  const cbor = asMaps.encode(numberDownlink(DOWNLINK))
  t.same(nameDownlink(asMaps.decode(cbor)), DOWNLINK)
  t.same(nameDownlink(asObjects.decode(cbor)), DOWNLINK)
  t.same(nameDownlink(JSON.parse(JSON.stringify(DOWNLINK))), DOWNLINK)
  t.equal(numberDownlink({}).size, 0)
})

t.test('nameDownlink: a command must be whole', async (t) => {
  t.equal(nameDownlink({ commands: [{ n: 1, kind: 'feed', grams: 5 }] }), '/commands/0/ttl_s: missing')
  t.equal(
    nameDownlink({ commands: [{ n: 1, kind: 2, grams: 5, ttl_s: 1 }] }),
    '/commands/0/kind: not one of feed',
  )
})

t.test('nameConfig: refuses slots and zones that no device can follow', async (t) => {
  t.equal(nameConfig({}), '/version: missing')
  t.equal(
    nameConfig({ version: 1, schedule: [[1440, 1, 1]] }),
    '/schedule/0/0: not an integer from 0 to 1439',
  )
  t.equal(nameConfig({ version: 1, schedule: [[1, 1, 0]] }), '/schedule/0/2: not an integer from 1 to 127')
  t.equal(nameConfig({ version: 1, schedule: [[1, 1]] }), '/schedule/0: not a list of minute, grams and days')
  t.match(nameConfig({ version: 1, zone: 'a b' }), /^\/zone: not a text/)
  t.equal(nameConfig({ version: 1, calibration: 0 }), '/calibration: not an integer from 250 to 4000')
})
