import { randomBytes } from 'node:crypto'
import { BatchSchema } from '@pesebre/contract/report'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import Value from 'typebox/value'
import { Block, headOf, pack, partOf, recordOf, type Span, thingHash, ulid } from '../../gateway/src/batch.ts'
import {
  type Forwarder,
  type ForwarderSettings,
  type Refusal,
  startForwarder,
} from '../../gateway/src/forwarder.ts'
import { type Journal, openJournal } from '../../gateway/src/journal/journal.ts'
import { createReader } from '../../gateway/src/journal/reader.ts'

type Sent = { thing: string; seq: number }

function report(thing: string, seq: number, pad = ''): string {
  return JSON.stringify({ thing, type: 'x', seq, at: 1, received: 1, state: { pad } })
}

/** A journal in a temporary directory with a forwarder on it; `sqs` decides the fate of each call. */
function forwarding(t: Test, sqs: (records: Sent[][], bodies: Buffer[]) => Promise<Refusal[]>) {
  const dir = t.testdir()
  const journal: Journal = openJournal({ dir, segmentBytes: 50_000, maxBytes: 1e9, sent: () => 0 })
  const invalid: string[] = []
  const failures: Error[] = []
  const positions: number[] = []
  const settings: ForwarderSettings = {
    gateway: 'a',
    reader: createReader(dir, journal.recovered.start),
    committed: journal.committed,
    send: (bodies) =>
      sqs(
        bodies.map((body) => (JSON.parse(body.toString()) as { records: Sent[] }).records),
        bodies,
      ),
    onSent: (position) => positions.push(position),
    onFailure: (error) => failures.push(error),
    onDamage: () => t.fail('no line should be damaged'),
    onInvalid: (json) => invalid.push(json.toString()),
    onBatch: () => {},
    lingerMs: 5,
    now: () => performance.now(),
    epoch: Date.now,
    random: randomBytes,
  }
  const forwarder: Forwarder = startForwarder(settings)
  const finish = async (): Promise<void> => {
    await forwarder.stop(performance.now() + 25_000)
    await journal.close()
  }
  return { journal, forwarder, finish, invalid, failures, positions }
}

function devicesInOrder(sent: Sent[]): boolean {
  const last = new Map<string, number>()
  return sent.every(({ thing, seq }) => {
    const isLater = seq > (last.get(thing) ?? -1)
    last.set(thing, seq)
    return isLater
  })
}

t.test('forwarder sends every report once, in order per device, in bodies of the contract', async (t) => {
  const sent: Sent[] = []
  let isSound = true
  const { journal, finish, positions } = forwarding(t, async (records, bodies) => {
    for (const body of bodies) {
      if (!Value.Check(BatchSchema, JSON.parse(body.toString())) || body.length > 60_200) isSound = false
    }
    if (bodies.length > 10) isSound = false
    sent.push(...records.flat())
    return []
  })
  const texts = Array.from({ length: 5000 }, (_, seq) =>
    report(`thing-${seq % 37}`, seq, 'x'.repeat(seq % 300)),
  )
  await Promise.all(texts.map((text) => journal.append(Buffer.from(text))))
  await finish()
  t.ok(isSound)
  t.same(
    sent.map(({ seq }) => seq).sort((a, b) => a - b),
    texts.map((_, seq) => seq),
  )
  t.ok(devicesInOrder(sent))
  t.equal(positions.at(-1), journal.committed())
})

t.test(
  'forwarder keeps a device in order and loses nothing when calls fail and entries are refused',
  async (t) => {
    const accepted: Sent[] = []
    let calls = 0
    const { journal, finish, failures } = forwarding(t, async (records) => {
      const call = calls++
      if (call % 5 === 1) throw new Error('SQS is away')
      const refused = records.map((_, index) => index).filter((index) => (call + index) % 3 === 0)
      for (const [index, entry] of records.entries()) if (!refused.includes(index)) accepted.push(...entry)
      return refused.map((index) => ({ index, cause: 'later', message: 'busy' }))
    })
    const texts = Array.from({ length: 4000 }, (_, seq) => report(`thing-${seq % 50}`, seq, 'y'.repeat(400)))
    await Promise.all(texts.map((text) => journal.append(Buffer.from(text))))
    await new Promise((resolve) => setTimeout(resolve, 100))
    await finish()
    t.ok(failures.length > 0)
    t.equal(accepted.length, 4000)
    t.ok(devicesInOrder(accepted), 'no report of a device overtook an earlier one')
  },
)

t.test('forwarder does not move the checkpoint past a report that SQS has not taken', async (t) => {
  let isOpen = false
  const { journal, forwarder, finish, positions } = forwarding(t, async (records) =>
    isOpen ? [] : records.map((_, index) => ({ index, cause: 'later', message: 'closed' })),
  )
  await journal.append(Buffer.from(report('a', 1)))
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.same(positions, [])
  t.ok(Date.now() - forwarder.oldestUnsent()! < 60_000)
  isOpen = true
  await finish()
  t.equal(positions.at(-1), journal.committed())
  t.equal(forwarder.oldestUnsent(), undefined)
})

t.test('forwarder sets aside the one report that SQS calls invalid, and sends its neighbours', async (t) => {
  const accepted: Sent[] = []
  const { journal, finish, invalid } = forwarding(t, async (records) => {
    const refusals: Refusal[] = []
    for (const [index, entry] of records.entries()) {
      if (entry.some(({ seq }) => seq === 13))
        refusals.push({ index, cause: 'invalid', message: 'InvalidMessageContents' })
      else accepted.push(...entry)
    }
    return refusals
  })
  await Promise.all(
    Array.from({ length: 100 }, (_, seq) => journal.append(Buffer.from(report(`t${seq}`, seq)))),
  )
  await finish()
  t.same(invalid, [report('t13', 13)])
  t.equal(accepted.length, 99)
})

t.test('forwarder gives up at the deadline of stop when SQS stays away', async (t) => {
  const { journal, forwarder, positions } = forwarding(t, async () => {
    throw new Error('SQS is away')
  })
  await journal.append(Buffer.from(report('a', 1)))
  await forwarder.stop(performance.now() + 30)
  t.same(positions, [])
  await journal.close()
})

t.test('pack keeps every device in one entry and in order, and loses nothing', async (t) => {
  const records = fc.array(fc.record({ device: fc.nat(20), size: fc.integer({ min: 20, max: 900 }) }), {
    maxLength: 200,
  })
  const property = fc.property(records, fc.integer({ min: 500, max: 3000 }), (given, maxBytes) => {
    const block = new Block()
    const texts = given.map(({ device, size }, i) => report(`device-${device}`, i).padEnd(size))
    const spans = texts.map((_, i): Span => ({ end: i, open: 1, bytes: 0, readAt: 0 }))
    for (const [i, text] of texts.entries()) {
      const json = Buffer.from(text)
      block.append(json, thingHash(json), spans[i]!)
    }
    const rest = new Block()
    const head = (): string => headOf('a', ulid(0, new Uint8Array(10)))
    // One byte too few, or one entry written into its neighbour, and a body is no JSON any more.
    const entries = pack(block, { rest, head, memory: (bytes) => Buffer.alloc(bytes), maxBytes })
    const parsed = entries.map(({ body }) => (JSON.parse(body.toString()) as { records: Sent[] }).records)
    const left = Array.from({ length: rest.count }, (_, i) => JSON.parse(rest.record(i).toString()) as Sent)
    const all = [...parsed.flat(), ...left].map(({ seq }) => seq).sort((a, b) => a - b)
    if (all.join() !== given.map((_, i) => i).join()) return false
    const home = new Map<string, number>()
    for (const [i, entry] of entries.entries()) {
      const found = parsed[i]!
      if (entry.body.length - head().length - 1 > maxBytes && found.length > 1) return false
      if (!found.every(({ seq }, k) => entry.spans[k] === spans[seq])) return false
      if (!found.every(({ seq }, k) => recordOf(entry, k).toString() === texts[seq])) return false
      for (const part of found.length > 1 ? [[0, 1] as const, [1, found.length] as const] : []) {
        const { body, spans } = partOf(entry, [...part], head())
        const again = (JSON.parse(body.toString()) as { records: Sent[] }).records
        if (
          again.map(({ seq }) => seq).join() !==
          found
            .slice(...part)
            .map(({ seq }) => seq)
            .join()
        )
          return false
        if (spans.length !== again.length) return false
      }
      for (const { thing } of found) {
        if ((home.get(thing) ?? i) !== i) return false
        home.set(thing, i)
      }
    }
    if (!left.every(({ seq }, k) => rest.spans[k] === spans[seq])) return false
    return devicesInOrder([...parsed.flat(), ...left]) && (entries.length > 0 || given.length === 0)
  })
  const { failed, counterexample } = fc.check(property)
  t.notOk(failed, JSON.stringify(counterexample))
})

t.test('ulid is 26 characters of Crockford base 32, ordered by time', async (t) => {
  t.match(ulid(Date.now(), randomBytes(10)), /^[0-9A-HJKMNP-TV-Z]{26}$/)
  t.equal(ulid(0, new Uint8Array(10)), '0'.repeat(26))
  t.equal(ulid(2 ** 48 - 1, new Uint8Array(10).fill(255)), `7${'Z'.repeat(25)}`)
  t.ok(ulid(1000, randomBytes(10)) < ulid(1001, randomBytes(10)))
})
