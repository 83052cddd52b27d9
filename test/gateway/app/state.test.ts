import { STATE_DEPTH_MAX } from '@pesebre/contract/limits'
import t from 'tap'
import { toState } from '../../../gateway/src/app/state.ts'
import { refusal } from './fixtures.ts'

/** {"a":{"a":...{}}}, so that its maps stand `levels` deep. */
function nested(levels: number): unknown {
  return JSON.parse(`${'{"a":'.repeat(levels - 1)}{"a":1}${'}'.repeat(levels - 1)}`)
}

function members(count: number): Record<string, unknown> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]))
}

t.test('toState() takes whatever JSON and a shadow can hold', async (t) => {
  const cases: [what: string, body: unknown, state: unknown][] = [
    ['numbers, text, booleans', { a: 1, b: -0.5, c: 'x', d: true }, { a: 1, b: -0.5, c: 'x', d: true }],
    ['null: removes a key from the shadow', { a: null }, { a: null }],
    ['undefined of CBOR as null', { a: undefined }, { a: null }],
    ['maps and arrays', { a: { b: [1, { c: null }] } }, { a: { b: [1, { c: null }] } }],
    ['an empty map inside', { a: {} }, { a: {} }],
    ['byte strings as base64url, without padding', { a: Uint8Array.of(0xfb, 0xff, 0) }, { a: '-_8A' }],
    ['an empty byte string', { a: new Uint8Array(0) }, { a: '' }],
    ['byte strings in arrays', { a: [Buffer.from('hi')] }, { a: ['aGk'] }],
    ['bigints that are safe', { a: 2n ** 53n - 1n, b: [-5n] }, { a: 2 ** 53 - 1, b: [-5] }],
    ['names of object members', { constructor: 1, toString: 2 }, { constructor: 1, toString: 2 }],
    ['a name that is empty', { '': 1 }, { '': 1 }],
    ['"link" below the top', { a: { link: 1 } }, { a: { link: 1 } }],
    ['as deep as a shadow allows', nested(STATE_DEPTH_MAX), nested(STATE_DEPTH_MAX)],
    ['512 values', members(512), members(512)],
  ]
  for (const [what, body, state] of cases) t.strictSame(toState(body), state, what)
})

t.test('toState() refuses what a later hop could not hold', async (t) => {
  const deepArray = { a: JSON.parse('['.repeat(STATE_DEPTH_MAX) + ']'.repeat(STATE_DEPTH_MAX)) as unknown }
  const cases: [what: string, body: unknown, refused: string][] = [
    ['a list', [1], '4.00 Body must be a map of names to values'],
    ['text', 'x', '4.00 Body must be a map of names to values'],
    ['null', null, '4.00 Body must be a map of names to values'],
    ['a byte string', new Uint8Array(2), '4.00 Body must be a map of names to values'],
    ['nothing', {}, '4.00 Empty map: nothing to report'],
    ['the name that the bridge uses', { link: 1 }, '4.00 Reserved name: link'],
    ['__proto__', JSON.parse('{"__proto__":{"admin":true}}'), '4.00 Reserved name: __proto__'],
    ['__proto__ below the top', JSON.parse('{"a":[{"__proto__":1}]}'), '4.00 Reserved name: __proto__'],
    ['1e400', JSON.parse('{"a":1e400}'), '4.00 Number is not finite'],
    ['NaN in an array', { a: [Number.NaN] }, '4.00 Number is not finite'],
    ['2^53', { a: 2n ** 53n }, '4.00 Integer beyond 2^53'],
    ['-2^64', { a: -(2n ** 64n) }, '4.00 Integer beyond 2^53'],
    ['maps one too deep', nested(STATE_DEPTH_MAX + 1), '4.00 Nested deeper than 6 levels'],
    ['arrays one too deep', deepArray, '4.00 Nested deeper than 6 levels'],
    ['513 values', members(513), '4.00 More than 512 values'],
    ['513 elements', { a: new Array(513).fill(1) }, '4.00 More than 512 values'],
    ['a function', { a: () => 1 }, '4.00 Value of a kind that JSON does not have'],
    ['a symbol', { a: Symbol('s') }, '4.00 Value of a kind that JSON does not have'],
  ]
  for (const [what, body, refused] of cases)
    t.equal(
      refusal(() => toState(body)),
      refused,
      what,
    )
  t.notOk('admin' in {}, 'no prototype was touched')
})

t.test('toState() refuses a body whose map declared more entries than it has', async (t) => {
  t.strictSame(toState({ a: 1, b: { c: 2 } }, 3), { a: 1, b: { c: 2 } })
  t.equal(
    refusal(() => toState({ a: 1, b: { c: 2 } }, 4)),
    '4.00 Duplicate key in a map',
  )
})

t.test('toState() survives nesting of any depth', async (t) => {
  const depth = 100_000
  const body = { a: JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown }
  t.equal(
    refusal(() => toState(body)),
    '4.00 Nested deeper than 6 levels',
  )
})
