import { createDigest } from '@pesebre/coap/endpoint/messaging/digest'
import { REPLY, Recent } from '@pesebre/coap/endpoint/messaging/recent'
import fc from 'fast-check'
import t from 'tap'
import { seedOf } from '../harness.ts'
import { generator } from '../network.ts'

const digest = createDigest(seedOf(1))

function recentOf(
  exchangeLifetimeMs: number,
  exchangesMax: number,
  answerBytesMax: number,
  preallocate = false,
) {
  return new Recent({ exchangeLifetimeMs, exchangesMax, answerBytesMax, preallocate })
}

function named(name: number): typeof digest {
  digest.update('192.0.2.1', 5683, Uint8Array.of(name, name >> 8, name >> 16))
  return digest
}

t.test('find(), add() and settle() behave like a map with a lifetime and a limit', (t) => {
  const step = fc.record({ name: fc.nat({ max: 60 }), wait: fc.constantFrom(0, 1, 64, 500, 3_000) })
  const histories = fc.record({
    steps: fc.array(step, { minLength: 100, maxLength: 600 }),
    capacity: fc.constantFrom(16, 64, 512),
    preallocate: fc.boolean(),
  })
  const lifetime = 10_000
  fc.assert(
    fc.property(histories, ({ steps, capacity, preallocate }) => {
      const recent = recentOf(lifetime, capacity, 1024, preallocate)
      const model: { name: number; at: number; code: number }[] = []
      let now = 1e6
      steps.forEach(({ name, wait }, code) => {
        now += wait
        const held = model
          .slice(-capacity)
          .findLast((entry) => entry.name === name && now - entry.at < lifetime + 64)
        const slot = recent.find(named(name), 7, now)
        if (slot >= 0) {
          if (held === undefined || recent.code(slot) !== held.code)
            throw new Error('found what is not there')
          return
        }
        if (held !== undefined && now - held.at < lifetime - 64) throw new Error('lost what is there')
        const serial = recent.add(named(name), 7, now)
        recent.settle(serial, REPLY.NON, code & 255, code)
        model.push({ name, at: now, code: code & 255 })
        const found = recent.find(named(name), 7, now)
        if (found < 0 || recent.messageId(found) !== code || recent.reply(found) !== REPLY.NON)
          throw new Error('not kept')
      })
      return recent.count <= capacity
    }),
    { numRuns: 100 },
  )
  t.pass('as the model')
  t.end()
})

t.test('the check word tells two messages of equal digest apart', (t) => {
  const recent = recentOf(1_000, 16, 0)
  recent.add(named(1), 1, 0)
  t.equal(recent.find(named(1), 2, 0), -1)
  t.equal(recent.find(named(1), 1, 0), 0)
  t.end()
})

t.test('settle() after the entry had to go touches nothing', (t) => {
  const recent = recentOf(1_000, 16, 64)
  const first = recent.add(named(0), 0, 0)
  for (let name = 1; name <= 16; name++) recent.settle(recent.add(named(name), 0, 0), REPLY.ACK, name)
  recent.settle(first, REPLY.RESET)
  recent.settleBytes(first, Uint8Array.of(1))
  t.equal(recent.evicted, 1)
  for (let name = 1; name <= 16; name++) t.equal(recent.code(recent.find(named(name), 0, 0)), name)
  t.end()
})

t.test('reopen() gives the serial number of the slot, also when the table is full', (t) => {
  const recent = recentOf(1_000, 16, 0)
  for (let name = 0; name < 40; name++) recent.settle(recent.add(named(name), 0, 0), REPLY.ACK, name)
  for (let name = 24; name < 40; name++) {
    const serial = recent.reopen(recent.find(named(name), 0, 0))
    t.equal(recent.reply(recent.find(named(name), 0, 0)), REPLY.PENDING)
    recent.settle(serial, REPLY.ACK, name + 100)
    t.equal(recent.code(recent.find(named(name), 0, 0)), name + 100)
  }
  t.end()
})

t.test('memory is taken as it is needed, and no more', (t) => {
  const recent = recentOf(247_000, 1 << 16, 1 << 20)
  t.ok(recent.bytes < 20_000, 'little at first')
  for (let name = 0; name < 200_000; name++) recent.add(named(name), 0, name)
  t.equal(recent.count, 1 << 16)
  t.equal(recent.bytes, (1 << 16) * 48)
  t.end()
})

t.test('expired entries make room before others have to go', (t) => {
  const recent = recentOf(1_000, 16, 0)
  for (let name = 0; name < 1_000; name++) recent.add(named(name), 0, name * 100)
  t.equal(recent.evicted, 0)
  t.ok(recent.count <= 16)
  t.end()
})

t.test('answers come back as they were put, through growth and overwriting', (t) => {
  const random = generator(5)
  const recent = recentOf(1e9, 4096, 40_000)
  const kept: { name: number; bytes: Uint8Array }[] = []
  for (let name = 0; name < 3_000; name++) {
    const bytes = Uint8Array.from({ length: 1 + random() * 120 }, () => random() * 256)
    recent.settleBytes(recent.add(named(name), 0, 0), bytes)
    kept.push({ name, bytes })
  }
  let found = 0
  let size = 0
  for (const { name, bytes } of kept.toReversed()) {
    const held = recent.kept(recent.find(named(name), 0, 0))
    if (held === undefined) break
    t.same(held, bytes)
    found++
    size += bytes.length
  }
  t.ok(size > 30_000 && size <= 40_000, `${found} answers of ${size} bytes`)
  const gone = kept.slice(0, kept.length - found)
  t.notOk(gone.some(({ name }) => recent.kept(recent.find(named(name), 0, 0)) !== undefined))
  t.end()
})

t.test('preallocate takes all memory at once, and no more of it later', (t) => {
  const recent = recentOf(247_000, 4096, 40_000, true)
  const { bytes } = recent
  for (let i = 0; i < 10_000; i++) recent.settleBytes(recent.add(named(i), 1, i), new Uint8Array(20))
  t.equal(recent.bytes, bytes)
  t.equal(recent.count, 4096)
  t.end()
})
