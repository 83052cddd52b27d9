import t from 'tap'
import type { DeadLetter } from '../../cli/src/dead-letters.ts'
import { bodyOf, reasonOf, showLetterBody, showThings, thingsOf } from '../../cli/src/letter-text.ts'

const letter = (body: string, reason?: string): DeadLetter => ({
  id: 'x',
  body,
  reason,
  sent: 0,
  receipt: 'r',
})
const batch = (...records: unknown[]) => JSON.stringify({ v: 1, records })

t.test('a dead letter is read as far as it can be', async (t) => {
  const cases: [string, string[], string][] = [
    [batch({ thing: 'bella' }), ['bella'], 'bella'],
    [
      batch({ thing: 'bella' }, { thing: 'luna' }, { thing: 'bella' }, { thing: 'sol' }),
      ['bella', 'luna', 'sol'],
      'bella and 2 more',
    ],
    [batch({ thing: 7 }, null, 'x'), [], '(not readable)'],
    ['nonsense', [], '(not readable)'],
    ['null', [], '(not readable)'],
    ['{"records":{}}', [], '(not readable)'],
  ]
  for (const [body, things, shown] of cases) {
    t.strictSame([thingsOf(letter(body)), showThings(letter(body))], [things, shown], body)
  }
  t.equal(reasonOf(letter('', 'bad seq')), 'bad seq')
  t.equal(reasonOf(letter('')), 'given up by SQS after too many deliveries')
  t.equal(showLetterBody(letter('{"a":1}')), '{\n  "a": 1\n}')
  t.equal(showLetterBody(letter('non{sense')), 'non{sense')
  t.strictSame([bodyOf(letter('{"a":1}')), bodyOf(letter('x'))], [{ a: 1 }, 'x'])
})
