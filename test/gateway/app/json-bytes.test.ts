import fc from 'fast-check'
import t from 'tap'
import { JsonBytes } from '../../../gateway/src/app/json-bytes.ts'

t.test('number() writes what JSON.stringify() does', async (t) => {
  const json = new JsonBytes()
  const written = (value: number): string => {
    json.begin()
    json.number(value)
    return `${Buffer.from(json.done())}`
  }
  const ends = [
    0,
    -0,
    9,
    10,
    999_999_999,
    1e9,
    1e9 + 1,
    10_000_000_009,
    Number.MAX_SAFE_INTEGER,
    2 ** 53,
    1e21,
  ]
  for (const value of ends) t.equal(written(value), JSON.stringify(value))
  const values = fc.oneof(
    fc.maxSafeNat(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  )
  fc.assert(
    fc.property(values, (value) => written(value) === JSON.stringify(value)),
    { numRuns: 5_000 },
  )
})

t.test('what is longer than its memory is whole, and begin() forgets it', async (t) => {
  const json = new JsonBytes()
  const long = 'x'.repeat(700)
  json.begin()
  for (let i = 0; i < 5; i++) json.ascii(long)
  json.copy(Buffer.from(long))
  json.number(7)
  t.equal(`${Buffer.from(json.done())}`, `${long.repeat(6)}7`)
  json.begin()
  t.equal(json.done().length, 0)
})
