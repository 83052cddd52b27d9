import t from 'tap'
import { countMembers, decodeCbor } from '../../../gateway/src/app/cbor.ts'
import { hex, refusal } from './fixtures.ts'

t.test('decodeCbor() reads plain items in every form of their length', async (t) => {
  const cases: [what: string, bytes: string, value: unknown][] = [
    ['a map', 'a2 6161 01 6162 20', { a: 1, b: -1 }],
    ['integer keys', 'a2 00 01 21 02', { '0': 1, '-2': 2 }],
    ['a map of one length byte', 'b801 6161 01', { a: 1 }],
    ['a map of eight length bytes', 'bb0000000000000001 6161 01', { a: 1 }],
    ['a map of indefinite length', 'bf 6161 01 ff', { a: 1 }],
    ['an array of indefinite length', 'a1 6161 9f 01 02 ff', { a: [1, 2] }],
    ['an array of two length bytes', 'a1 6161 990002 01 02', { a: [1, 2] }],
    ['text of four length bytes', 'a1 6161 7a00000003 e282ac', { a: '€' }],
    [
      'half, single, double floats',
      'a1 6161 83 f93e00 fa3fc00000 fb3ff8000000000000',
      { a: [1.5, 1.5, 1.5] },
    ],
    ['NaN and infinities, for toState to refuse', 'a1 6161 82 f97e00 f97c00', { a: [Number.NaN, Infinity] }],
    ['false, true, null, undefined', 'a1 6161 84 f4 f5 f6 f7', { a: [false, true, null, undefined] }],
    ['32 bits', 'a1 6161 82 1affffffff 3affffffff', { a: [2 ** 32 - 1, -(2 ** 32)] }],
    ['64 bits', 'a1 6161 82 1b0000019a00000000 3bffffffffffffffff', { a: [0x19a00000000n, -(2n ** 64n)] }],
    ['bytes', 'a1 6161 42 0102', { a: Buffer.of(1, 2) }],
    ['eight levels below the top', `81 81 81 81 81 81 81 81 01`, [[[[[[[[1]]]]]]]]],
    ['a key that only ends like the reserved one', 'a1 6a785f5f70726f746f5f5f 01', { x__proto__: 1 }],
  ]
  for (const [what, bytes, value] of cases) t.strictSame(decodeCbor(hex(bytes)).value, value, what)
})

t.test('decodeCbor() refuses what is not plain and well-formed', async (t) => {
  const huge = '00 ffffffffffffff'
  const cases: [what: string, bytes: string, refused: string][] = [
    ['nothing', '', 'ends too early'],
    ['bytes after the end', 'a1 6161 01 00', 'bytes after its end'],
    ['nesting of nine levels', `${'81'.repeat(9)}01`, 'nested too deeply'],
    ['nesting of 4,000 levels', `${'81'.repeat(4000)}01`, 'nested too deeply'],
    ['nesting of 4,000 indefinite levels', `${'9f'.repeat(4000)}${'ff'.repeat(4000)}`, 'nested too deeply'],
    ['a huge map', `bb${huge} 6161 01`, 'declares more than it holds'],
    ['a huge array', `9b${huge} 01`, 'declares more than it holds'],
    ['a huge array of four length bytes', '9affffffff 01', 'declares more than it holds'],
    ['huge text', `7b${huge} 61`, 'declares more than it holds'],
    ['huge bytes', `5b${huge} 61`, 'declares more than it holds'],
    ['the largest length', 'a1 6161 5bffffffffffffffff 00', 'declares more than it holds'],
    ['a map that ends after a key', 'a2 6161 01 6162', 'ends too early'],
    ['text of indefinite length', 'a1 6161 7f 6161 ff', 'has a string of indefinite length'],
    ['bytes of indefinite length', 'a1 6161 5f 4101 ff', 'has a string of indefinite length'],
    ['an indefinite map without an end', 'bf 6161 01', 'ends too early'],
    ['an indefinite map that ends after a key', 'bf 6161 ff', 'has a reserved length'],
    ['an indefinite array without an end', '9f 01', 'ends too early'],
    ['an end without a beginning', 'ff', 'has a reserved length'],
    ['an integer of indefinite length', '1f', 'has a reserved length'],
    ['reserved lengths', 'a1 6161 1c', 'has a reserved length'],
    ['a tag: a date', 'a1 6161 c1 1a514b67b0', 'has a tag'],
    ['a tag: a big number', 'a1 6161 c2 4101', 'has a tag'],
    ['a tag of the library itself: a record', 'd9dfff 83 1840 816161 01', 'has a tag'],
    ['a tag around it all', 'd9d9f7 a1 6161 01', 'has a tag'],
    ['text that is not UTF-8', 'a1 6161 62 c328', 'has text that is not UTF-8'],
    ['overlong UTF-8', 'a1 6161 62 c080', 'has text that is not UTF-8'],
    ['a surrogate in UTF-8', 'a1 6161 63 eda080', 'has text that is not UTF-8'],
    ['UTF-8 cut in the middle', 'a1 6161 62 e282', 'has text that is not UTF-8'],
    ['a key that is not UTF-8', 'a1 61ff 01', 'has text that is not UTF-8'],
    ['__proto__', 'a1 695f5f70726f746f5f5f a1 61 78 01', 'has the reserved key __proto__'],
    ['__proto__ with a long length', 'a1 7809 5f5f70726f746f5f5f 01', 'has the reserved key __proto__'],
    ['a key that is bytes', 'a1 4161 01', 'has a key that is neither text nor integer'],
    ['a key that is a list', 'a1 80 01', 'has a key that is neither text nor integer'],
    ['a key that is a map', 'a1 a0 01', 'has a key that is neither text nor integer'],
    ['a key that is true', 'a1 f5 01', 'has a key that is neither text nor integer'],
    ['a simple value of one byte', 'a1 6161 f820', 'has an unknown simple value'],
    ['a simple value', 'a1 6161 e0', 'has an unknown simple value'],
  ]
  for (const [what, bytes, refused] of cases)
    t.equal(
      refusal(() => decodeCbor(hex(bytes))),
      `4.00 CBOR ${refused}`,
      what,
    )
})

t.test('decodeCbor() refuses a body that is cut off, at every byte', async (t) => {
  const whole = hex(
    'a5 6161 190102 6162 fb3ff8000000000000 6163 83 01 63e282ac 43010203 6164 bf 20 f6 ff 04 1affffffff',
  )
  t.equal(decodeCbor(whole).members, 6)
  for (let length = 0; length < whole.length; length++)
    t.match(
      refusal(() => decodeCbor(whole.subarray(0, length))),
      /^4\.00 CBOR /,
      `${length} bytes`,
    )
})

t.test(
  'decodeCbor() counts map entries as declared, so that a key that stands twice is noticed',
  async (t) => {
    const cases: [what: string, bytes: string, members: number, found: number][] = [
      ['no key twice', 'a2 6161 a1 6161 01 6162 81 a1 00 01', 4, 4],
      ['a key twice', 'a2 6161 01 6161 02', 2, 1],
      ['twice in a map inside', 'a1 6161 bf 00 01 00 02 ff', 3, 2],
      ['an integer and its text', 'a2 01 01 6131 02', 2, 1],
      ['one integer in two lengths', 'a2 01 01 1801 02', 2, 1],
    ]
    for (const [what, bytes, members, found] of cases) {
      const decoded = decodeCbor(hex(bytes))
      t.equal(decoded.members, members, what)
      t.equal(countMembers(decoded.value), found, what)
    }
  },
)

t.test('decodeCbor() leaves the bytes alone and needs no Buffer', async (t) => {
  const around = Uint8Array.of(0xff, 0xa1, 0x61, 0x61, 0x42, 1, 2, 0xff)
  const { value } = decodeCbor(around.subarray(1, 7))
  t.strictSame([...(value as { a: Uint8Array }).a], [1, 2])
  t.strictSame([...around], [0xff, 0xa1, 0x61, 0x61, 0x42, 1, 2, 0xff])
})
