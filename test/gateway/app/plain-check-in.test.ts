import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { nameUplink } from '@pesebre/contract/numbered'
import { Encoder } from 'cbor-x'
import fc from 'fast-check'
import t from 'tap'
import { decodeBody } from '../../../gateway/src/app/body.ts'
import { plainCheckIn } from '../../../gateway/src/app/plain-check-in.ts'
import { toState } from '../../../gateway/src/app/state.ts'

const encoder = new Encoder({ mapsAsObjects: false, useRecords: false })

const integers = fc.oneof(
  fc.nat(300),
  fc.constantFrom(0, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -1, 999_999_999, 1_000_000_000),
)
const values = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -70_000, max: 70_000 }) },
  { weight: 3, arbitrary: fc.double({ noNaN: true }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(true, false, null, -0, 'shut', 'a "b"', 'ü', [1], Number.NaN),
  },
)
const stateKeys = fc.oneof(
  { weight: 8, arbitrary: fc.nat(12) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>('temp_c', 'hopper_pct', 'door', 'f77', '2', '007', 'link'),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(77, 300, 999_999_999, 1_000_000_000, -1, '__proto__', ''),
  },
)
const states = fc.array(fc.tuple(stateKeys, values), { maxLength: 8 }).map((entries) => new Map(entries))
const fields = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant(0), states) },
  { weight: 5, arbitrary: fc.tuple(fc.constantFrom(1, 2, 3, 5), integers) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(4, 7), fc.boolean()) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom<unknown>(0, 1, 4, 6, 7, 8, 'state', 'age_s'), values) },
)
/** Check-ins, and some with a byte changed, or two fields of one number. */
const bodies = fc
  .record({
    fields: fc.array(fields as fc.Arbitrary<[unknown, unknown]>, { maxLength: 6 }),
    place: fc.nat(),
    byte: fc.option(fc.nat(255), { freq: 1 }),
    isDoubled: fc.boolean(),
  })
  .map(({ fields, place, byte, isDoubled }) => {
    const all = isDoubled ? fields : [...new Map(fields)]
    const parts = all.flatMap(([key, value]) => [encoder.encode(key), encoder.encode(value)])
    const body = Buffer.concat([Uint8Array.of(0xa0 + all.length), ...parts])
    if (byte !== null) body[place % body.length] = byte
    return body
  })

t.test(
  'plainCheckIn() accepts nothing that the long way refuses, and reads the same out of it',
  async (t) => {
    let plain = 0
    const property = fc.property(bodies, fc.constantFrom('feeder', 'sensor'), (body, kind) => {
      const short = plainCheckIn(body, kind)
      if (short === undefined) return true
      plain++
      const uplink = nameUplink(decodeBody(body, CONTENT_FORMAT.CBOR), kind)
      if (typeof uplink === 'string') return false
      const { state, ...rest } = uplink
      const json = state && JSON.stringify(toState(state))
      const isSame =
        short.json === undefined ? json === undefined : sorted(`${Buffer.from(short.json)}`) === sorted(json!)
      return isSame && sorted(JSON.stringify(short.uplink)) === sorted(JSON.stringify(rest))
    })
    const { failed, counterexample, errorInstance } = fc.check(property, { numRuns: 20_000 })
    t.notOk(failed, `${JSON.stringify(counterexample)} ${String(errorInstance)}`)
    t.ok(plain > 1000, `${plain} of them were plain`)
  },
)

t.test('plainCheckIn() reads the ordinary check-in of a feeder', async (t) => {
  const body = encoder.encode(
    new Map<number, unknown>([
      [
        0,
        new Map([
          [0, 63],
          [1, 3912],
          [2, -45],
          [3, -67],
          [4, 4500],
          [6, 0],
        ]),
      ],
      [2, 300],
      [3, 7],
      [4, false],
    ]),
  )
  const { json, uplink } = plainCheckIn(body, 'feeder')!
  t.equal(
    `${Buffer.from(json!)}`,
    '{"hopper_pct":63,"battery_mv":3912,"temp_c":-4.5,"rssi_dbm":-67,"fed_g_today":4500,"jams":0}',
  )
  t.strictSame(uplink, {
    interval_s: 300,
    config_version: 7,
    changed: false,
  })
  t.match(`${Buffer.from(plainCheckIn(body, 'sensor')?.json ?? [])}`, /^\{"f0":63,"f1":3912,"f2":-45,/)
})

t.test('plainCheckIn() leaves the rest to the long way', async (t) => {
  const others = [
    '',
    'a0',
    '80',
    'a1 00 a0',
    'a1 02 00',
    'a1 04 01',
    'a1 06 80',
    'a2 02 05 02 05',
    'a1 02 05 00',
    'a1 02 1b',
    // Floats, which cbor-x does not write as halves: 1, whose two bytes are no argument, as a field, and in the state.
    'a1 02 f9 3c 00',
    'a1 02 fa 3f 80 00 00',
    'a1 02 fb 3f f0 00 00 00 00 00 00',
    'a1 00 a1 00 f9 3c 00',
  ]
  for (const hex of others)
    t.equal(plainCheckIn(Buffer.from(hex.replaceAll(' ', ''), 'hex'), 'feeder'), undefined, hex)
})

/** The order of the keys tells nothing. */
function sorted(json: string): string {
  return JSON.stringify(Object.entries(JSON.parse(json)).sort(([a], [b]) => (a < b ? -1 : 1)))
}
