import { SEQUENCE_END, SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import t from 'tap'

t.test('SenderSequence gives each number once, and none that is not reserved', (t) => {
  const sequence = new SenderSequence(5, 7)
  t.equal(sequence.left, 2)
  t.same([sequence.take(), sequence.take(), sequence.take()], [5, 6, 'sequence-unreserved'])
  sequence.reserve(8)
  t.same([sequence.take(), sequence.take()], [7, 'sequence-unreserved'])
  t.equal(sequence.next, 8)
  t.end()
})

t.test('SenderSequence ends before a number comes again', (t) => {
  const sequence = new SenderSequence(2 ** 40 - 2, SEQUENCE_END)
  t.same([sequence.take(), sequence.take()], [2 ** 40 - 2, 2 ** 40 - 1])
  t.same([sequence.take(), sequence.take()], ['sequence-exhausted', 'sequence-exhausted'])
  t.throws(() => sequence.reserve(SEQUENCE_END + 1), RangeError)
  t.equal(new SenderSequence(SEQUENCE_END, SEQUENCE_END).take(), 'sequence-exhausted', 'also after a restart')
  t.end()
})

t.test('SenderSequence goes on in a block of its own when others have the ones between', (t) => {
  const one = new SenderSequence(0, 2)
  const other = new SenderSequence(2, 4)
  const numbers = [one.take(), other.take(), one.take(), other.take()]
  one.reserve(6, 4)
  other.reserve(8, 6)
  numbers.push(one.take(), other.take(), one.take(), one.take(), other.take())
  t.same(numbers, [0, 2, 1, 3, 4, 6, 5, 'sequence-unreserved', 7])
  t.throws(() => one.reserve(8, 5), RangeError, 'back into the last block')
  t.throws(() => one.reserve(8, 9), RangeError)
  t.end()
})

t.test('SenderSequence refuses to go back, and what is no number', (t) => {
  const sequence = new SenderSequence(5, 100)
  for (const limit of [99, 4, 100.5, Number.NaN, 2 ** 41]) t.throws(() => sequence.reserve(limit), RangeError)
  t.equal(sequence.left, 95, 'and is as it was')
  const illegal = [
    [-1, 5],
    [0.5, 5],
    [6, 5],
    [Number.NaN, 5],
    [0, 2 ** 40 + 1],
    [0, Number.NaN],
  ] as const
  for (const [next, limit] of illegal)
    t.throws(() => new SenderSequence(next, limit), RangeError, `${next}, ${limit}`)
  t.end()
})
