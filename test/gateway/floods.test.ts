import { formatCode } from '@pesebre/coap/codec/codes'
import t, { type Test } from 'tap'
import { type GatewayProcess, startGateway } from '../fakes/gateway-process.ts'
import { createUdpPeer, type UdpPeer } from '../fakes/udp-peer.ts'
import { hex } from './app/fixtures.ts'
import { type Attack, ask, attack, block1 } from './attack.ts'

/** The real gateway, without limits of rate, under floods of good and bad (design/promises.md, S11 and Refusals). */
const UNLIMITED = {
  PESEBRE_STOP_TIMEOUT_MS: '100',
  PESEBRE_DEVICE_RATE: '1e9',
  PESEBRE_DEVICE_BURST: '1000000000',
  PESEBRE_ADDRESS_RATE: '1e9',
  PESEBRE_ADDRESS_BURST: '1000000000',
  // Full after the first floods: what this table takes as it grows to its limit is not to be taken for their cost.
  PESEBRE_EXCHANGES_MAX: '65536',
}
const FLOOD = 20_000
const FLOOD_BYTES_MAX = 40_000_000
/**
 * Bodies in blocks are held in buffers outside the heap. Their table takes 4 MB, but V8 lets what has left it lie for up to
 * 60 MB more before it cleans up, since the heap itself hardly grows; over a million such requests it stays at that.
 */
const BLOCKS_BYTES_MAX = 80_000_000
const CHANGED = '2.04'

t.setTimeout(180_000)
const gateway: GatewayProcess = await startGateway({ env: UNLIMITED })
const crowd: Attack = attack(gateway)
t.teardown(gateway.stop)

async function peers(count: number): Promise<UdpPeer[]> {
  return Promise.all(Array.from({ length: count }, () => crowd.peer()))
}

function named(codes: Map<number, number>): Record<string, number> {
  return Object.fromEntries([...codes].map(([code, count]) => [formatCode(code), count]))
}

async function keptTotal(): Promise<number> {
  return (await gateway.metrics())['pesebre_reports_kept_total']!
}

/** Runs a flood and holds the gateway to it that this costs no more memory, and that the next device is served. */
async function endure(t: Test, flood: () => Promise<void>, bytesMax = FLOOD_BYTES_MAX): Promise<void> {
  const before = gateway.rss()
  await flood()
  const good = await crowd.peer({ address: '127.0.0.77' })
  const began = performance.now()
  const answer = await good.ask(ask({ path: ['feeder', 'good'], body: '{"a":1}' }))
  const took = performance.now() - began
  t.equal(formatCode(answer[1]!), CHANGED)
  const grown = gateway.rss() - before
  t.comment(`grown by ${(grown / 1e6).toFixed(1)} MB, next answer after ${took.toFixed(1)} ms`)
  t.ok(grown < bytesMax, `memory grew by less than ${bytesMax / 1e6} MB`)
}

function endureBlocks(t: Test, flood: () => Promise<void>): Promise<void> {
  return endure(t, flood, BLOCKS_BYTES_MAX)
}

// A gateway at work has seen small and large requests: what V8 takes for them is no flood's fault.
t.before(async () => {
  const [peer] = await peers(1)
  for (const size of [1, 1000]) {
    const body = `{"a":"${'x'.repeat(size)}"}`
    const datagram = (i: number) => ask({ id: i, path: ['feeder', `warm-${size}`], body })
    await crowd.flood({ count: FLOOD, peers: [peer!], answered: true, datagram })
  }
})

t.test('70,000 requests of one peer within a lifetime: ids come round, none is swallowed', async (t) => {
  const count = 70_000
  const [peer] = await peers(1)
  const before = await keptTotal()
  await endure(t, async () => {
    const datagram = (i: number) => ask({ id: i & 0xffff, path: ['feeder', 'bella'], body: `{"n":${i}}` })
    t.strictSame(named(await crowd.flood({ count, peers: [peer!], answered: true, datagram })), {
      [CHANGED]: count,
    })
  })
  t.equal(await keptTotal(), before + count + 1)
})

t.test('20,000 CON with new tokens, of things that nobody knows, from many ports', async (t) => {
  await endure(t, async () => {
    const many = await peers(100)
    const datagram = (i: number) => {
      const token = Buffer.alloc(8)
      token.writeUInt32BE(i)
      return ask({ id: i & 0xffff, token, path: ['x', `unknown-${i}`], body: '{"a":1}' })
    }
    t.strictSame(named(await crowd.flood({ count: FLOOD, peers: many, answered: true, datagram })), {
      [CHANGED]: FLOOD,
    })
  })
})

t.test('20,000 refused requests, each with the longest answer', async (t) => {
  await endure(t, async () => {
    const many = await peers(100)
    const datagram = (i: number) =>
      ask({
        id: i & 0xffff,
        token: Buffer.alloc(8, i),
        path: ['feeder', `bad-${i}`],
        body: `{"a":"${'x'.repeat(40)}`,
      })
    t.strictSame(named(await crowd.flood({ count: FLOOD, peers: many, answered: true, datagram })), {
      '4.00': FLOOD,
    })
  })
})

t.test('20,000 pings, 20,000 responses out of the blue, 20,000 times junk', async (t) => {
  await endure(t, async () => {
    const many = await peers(20)
    const id = (i: number) => (i & 0xffff).toString(16).padStart(4, '0')
    const ping = await crowd.flood({
      count: FLOOD,
      peers: many,
      answered: true,
      datagram: (i) => hex(`4000${id(i)}`),
    })
    t.strictSame(named(ping), { '0.00': FLOOD })
    const blue = await crowd.flood({
      count: FLOOD,
      peers: many,
      answered: false,
      datagram: (i) => hex(`6145${id(i)}07ff68`),
    })
    t.strictSame(named(blue), {})
    const junk = await crowd.flood({
      count: FLOOD,
      peers: many,
      answered: false,
      datagram: (i) => hex(`4f02${id(i)}00`),
    })
    t.strictSame(named(junk), {})
  })
})

t.test('20,000 registrations to observe, from one peer and from many', async (t) => {
  for (const count of [1, 100])
    await endure(t, async () => {
      const many = await peers(count)
      const datagram = (i: number) => {
        const token = Buffer.alloc(4)
        token.writeUInt32BE(i)
        return ask({ code: 1, id: i & 0xffff, token, path: ['health'], options: [[6, '']] })
      }
      t.strictSame(named(await crowd.flood({ count: FLOOD, peers: many, answered: true, datagram })), {
        '2.05': FLOOD,
      })
    })
})

t.test('100,000 addresses that send junk once', async (t) => {
  await endure(t, async () => {
    const watch = await crowd.peer()
    const batch = 200
    for (let i = 0; i < 100_000; i += batch) {
      await Promise.all(
        Array.from({ length: batch }, async (_, k) => {
          const n = i + k
          const address = `127.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
          const peer = await createUdpPeer({ to: gateway.coapPort, address })
          await peer.send(hex('4f020001'))
          await peer.close()
        }),
      )
      await watch.provoke()
    }
    crowd.sentElsewhere(100_000)
  })
})

const SIXTEEN = '{"a":"0123456789'

t.test('20,000 uploads in blocks that are begun and never finished', async (t) => {
  const good = await crowd.peer()
  const first = await good.ask(ask({ path: ['feeder', 'blocks'], options: [block1(0, true)], body: SIXTEEN }))
  t.equal(formatCode(first[1]!), '2.31')
  await endureBlocks(t, async () => {
    const many = await peers(100)
    const datagram = (i: number) =>
      ask({ id: i & 0xffff, path: ['feeder', `upload-${i}`], options: [block1(0, true)], body: SIXTEEN })
    t.strictSame(named(await crowd.flood({ count: FLOOD, peers: many, answered: true, datagram })), {
      '2.31': FLOOD,
    })
  })
  // The one that was under way may have had to make room: then it is told so, begins anew, and comes through.
  const resume = await good.ask(ask({ path: ['feeder', 'blocks'], options: [block1(1, false)], body: '"}' }))
  t.match(formatCode(resume[1]!), /^(2\.04|4\.08)$/)
  await good.ask(ask({ path: ['feeder', 'blocks'], options: [block1(0, true)], body: SIXTEEN }))
  const last = await good.ask(ask({ path: ['feeder', 'blocks'], options: [block1(1, false)], body: '"}' }))
  t.equal(formatCode(last[1]!), CHANGED)
})

t.test('20,000 blocks that fill uploads to the brim', async (t) => {
  await endureBlocks(t, async () => {
    const many = await peers(100)
    // Each peer in turn sends the next 1,024 bytes of one of its own uploads; the fourth would be whole, so three are held.
    const datagram = (i: number) => {
      const round = Math.floor(i / many.length)
      const value = ((round % 3) << 4) | 8 | 6
      const body = Buffer.alloc(1024, 0x61)
      return ask({
        id: i & 0xffff,
        path: ['feeder', `brim-${Math.floor(round / 3)}`],
        options: [[27, Uint8Array.of(value)]],
        body,
      })
    }
    const codes = named(await crowd.flood({ count: FLOOD, peers: many, answered: true, datagram }))
    t.strictSame(codes, { '2.31': FLOOD })
  })
})

t.test('20,000 blocks out of order and overlapping', async (t) => {
  const before = await keptTotal()
  await endureBlocks(t, async () => {
    const many = await peers(10)
    const datagram = (i: number) => {
      // Behind a gap; again from the beginning with other bytes; the first once more; a last one that ends before the first.
      const steps = [block1(5, true), block1(0, true), block1(0, true), block1(3, false)]
      const body = i % 4 === 2 ? SIXTEEN.replace('0', 'x') : SIXTEEN
      return ask({ id: i & 0xffff, path: ['feeder', `order-${i % 7}`], options: [steps[i % 4]!], body })
    }
    const codes = named(await crowd.flood({ count: FLOOD, peers: many, answered: true, datagram }))
    t.strictSame(Object.keys(codes).sort(), ['2.31', '4.08'])
  })
  t.equal(await keptTotal(), before + 1, 'nothing of it was kept')
})

t.test('a body above the limit is refused as soon as that is known, with the limit', async (t) => {
  const [peer] = await peers(1)
  const tooMuch = [...Array(4).keys()].map((number) => [27, Uint8Array.of((number << 4) | 8 | 6)] as const)
  const codes: string[] = []
  for (const option of tooMuch) {
    const answer = await peer!.ask(
      ask({ path: ['feeder', 'large'], options: [option], body: Buffer.alloc(1024, 0x20) }),
    )
    codes.push(formatCode(answer[1]!))
  }
  t.strictSame(codes, ['2.31', '2.31', '2.31', '4.13'])
  const announced = ask({
    path: ['feeder', 'large'],
    options: [block1(0, true), [60, hex('ffffffff')]],
    body: SIXTEEN,
  })
  t.equal(formatCode((await peer!.ask(announced))[1]!), '4.13', 'Size1 says so at once')
})

t.test('after all this: alive, never above three times, and every datagram counted once', async (t) => {
  await crowd.account(t)
})
