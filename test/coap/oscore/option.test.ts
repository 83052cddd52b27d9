import {
  decodeOscoreOption,
  encodeOscoreOption,
  type OscoreOption,
  partialIvLength,
} from '@pesebre/coap/oscore/option'
import fc from 'fast-check'
import t from 'tap'
import { bytes, hex } from './harness.ts'

const golden: readonly [name: string, data: string, option: OscoreOption][] = [
  ['nothing at all', '', {}],
  ['a request with Partial IV and kid', '090525', { partialIv: 5, kid: bytes('25') }],
  ['a request with an empty kid', '0900', { partialIv: 0, kid: bytes('') }],
  [
    'a request with kid context',
    '190508446164726164000025',
    { partialIv: 5, kidContext: bytes('4461647261640000'), kid: bytes('25') },
  ],
  ['a response with Partial IV', '0107', { partialIv: 7 }],
  ['kid alone', '0801', { kid: bytes('01') }],
  ['an empty kid alone', '08', { kid: bytes('') }],
  ['an empty kid context alone', '1000', { kidContext: bytes('') }],
  ['kid context and kid', '1801aabb', { kidContext: bytes('aa'), kid: bytes('bb') }],
  ['a Partial IV of two bytes', '0a010001', { partialIv: 0x100, kid: bytes('01') }],
  ['a Partial IV of four bytes', '0cffffffff', { partialIv: 0xffff_ffff, kid: bytes('') }],
  ['the highest Partial IV', '0dffffffffff10', { partialIv: 2 ** 40 - 1, kid: bytes('10') }],
  ['the lowest of five bytes', '050100000000', { partialIv: 2 ** 32 }],
]

t.test('encodeOscoreOption() and decodeOscoreOption() agree with known bytes', (t) => {
  for (const [name, data, option] of golden) {
    t.equal(hex(encodeOscoreOption(option)), data, `encodes ${name}`)
    t.same(plain(decodeOscoreOption(bytes(data))), plain(option), `decodes ${name}`)
  }
  t.end()
})

const malformed: readonly [name: string, data: string][] = [
  ['a byte of no flags, which has to be left out', '00'],
  ['a byte of no flags and something behind', '0011'],
  ['reserved bit 5', '29'],
  ['reserved bit 5 with all the rest', '290525'],
  ['reserved bit 6', '490525'],
  ['reserved bit 7', '890525'],
  ['all bits', 'ff'],
  ['a Partial IV of length 6', '0e010203040506'],
  ['a Partial IV of length 7', '0f01020304050607'],
  ['a Partial IV that is not there', '09'],
  ['a Partial IV cut short', '0d01020304'],
  ['a Partial IV with a leading zero', '0a000525'],
  ['zero in two bytes', '0a0000'],
  ['the length of kid context missing', '1905'],
  ['kid context cut short', '1905030102'],
  ['kid context without one byte', '100aff'],
  ['a byte behind a Partial IV alone', '010500'],
  ['a byte behind a kid context alone', '1001aabb'],
]

t.test('decodeOscoreOption() refuses what section 6.1 does not allow', (t) => {
  for (const [name, data] of malformed) t.equal(decodeOscoreOption(bytes(data)), undefined, name)
  t.end()
})

t.test('decodeOscoreOption() takes no option that was cut before its kid for the whole', (t) => {
  const whole = encodeOscoreOption({
    partialIv: 0x123456,
    kidContext: bytes('aabbcc'),
    kid: bytes('1011121314'),
  })
  const kidAt = whole.length - 5
  for (let length = 1; length < kidAt; length++)
    t.equal(decodeOscoreOption(whole.subarray(0, length)), undefined, `${length} bytes`)
  for (let length = kidAt; length < whole.length; length++)
    t.equal(
      decodeOscoreOption(whole.subarray(0, length))?.kid?.length,
      length - kidAt,
      `${length} bytes: a shorter kid`,
    )
  t.end()
})

t.test('decodeOscoreOption() never throws, and what it takes has no other form', (t) => {
  let taken = 0
  const data = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc
      .tuple(fc.nat(31), fc.uint8Array({ maxLength: 12 }))
      .map(([flags, rest]) => Uint8Array.of(flags, ...rest)),
  )
  fc.assert(
    fc.property(data, (data) => {
      const option = decodeOscoreOption(data)
      if (option !== undefined) taken++
      return option === undefined || hex(encodeOscoreOption(option)) === hex(data)
    }),
    { numRuns: 5_000, seed: 8613 },
  )
  t.ok(taken > 500, `${taken} of them are options`)
  t.end()
})

t.test('decodeOscoreOption() reads what encodeOscoreOption() writes', (t) => {
  const some = (max: number) => fc.option(fc.uint8Array({ maxLength: max }), { nil: undefined })
  const number = fc.option(
    fc.oneof(
      fc.nat(300),
      fc.maxSafeNat().map((n) => n % 2 ** 40),
    ),
    { nil: undefined },
  )
  fc.assert(
    fc.property(number, some(100), some(100), (partialIv, kidContext, kid) => {
      const option = { partialIv, kidContext, kid }
      return (
        JSON.stringify(plain(decodeOscoreOption(encodeOscoreOption(option)))) ===
        JSON.stringify(plain(option))
      )
    }),
    { seed: 8613 },
  )
  t.pass('for all that was generated')
  t.end()
})

t.test('encodeOscoreOption() throws for what the option cannot hold', (t) => {
  const illegal: readonly [name: string, option: OscoreOption][] = [
    ['Partial IV -1', { partialIv: -1 }],
    ['Partial IV 0.5', { partialIv: 0.5 }],
    ['Partial IV 2^40', { partialIv: 2 ** 40 }],
    ['a value of 256 bytes', { kidContext: new Uint8Array(254) }],
    ['a kid context of 300 bytes', { kidContext: new Uint8Array(300), kid: bytes('01') }],
  ]
  for (const [name, option] of illegal) t.throws(() => encodeOscoreOption(option), RangeError, name)
  t.equal(encodeOscoreOption({ kidContext: new Uint8Array(253) }).length, 255)
  t.end()
})

t.test('partialIvLength() is the shortest length', (t) => {
  const lengths = [0, 1, 255, 256, 65_535, 65_536, 2 ** 24, 2 ** 32 - 1, 2 ** 32, 2 ** 40 - 1].map(
    partialIvLength,
  )
  t.same(lengths, [1, 1, 1, 2, 2, 3, 4, 4, 5, 5])
  t.end()
})

function plain(option: OscoreOption | undefined) {
  return (
    option && {
      partialIv: option.partialIv ?? null,
      kidContext: hex(option.kidContext),
      kid: hex(option.kid),
    }
  )
}
