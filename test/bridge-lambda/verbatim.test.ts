import fc from 'fast-check'
import t from 'tap'
import { elementTexts } from '../../bridge-lambda/src/verbatim.ts'

t.test('elementTexts: each element word for word', async (t) => {
  const cases: [why: string, text: string, elements: string[]][] = [
    ['none', '{"records":[]}', []],
    [
      'spaces all over',
      ' { "v" : 1 , "records" : [ {"a" : 1e400} ,\n[1, 2] , "x,]" ] , "z" : {} } ',
      ['{"a" : 1e400}', '[1, 2]', '"x,]"'],
    ],
    ['a key that is there twice', '{"records":[{"a":1,"a":2}]}', ['{"a":1,"a":2}']],
    ['escapes', '{"records":["\\"]","\\\\",{"\\"":"}"}]}', ['"\\"]"', '"\\\\"', '{"\\"":"}"}']],
    ['the key itself escaped', '{"\\u0072ecords":[true,null,-1.5E+3]}', ['true', 'null', '-1.5E+3']],
    ['the same word deeper', '{"v":{"records":[1]},"records":[2]}', ['2']],
    ['the last of two wins', '{"records":[1],"records":[2]}', ['2']],
    ['the same word as a value', '{"v":"records","records":[2]}', ['2']],
  ]
  for (const [why, text, elements] of cases) t.strictSame(elementTexts(text, 'records'), elements, why)
})

t.test('elementTexts: agrees with JSON.parse on generated batches', async (t) => {
  const made = fc.record({ v: fc.jsonValue(), records: fc.array(fc.jsonValue()), z: fc.jsonValue() })
  fc.assert(
    fc.property(made, fc.nat({ max: 3 }), (batch, indent) => {
      const texts = elementTexts(JSON.stringify(batch, null, indent), 'records')
      return JSON.stringify(texts.map((text) => JSON.parse(text))) === JSON.stringify(batch.records)
    }),
    { numRuns: 1_000 },
  )
  t.pass('every batch')
})
