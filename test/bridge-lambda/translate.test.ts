import t from 'tap'
import { poisonOf, translate } from '../../bridge-lambda/src/translate.ts'

const good = (seq: number) =>
  `{"thing":"bella","type":"feeder","seq":${seq},"at":1,"received":2,"state":{"a":${seq}}}`
const batch = (...records: string[]) =>
  `{"v":1,"gateway":"a","batch":"01JD0000000000000000000000","records":[${records.join(', ')}]}`
const read = (body: string) => translate({ id: 'm1', body })

t.test('translate: reports with their gateway', async (t) => {
  const { items, poison } = read(batch(good(1), good(2)))
  t.strictSame(poison, [])
  t.strictSame(
    items.map(({ report, gateway, index }) => [report.seq, gateway, index]),
    [
      [1, 'a', 0],
      [2, 'a', 1],
    ],
  )
})

t.test('translate: what is no batch goes away whole', async (t) => {
  const bodies: [body: string, reason: RegExp][] = [
    ['', /^Read batch as JSON: /],
    ['{"v":1', /^Read batch as JSON: /],
    ['null', /^Read batch: \/ must be object/],
    ['[]', /^Read batch: /],
    ['{"v":2,"gateway":"a","batch":"01JD0000000000000000000000","records":[]}', /^Read batch: \/v /],
    ['{"v":1,"gateway":"A!","batch":"01JD0000000000000000000000","records":[]}', /^Read batch: \/gateway /],
    ['{"v":1,"gateway":"a","batch":"01JD0000000000000000000000","records":{}}', /^Read batch: \/records /],
    [
      '{"v":1,"gateway":"a","batch":"01JD0000000000000000000000","records":[],"__proto__":1}',
      /^Read batch: /,
    ],
    ['['.repeat(30_000), /^Read batch as JSON: /],
  ]
  for (const [body, reason] of bodies) {
    const { items, poison } = read(body)
    t.equal(items.length, 0)
    t.equal(poison.length, 1)
    t.equal(poison[0]?.body, body)
    t.match(poison[0]?.reason, reason)
  }
})

t.test('translate: a bad record stands alone, word for word, with the reason', async (t) => {
  const withState = (state: string) => good(1).replace('{"a":1}', state)
  const records: [record: string, reason: RegExp][] = [
    ['null', /Read record: \/ must be object/],
    ['{"thing":"bella"}', /Read record: \/ must have required/],
    [good(1).replace('bella', 'no such name!'), /Read record: \/thing must match pattern/],
    [good(1).replace('"seq":1', '"seq":-1'), /Read record: \/seq must be >= 0/],
    [good(1).replace('"seq":1', '"seq":9007199254740993'), /Read record: \/seq must be <= /],
    [good(1).replace('"seq":1', '"seq":1, "sec":1'), /Read record: \/sec is not in the contract/],
    [good(1).replace('"seq":1', '"seq":1,"__proto__":{}'), /Read record: \/__proto__ is not in the contract/],
    [withState('{"link":{"seq":99}}'), /key not allowed in state: link/],
    [withState('{"a":{"b":[0,1e400]}}'), /number out of range at \/state\/a\/b\/1/],
    [
      withState(`{"a":${'['.repeat(9_000)}${']'.repeat(9_000)}}`),
      /nested deeper than 32 levels at \/state\/a\/0/,
    ],
    [withState('[1]'), /Read record: \/state must be object/],
  ]
  for (const [record, reason] of records) {
    const { items, poison } = read(batch(good(7), record, good(8)))
    t.strictSame(
      items.map(({ report }) => report.seq),
      [7, 8],
    )
    t.equal(poison.length, 1)
    t.match(poison[0]?.reason, reason)
    t.equal(poison[0]?.body, batch(record))
  }
})

t.test('translate: odd but good', async (t) => {
  const { items, poison } = read(
    batch(good(1).replace('{"a":1}', '{"__proto__":{"x":1},"constructor":null}')),
  )
  t.strictSame(poison, [])
  t.strictSame(Object.keys(items[0]!.report.state!), ['__proto__', 'constructor'])
})

t.test('poisonOf: a batch of one goes away as it came', async (t) => {
  const body = ` ${batch(good(1))} `
  t.equal(poisonOf(translate({ id: 'm1', body }).items[0]!, 'why').body, body)
})
