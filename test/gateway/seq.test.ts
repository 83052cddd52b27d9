import t from 'tap'
import { createSeq } from '../../gateway/src/seq.ts'

const NOW = 1_700_000_000_000

function rises(numbers: number[]): boolean {
  return numbers.every((number, i) => i === 0 || number > numbers[i - 1]!)
}

t.test('createSeq() rises with the clock, and also while it stands still or runs back', async (t) => {
  let now = NOW
  const { next, last } = createSeq({ worker: 0, workers: 1, last: 0, clock: () => now })
  const numbers: number[] = []
  for (const step of [0, 0, 1, 0, 5, -3_600_000, 0, 0, 1, 3_600_010, -1, 1]) {
    now += step
    for (let i = 0; i < 3000; i++) numbers.push(next())
  }
  t.ok(rises(numbers))
  t.equal(numbers[0], NOW * 1024)
  t.equal(last(), numbers.at(-1))
  t.ok(numbers.every(Number.isSafeInteger))
})

t.test('createSeq() goes on above what an earlier run gave out, whatever the clock says', async (t) => {
  const last = (NOW + 60_000) * 1024 + 5
  for (const workers of [1, 2, 3])
    for (let worker = 0; worker < workers; worker++) {
      const seq = createSeq({ worker, workers, last, clock: () => NOW })
      t.equal(seq.last(), last)
      const first = seq.next()
      t.ok(first > last && first <= last + workers)
    }
})

t.test('createSeq() gives two workers never the same number, for every count of workers', async (t) => {
  for (const workers of [2, 3, 5, 7, 8, 12, 63, 64]) {
    let now = NOW
    const seqs = Array.from({ length: workers }, (_, worker) =>
      createSeq({ worker, workers, last: worker * 7, clock: () => now }),
    )
    const numbers: number[] = []
    for (let ms = 0; ms < 20; ms++) {
      now = NOW + [0, 0, 1, 1, 7, 3, 2, 40][ms % 8]!
      // More in a millisecond than it has numbers, so that they run ahead of the clock.
      for (const { next } of seqs) for (let i = 0; i < 40; i++) numbers.push(next())
    }
    t.equal(new Set(numbers).size, numbers.length, `${workers} workers`)
  }
})

t.test('createSeq() of another worker is not behind by more than the moment', async (t) => {
  // A device that changes its port may come to another worker: its later report must have the higher number.
  let now = NOW
  const [one, other] = [0, 1].map((worker) => createSeq({ worker, workers: 2, last: 0, clock: () => now }))
  const before = one!.next()
  now += 1
  t.ok(other!.next() > before)
})
