import { cpSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openSequence, reserveSequence } from '../../../gateway/src/security/sequence.ts'

const START = Date.UTC(2026, 5, 1)

t.test('numbers rise over crashes and clocks, and none is used without a reservation', async (t) => {
  const dir = t.testdir()
  let now = START
  let highest = -1
  for (let life = 0; life < 30; life++) {
    const reservation = reserveSequence(dir, now)
    const threads = [0, 1].map(() => openSequence(reservation.memory, () => now))
    const began = now
    for (let i = 0; i < 2000; i++) {
      now++
      const number = threads[i % 2]!.take()
      if (typeof number === 'number') {
        if (number <= highest) return t.fail(`${number} after ${highest}`)
        highest = number
      }
      if (i % 100 === 0) reservation.renew()
    }
    if (life > 0) t.ok(highest > began - Date.UTC(2026, 0, 1), 'they go on')
    // A crash. The clock may be a little behind.
    now -= life % 3 === 0 ? 500 : 0
  }
})

t.test('a disk that was put back gives no number twice', async (t) => {
  const dir = t.testdir({ disk: {}, copy: {} })
  let now = START
  const used = new Set<number>()
  let twice = 0
  const live = (): void => {
    const reservation = reserveSequence(join(dir, 'disk'), now)
    const sequence = openSequence(reservation.memory, () => now)
    for (let i = 0; i < 3000; i++) {
      // As fast as it lets us.
      for (let number = sequence.take(); typeof number === 'number'; number = sequence.take()) {
        if (used.has(number)) twice++
        used.add(number)
      }
      now++
      reservation.renew()
    }
  }
  live()
  cpSync(join(dir, 'disk'), join(dir, 'copy'), { recursive: true })
  for (let i = 0; i < 5; i++) {
    live()
    cpSync(join(dir, 'copy'), join(dir, 'disk'), { recursive: true })
  }
  t.equal(twice, 0)
  t.ok(used.size > 10_000, `${used.size} used`)
})

t.test('a clock that was once far ahead does not keep the gateway from speaking for ever', async (t) => {
  const dir = t.testdir()
  const year = 365 * 24 * 3_600_000
  const first = openSequence(reserveSequence(dir, START + year).memory, () => START + year)
  const number = first.take()
  const now = START
  const next = openSequence(reserveSequence(dir, now).memory, () => now).take()
  t.ok(typeof next === 'number' && next > (number as number))
})
