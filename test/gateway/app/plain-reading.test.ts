import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { encode } from 'cbor-x'
import fc from 'fast-check'
import t from 'tap'
import { samplesOf } from '../../../gateway/src/app/body.ts'
import { plainReading } from '../../../gateway/src/app/plain-reading.ts'

const odd = {
  weight: 1,
  arbitrary: fc.constantFrom<unknown>(
    2 ** 53,
    10n ** 18n,
    Number.NaN,
    undefined,
    [1],
    { a: 1 },
    new Uint8Array(3),
    'x'.repeat(40),
  ),
}
const oddNames = fc.constantFrom(
  'link',
  '__proto__',
  'constructor',
  'x"y',
  'back\\slash',
  'ünï',
  '',
  ' ',
  '\n',
  '1',
)
const names = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[a-z_]{1,12}$/) },
  { weight: 1, arbitrary: oddNames },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
)
const values = fc.oneof(
  odd,
  {
    weight: 5,
    arbitrary: fc.constantFrom<unknown>(
      0,
      23,
      24,
      255,
      256,
      65_535,
      65_536,
      2 ** 32 - 1,
      2 ** 32,
      -(2 ** 32),
      -0,
      true,
      false,
      null,
    ),
  },
  { weight: 5, arbitrary: fc.integer() },
  { weight: 5, arbitrary: fc.double({ noNaN: true }) },
  { weight: 5, arbitrary: fc.stringMatching(/^[ -~]{0,20}$/) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
)

/** Bodies as devices send them, and some with a byte changed or an end missing. */
const bodies = fc
  .record({
    members: fc.array(fc.tuple(names, values), { maxLength: 8 }),
    place: fc.nat(),
    byte: fc.option(fc.nat(255), { freq: 1 }),
    cut: fc.option(fc.nat(), { freq: 1 }),
  })
  .map(({ members, place, byte, cut }) => {
    const bytes = Uint8Array.from(encode(Object.fromEntries(members)))
    // cbor-x writes the size of a map in two bytes; devices write it into the first one.
    const body =
      bytes[0] === 0xb9 && members.length < 24 ? Uint8Array.of(0xa0 | bytes[2]!, ...bytes.subarray(3)) : bytes
    if (byte !== null) body[place % body.length] = byte
    return cut === null ? body : body.subarray(0, 1 + (cut % body.length))
  })

t.test(
  'plainReading() accepts nothing that the long way refuses, and reads the same out of it',
  async (t) => {
    let plain = 0
    const property = fc.property(bodies, (body) => {
      const json = plainReading(body)
      if (json === undefined) return true
      plain++
      const [sample] = samplesOf(body, CONTENT_FORMAT.CBOR, 0)
      return JSON.stringify(JSON.parse(`${Buffer.from(json)}`)) === JSON.stringify(sample!.state)
    })
    const { failed, counterexample, errorInstance } = fc.check(property, { numRuns: 20_000 })
    t.notOk(failed, `${JSON.stringify(counterexample)} ${String(errorInstance)}`)
    t.ok(plain > 1000, `${plain} of them were plain`)
  },
)

t.test('plainReading() reads what a feeder sends', async (t) => {
  const body = Buffer.from(
    'a36a686f707065725f706374183e6a626174746572795f6d76190e7e64646f6f726473687574',
    'hex',
  )
  t.equal(`${Buffer.from(plainReading(body)!)}`, '{"hopper_pct":62,"battery_mv":3710,"door":"shut"}')
  // The second time its texts are known.
  t.equal(`${Buffer.from(plainReading(body)!)}`, '{"hopper_pct":62,"battery_mv":3710,"door":"shut"}')
})

t.test('plainReading() leaves the rest to the long way', async (t) => {
  const others = [
    '',
    'a0',
    'a1616180',
    'a16161a0',
    'a1616140',
    'a1616161',
    'a161611bffffffffffffffff',
    'a16161f97e00',
    'a161616122',
    'a1646c696e6b01',
    'a2616101616102',
    'bf616101ff',
    'a10102',
    'a1616101ff',
  ]
  for (const hex of others) t.equal(plainReading(Buffer.from(hex, 'hex')), undefined, hex)
})
