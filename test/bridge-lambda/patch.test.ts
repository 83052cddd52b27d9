import fc from 'fast-check'
import t from 'tap'
import { withoutNulls } from '../../bridge-lambda/src/json.ts'
import { patchBetween } from '../../bridge-lambda/src/patch.ts'
import { merge } from '../fakes/iot-shadows.ts'

const text = (from: string, to: string) => JSON.stringify(patchBetween(JSON.parse(from), JSON.parse(to)))

t.test('patchBetween: the least that AWS has to merge', async (t) => {
  const cases: [why: string, from: string, to: string, patch: string | undefined][] = [
    ['nothing to write', '{"a":1}', '{"a":1}', undefined],
    ['order of keys is no change', '{"a":[{"x":1,"y":2}]}', '{"a":[{"y":2,"x":1}]}', undefined],
    ['a new key', '{}', '{"a":1}', '{"a":1}'],
    ['a key that is gone', '{"a":1,"b":2}', '{"b":2}', '{"a":null}'],
    ['a nested key that is gone', '{"a":{"x":1,"y":2}}', '{"a":{"y":2}}', '{"a":{"x":null}}'],
    ['an object emptied', '{"a":{"x":1}}', '{"a":{}}', '{"a":{"x":null}}'],
    ['an object for a scalar', '{"a":1}', '{"a":{"x":1}}', '{"a":{"x":1}}'],
    ['a scalar for an object', '{"a":{"x":1}}', '{"a":1}', '{"a":1}'],
    ['arrays are one value', '{"a":[1,2]}', '{"a":[1,3]}', '{"a":[1,3]}'],
    ['a shorter array', '{"a":[1,2]}', '{"a":[1]}', '{"a":[1]}'],
    ['an empty object for an array', '{"a":[]}', '{"a":{}}', '{"a":{}}'],
    [
      'names of Object.prototype',
      '{}',
      '{"constructor":{},"__proto__":{}}',
      '{"constructor":{},"__proto__":{}}',
    ],
    [
      'a prototype name that is gone',
      '{"__proto__":1,"toString":1}',
      '{}',
      '{"__proto__":null,"toString":null}',
    ],
  ]
  for (const [why, from, to, patch] of cases) t.equal(text(from, to), patch, why)
})

t.test('patchBetween: merged under the rules of AWS, it gives the document that was meant', async (t) => {
  const document = fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), fc.jsonValue({ maxDepth: 4 }), {
    maxKeys: 3,
  })
  const asShadow = (value: object) =>
    withoutNulls(JSON.parse(JSON.stringify(value))) as Record<string, unknown>
  fc.assert(
    fc.property(document, document, (one, other) => {
      const [from, to] = [asShadow(one), asShadow(other)]
      const patch = patchBetween(from, to)
      const merged = merge(from, JSON.parse(JSON.stringify(patch ?? {})), false)
      return patchBetween(merged, to) === undefined && patchBetween(to, merged) === undefined
    }),
    { numRuns: 2_000 },
  )
  t.pass('every pair of documents')
})
