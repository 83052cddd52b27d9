import t from 'tap'
import { samplesOf } from '../../../gateway/src/app/body.ts'
import { hex, refusal, utf8 } from './fixtures.ts'

const NOW = 1_700_000_000_000

t.test('samplesOf() reads each of the five formats', async (t) => {
  const cases: [what: string, format: number | undefined, body: Uint8Array, state: object][] = [
    ['60 CBOR', 60, hex('a1 6161 01'), { a: 1 }],
    ['60 CBOR with a time in milliseconds', 60, hex('a1 6161 1b0000018bcfe56800'), { a: NOW }],
    ['50 JSON', 50, utf8('{"a":{"b":[1,null]}}'), { a: { b: [1, null] } }],
    ['50 JSON with white space', 50, utf8(' \r\n{ "a" : 1 }\n'), { a: 1 }],
    ['112 SenML+CBOR', 112, hex('81 a2 00 6161 02 05'), { a: 5 }],
    ['110 SenML+JSON', 110, utf8('[{"n":"a","v":5}]'), { a: 5 }],
    ['0 text', 0, utf8('open'), { value: 'open' }],
    ['0 text that looks like JSON', 0, utf8('{"a":1}'), { value: '{"a":1}' }],
    ['0 text beyond ASCII', 0, utf8('größer 🐴'), { value: 'größer 🐴' }],
    ['none: a brace is JSON', undefined, utf8('{"a":1}'), { a: 1 }],
    ['none: a map is CBOR', undefined, hex('a1 6161 01'), { a: 1 }],
    ['none: an indefinite map is CBOR', undefined, hex('bf 6161 01 ff'), { a: 1 }],
  ]
  for (const [what, format, body, state] of cases)
    t.strictSame(samplesOf(body, format, NOW), [{ at: NOW, state }], what)
})

t.test('samplesOf() makes a number of text only if it would come back as it was', async (t) => {
  const numbers = { '21.5': 21.5, '-3': -3, ' 7\n': 7, '1e3': 1000, '0': 0, '9007199254740991': 2 ** 53 - 1 }
  for (const [text, value] of Object.entries(numbers))
    t.strictSame(samplesOf(utf8(text), 0, NOW)[0]?.state, { value }, text)
  const words = [
    '007',
    '0x1F',
    '+5',
    '1,5',
    '.5',
    '5.',
    '1e400',
    'Infinity',
    'NaN',
    '8988303000000614227',
    '1 2',
    '',
  ]
  for (const text of words) t.strictSame(samplesOf(utf8(`${text} `), 0, NOW)[0]?.state, { value: text }, text)
})

t.test('samplesOf() gives one sample per instant of a pack, oldest first', async (t) => {
  const pack = utf8('[{"n":"a","v":2},{"n":"b","v":3,"t":-10},{"n":"c","v":1}]')
  t.strictSame(samplesOf(pack, 110, NOW), [
    { at: NOW - 10_000, state: { b: 3 } },
    { at: NOW, state: { a: 2, c: 1 } },
  ])
})

t.test('samplesOf() refuses what it cannot read', async (t) => {
  const other = '4.15 Content-Format must be 60, 50, 112, 110 or 0'
  const cases: [what: string, format: number | undefined, body: Uint8Array, refused: string][] = [
    ['an empty body', 50, utf8(''), '4.00 Empty body'],
    ['an empty body without a format', undefined, utf8(''), '4.00 Empty body'],
    ['link format', 40, utf8('</>'), other],
    ['octets', 42, hex('00'), other],
    ['XML', 41, utf8('<a/>'), other],
    ['the highest number', 65_535, hex('a1 6161 01'), other],
    ['a list without a format', undefined, utf8('[{"n":"a","v":1}]'), other],
    ['text without a format', undefined, utf8('21.5'), other],
    ['JSON that breaks off', 50, utf8('{"a":'), '4.00 Body is not valid JSON'],
    ['JSON with more behind it', 50, utf8('{"a":1}}'), '4.00 Body is not valid JSON'],
    ['JSON that is CBOR', 50, hex('a1 6161 18ff'), '4.00 Body is not UTF-8'],
    ['JSON with a control character', 50, utf8('{"a":"\u0001"}'), '4.00 Body is not valid JSON'],
    ['JSON that is no map', 50, utf8('21.5'), '4.00 Body must be a map of names to values'],
    ['JSON with __proto__', 50, utf8('{"__proto__":{"x":1}}'), '4.00 Reserved name: __proto__'],
    ['JSON with 1e400', 50, utf8('{"a":1e400}'), '4.00 Number is not finite'],
    [
      'JSON nested deeply',
      50,
      utf8(`{"a":${'['.repeat(2000)}${']'.repeat(2000)}}`),
      '4.00 Nested deeper than 6 levels',
    ],
    ['JSON with the name of the bridge', 50, utf8('{"link":1}'), '4.00 Reserved name: link'],
    ['CBOR that is JSON', 60, utf8('{"a":1}'), '4.00 CBOR ends too early'],
    ['CBOR with a key twice', 60, hex('a2 6161 01 6161 02'), '4.00 Duplicate key in a map'],
    ['CBOR with NaN', 60, hex('a1 6161 f97e00'), '4.00 Number is not finite'],
    ['CBOR with 2^63', 60, hex('a1 6161 1b8000000000000000'), '4.00 Integer beyond 2^53'],
    ['CBOR that is no map', 60, hex('81 01'), '4.00 Body must be a map of names to values'],
    ['SenML+JSON that is no list', 110, utf8('{"n":"a","v":1}'), '4.00 SenML pack must be an array'],
    ['SenML+CBOR with a key twice', 112, hex('81 a3 00 6161 02 05 02 06'), '4.00 Duplicate key in a map'],
    ['SenML with the name of the bridge', 110, utf8('[{"n":"link","v":1}]'), '4.00 Reserved name: link'],
    ['text that is not UTF-8', 0, hex('c3 28'), '4.00 Body is not UTF-8'],
  ]
  for (const [what, format, body, refused] of cases)
    t.equal(
      refusal(() => samplesOf(body, format, NOW)),
      refused,
      what,
    )
})
