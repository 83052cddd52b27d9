import { Encoder } from 'cbor-x'
import t from 'tap'
import { checkInOf } from '../../../gateway/src/app/uplink-body.ts'
import { hex, refusal, utf8 } from './fixtures.ts'

const ARRIVAL = 1_800_000_000_000
const FEEDER = { kind: 'feeder', arrival: ARRIVAL }
const encoder = new Encoder({ mapsAsObjects: false, useRecords: false })

t.test('checkInOf() reads the same uplink out of CBOR with numbers and JSON with names', async (t) => {
  const numbered = new Map<number, unknown>([
    [
      0,
      new Map<number | string, unknown>([
        [0, 80],
        [2, 215],
        [77, 5],
        ['extra', 'x'],
      ]),
    ],
    [1, 30],
    [2, 300],
    [3, 7],
    [4, false],
    [
      6,
      [
        new Map<number, unknown>([
          [0, 4],
          [1, 6],
          [3, 8],
          [4, 10],
        ]),
      ],
    ],
  ])
  const named = {
    state: { hopper_pct: 80, temp_c: 21.5, f77: 5, extra: 'x' },
    age_s: 30,
    interval_s: 300,
    config_version: 7,
    changed: false,
    outcomes: [{ n: 4, state: 'refused', reason: 'latched', age_s: 10 }],
  }
  const { at, json: state, outcomes, uplink } = checkInOf(encoder.encode(numbered), undefined, FEEDER)
  t.equal(at, ARRIVAL - 30_000)
  t.strictSame(JSON.parse(`${Buffer.from(state!)}`), named.state)
  t.strictSame(outcomes, named.outcomes)
  t.match(uplink, { interval_s: 300, config_version: 7, changed: false })
  const json = checkInOf(utf8(JSON.stringify(named)), 50, FEEDER)
  t.strictSame(json.outcomes, outcomes)
  t.match(json.uplink, { age_s: 30, interval_s: 300, config_version: 7, changed: false })
})

t.test('checkInOf() takes a check-in without a state, and without a body', async (t) => {
  for (const payload of [utf8(''), hex('a0'), hex('a1 00 a0'), utf8('{}'), utf8('{"state":{}}')]) {
    const { at, json: state, outcomes } = checkInOf(payload, undefined, FEEDER)
    t.strictSame([at, state, outcomes], [ARRIVAL, undefined, []])
  }
})

t.test('checkInOf() makes one state of a SenML pack: the newest of each name', async (t) => {
  const pack = [
    { n: 'temperature', v: 20, t: -60 },
    { n: 'humidity', v: 50, t: -60 },
    { n: 'temperature', v: 21, t: -10 },
  ]
  const { at, json: state } = checkInOf(utf8(JSON.stringify(pack)), 110, { kind: 'sensor', arrival: ARRIVAL })
  t.equal(at, ARRIVAL - 10_000)
  t.strictSame(JSON.parse(`${Buffer.from(state!)}`), { temperature: 21, humidity: 50 })
})

t.test('checkInOf() refuses what is no uplink', async (t) => {
  const cases: [payload: Uint8Array, format: number | undefined, said: string][] = [
    [hex('80'), 60, '4.00 /: not a map'],
    [hex('a1 01 20'), 60, '4.00 /age_s: not an integer from 0 to 2147483647'],
    [hex('a2 01 05 01 05'), 60, '4.00 Duplicate key in a map'],
    [hex('a1 00 a1 64 6c696e6b a0'), 60, '4.00 Reserved name: link'],
    [hex('a1 00 a1 61 61 f97e00'), 60, '4.00 Number is not finite'],
    [hex('a1 06 81 a1 00 01'), 60, '4.00 /outcomes/0/state: missing'],
    [utf8('{"state":{"__proto__":1}}'), 50, '4.00 /state: reserved name: __proto__'],
    [utf8('21.5'), 0, '4.15 Content-Format must be 60, 50, 112 or 110'],
  ]
  for (const [payload, format, said] of cases)
    t.equal(
      refusal(() => checkInOf(payload, format, FEEDER)),
      said,
    )
})
