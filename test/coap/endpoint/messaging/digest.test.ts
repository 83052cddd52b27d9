import { createDigest } from '@pesebre/coap/endpoint/messaging/digest'
import { MessageIds } from '@pesebre/coap/endpoint/messaging/message-ids'
import { Random } from '@pesebre/coap/endpoint/messaging/random'
import t from 'tap'
import { seedOf } from '../harness.ts'

function digestOf(address: string, port: number, bytes: Uint8Array, seed = 1): string {
  const digest = createDigest(seedOf(seed))
  digest.update(address, port, bytes)
  return `${digest.low} ${digest.high}`
}

t.test('update() is HalfSipHash-1-3: the reference construction over the same words', (t) => {
  const bytes = Uint8Array.from({ length: 11 }, (_, at) => at * 37)
  const address = '10.0.0.1'
  t.equal(digestOf(address, 5683, bytes), reference(address, 5683, bytes))
  t.equal(digestOf('', 0, new Uint8Array(0)), reference('', 0, new Uint8Array(0)))
  t.equal(
    digestOf('2001:db8::1', 65_535, bytes.subarray(0, 8)),
    reference('2001:db8::1', 65_535, bytes.subarray(0, 8)),
  )
  t.end()
})

t.test('every bit that goes in changes what comes out', (t) => {
  const base = Uint8Array.from({ length: 21 }, (_, at) => at)
  const seen = new Set([digestOf('192.0.2.1', 5683, base)])
  for (let bit = 0; bit < base.length * 8; bit++) {
    const changed = base.slice()
    changed[bit >> 3]! ^= 1 << (bit & 7)
    seen.add(digestOf('192.0.2.1', 5683, changed))
  }
  for (let bit = 0; bit < 16; bit++) seen.add(digestOf('192.0.2.1', 5683 ^ (1 << bit), base))
  for (let length = 0; length < base.length; length++)
    seen.add(digestOf('192.0.2.1', 5683, base.subarray(0, length)))
  for (const address of ['192.0.2.2', '192.0.2.11', '::192.0.2.1', '192.0.2.', ''])
    seen.add(digestOf(address, 5683, base))
  seen.add(digestOf('192.0.2.1', 5683, base, 2))
  t.equal(seen.size, 1 + 21 * 8 + 16 + 21 + 5 + 1)
  t.end()
})

t.test('a quarter of a million digests: none is equal to another, and each half is spread evenly', (t) => {
  const digest = createDigest(seedOf(3))
  const lows = new Set<number>()
  const buckets = new Uint32Array(16)
  for (let n = 0; n < 250_000; n++) {
    digest.update('192.0.2.1', 5683, Uint8Array.of(n, n >> 8, n >> 16))
    lows.add(digest.low * 2 ** 32 + (digest.high >>> 0))
    buckets[digest.low >>> 28]!++
    buckets[digest.high >>> 28]!++
  }
  t.equal(lows.size, 250_000)
  for (const count of buckets) t.ok(Math.abs(count - 31_250) < 1_500, String(count))
  t.end()
})

t.test('Random: equal seeds give equal numbers, others do not', (t) => {
  const draw = (seed: number): number[] => {
    const random = new Random(Uint8Array.from({ length: 16 }, () => seed))
    return Array.from({ length: 300 }, () => random.bits())
  }
  t.same(draw(1), draw(1))
  t.notSame(draw(1), draw(2))
  t.equal(new Set([...draw(1), ...draw(2)]).size, 600)
  const random = new Random(new Uint8Array(16))
  for (let n = 0; n < 100; n++) {
    const fraction = random.fraction()
    t.ok(fraction >= 0 && fraction < 1)
  }
  t.end()
})

t.test('MessageIds: one peer sees each id once in 65,536, wherever it begins', (t) => {
  const ids = new MessageIds(new Random(new Uint8Array(16).fill(9)))
  const digest = createDigest(new Uint8Array(8))
  digest.update('192.0.2.1', 5683, new Uint8Array(0))
  const { peer } = digest
  const first = ids.next(peer)
  for (let n = 1; n < 65_536; n++) {
    if (ids.next(peer) !== ((first + n) & 0xffff)) throw new Error(`Failed to count up: ${n}`)
  }
  t.equal(ids.next(peer), first)
  t.end()
})

/** HalfSipHash with one compression round and three finalization rounds, written as the paper has it, one word at a time. */
function reference(address: string, port: number, bytes: Uint8Array): string {
  const key = seedOf(1)
  const view = new DataView(key.buffer)
  const k0 = view.getUint32(0, true)
  const k1 = view.getUint32(4, true)
  let v = [k0, k1 ^ 0xee, k0 ^ 0x6c796765, k1 ^ 0x74656462]
  const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))
  const round = (): void => {
    let [a, b, c, d] = v as [number, number, number, number]
    a = (a + b) | 0
    b = rotate(b, 5) ^ a
    a = rotate(a, 16)
    c = (c + d) | 0
    d = rotate(d, 8) ^ c
    a = (a + d) | 0
    d = rotate(d, 7) ^ a
    c = (c + b) | 0
    b = rotate(b, 13) ^ c
    c = rotate(c, 16)
    v = [a, b, c, d]
  }
  const absorb = (data: readonly number[]): void => {
    const whole = data.length & ~3
    for (let at = 0; at <= whole; at += 4) {
      const byte = (index: number): number => data[at + index] ?? 0
      const tail = at < whole ? byte(3) : data.length
      const word = byte(0) | (byte(1) << 8) | (byte(2) << 16) | (tail << 24)
      v[3]! ^= word
      round()
      v[0]! ^= word
    }
  }
  absorb([...Buffer.from(address), port & 255, port >> 8, address.length, 0xff])
  absorb([...bytes])
  const squeeze = (): number => {
    for (let n = 0; n < 3; n++) round()
    return v[1]! ^ v[3]!
  }
  v[2]! ^= 0xee
  const low = squeeze()
  v[1]! ^= 0xdd
  return `${low} ${squeeze()}`
}
