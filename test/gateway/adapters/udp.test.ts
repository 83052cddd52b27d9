import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import type { Peer } from '@pesebre/coap/endpoint/types'
import t from 'tap'
import { createBatches, RECEIVE_SLOTS } from '../../../gateway/src/adapters/mmsg.ts'
import { bindUdp, dropsIn, kernelDrops } from '../../../gateway/src/adapters/udp.ts'
import { missing } from '../../fakes/needs.ts'
import { until } from '../../fakes/until.ts'

t.setTimeout(120_000)

/** Batches are for Linux on the machines that mmsg.ts names, which are those that CI and production have. */
const isLinux = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)

/** What /proc/net/udp looks like: 5683 is 1633 in hex, 9683 is 25D3. */
const TABLE = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  305: 0100007F:1633 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000        0 61234 2 00000000f1a2b3c4 17
  305: 00000000:1633 00000000:0000 07 00000000:00000A00 00:00000000 00000000     0        0 61235 2 00000000f1a2b3c5 4
 1305: 0100007F:25D3 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 61236 2 00000000f1a2b3c6 900
 1306: 0100007F:0016 00000000:1633 07 00000000:00000000 00:00000000 00000000     0        0 61237 2 00000000f1a2b3c7 8000
`

t.test('dropsIn() adds up the last column of the sockets that are bound to the port', async (t) => {
  const cases: [port: number, drops: number][] = [
    [5683, 21],
    [9683, 900],
    [22, 8000],
    [1633, 0],
    [633, 0],
  ]
  for (const [port, drops] of cases) t.equal(dropsIn(TABLE, port), drops, `${port}`)
  t.equal(dropsIn('', 5683), 0)
  t.equal(dropsIn(TABLE.split('\n')[0]!, 5683), 0)
})

t.test('dropsIn() reads the table of IPv6 as well', async (t) => {
  const line =
    '  19: 00000000000000000000000001000000:1633 00000000000000000000000000000000:0000 07 0:0 00:0 0 0 0 6 2 0 33'
  t.equal(dropsIn(`header\n${line}\n`, 5683), 33)
})

t.test(
  'kernelDrops() reads what the kernel dropped of this very socket',
  { skip: missing('/proc/net/udp', () => readFileSync('/proc/net/udp')) },
  async (t) => {
    const udp = await bindUdp({
      host: '127.0.0.1',
      port: 0,
      receiveBuffer: 4096,
      share: false,
      onDatagram: () => {},
      onError: (error) => t.fail(error.message),
    })
    t.equal(kernelDrops(udp.port), 0)
    const sender = createSocket('udp4')
    await new Promise<void>((resolve) => sender.bind(0, '127.0.0.1', resolve))
    // All in one turn of the event loop, so that nothing reads meanwhile.
    for (let i = 0; i < 500; i++) sender.send(Buffer.alloc(512), udp.port, '127.0.0.1')
    for (let tries = 0; tries < 200 && kernelDrops(udp.port) === 0; tries++)
      await new Promise((resolve) => setTimeout(resolve, 10))
    t.ok(kernelDrops(udp.port)! > 0)
    await udp.close()
    sender.close()
  },
)

const FAMILIES = [
  { host: '127.0.0.1', type: 'udp4', from: '127.0.0.1', seen: '127.0.0.1' },
  { host: '::1', type: 'udp6', from: '::1', seen: '::1' },
  { host: '::', type: 'udp4', from: '127.0.0.1', seen: '::ffff:127.0.0.1' },
] as const

for (const batches of [true, false]) {
  for (const { host, type, from, seen } of FAMILIES) {
    t.test(
      `${host}, ${batches ? 'in batches' : 'one by one'}: what comes is what was sent, and goes back`,
      async (t) => {
        const got: { bytes: Buffer; peer: Peer }[] = []
        const udp = await bindUdp({
          host,
          port: 0,
          receiveBuffer: 4 << 20,
          share: false,
          batches,
          onDatagram: (bytes, peer) => {
            got.push({ bytes: Buffer.from(bytes), peer })
            udp.send(bytes, peer)
          },
          onError: (error) => t.fail(error.message),
        })
        t.teardown(() => udp.close())
        t.equal(udp.batches, batches && isLinux)
        const sender = createSocket(type)
        t.teardown(() => sender.close())
        const answers: Buffer[] = []
        sender.on('message', (bytes) => answers.push(bytes))
        await new Promise<void>((resolve) => sender.bind(0, from, resolve))
        sender.setRecvBufferSize(4 << 20)
        // All in one turn of the event loop, so that they wait in the socket together. Some are longer than a batch sends, one is empty.
        const sent = Array.from({ length: 150 }, (_, i) => Buffer.alloc(i % 50 === 49 ? 9000 + i : i * 3, i))
        for (const bytes of sent) sender.send(bytes, udp.port, from)
        await until(
          `${sent.length} answers`,
          () => answers.length === sent.length,
          () => answers.length,
        )
        t.same(
          got.map(({ bytes }) => bytes),
          sent,
        )
        const { port } = sender.address()
        t.ok(got.every(({ peer }) => peer.address === seen && peer.port === port))
        // Long ones overtake: dgram sends them at once, the others wait for the end of the turn.
        const byLength = (a: Buffer, b: Buffer): number => a.length - b.length
        t.same(answers.toSorted(byLength), sent.toSorted(byLength))
      },
    )
  }
}

t.test('under load, and when it is over: every datagram is read', async (t) => {
  const seen = new Set<number>()
  const udp = await bindUdp({
    host: '127.0.0.1',
    port: 0,
    receiveBuffer: 4 << 20,
    share: false,
    onDatagram: (bytes) => seen.add(Buffer.from(bytes).readUInt32BE()),
    onError: (error) => t.fail(error.message),
  })
  t.teardown(() => udp.close())
  const sender = createSocket('udp4')
  t.teardown(() => sender.close())
  let sent = 0
  const send = (): void => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(sent++)
    sender.send(bytes, udp.port, '127.0.0.1')
  }
  for (const busyTurns of [500, 500]) {
    // Many turns of the event loop, a few datagrams in each: each of them wakes the socket.
    for (let turn = 0; turn < busyTurns; turn++) {
      send()
      send()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(
      'all of the load',
      () => seen.size === sent,
      () => `${seen.size} of ${sent}`,
    )
    // Long enough for it to be over.
    await new Promise((resolve) => setTimeout(resolve, 20))
    send()
    await until(
      'one alone',
      () => seen.size === sent,
      () => `${seen.size} of ${sent}`,
    )
  }
  t.equal(seen.size, 2002)
})

t.test(
  'stopReceiving() leaves what comes in the socket, for the process that gets it next',
  { skip: missing('/proc/net/udp', () => readFileSync('/proc/net/udp')) },
  async (t) => {
    const udp = await bindUdp({
      host: '127.0.0.1',
      port: 0,
      receiveBuffer: 1 << 20,
      share: false,
      onDatagram: () => t.fail('was read'),
      onError: (error) => t.fail(error.message),
    })
    t.teardown(() => udp.close())
    udp.stopReceiving()
    const sender = createSocket('udp4')
    t.teardown(() => sender.close())
    await new Promise((resolve) => sender.send('for the next', udp.port, '127.0.0.1', resolve))
    // Turns enough to have read it.
    await new Promise((resolve) => setTimeout(resolve, 50))
    const line = readFileSync('/proc/net/udp', 'utf8')
      .split('\n')
      .find((one) => one.includes(`:${udp.port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000`))
    t.notMatch(line, /:00000000 00:00000000/, 'its receive queue is not empty')
  },
)

t.test('an answer of later goes out, too, and so does one to an address never seen', async (t) => {
  let peer: Peer | undefined
  const udp = await bindUdp({
    host: '127.0.0.1',
    port: 0,
    receiveBuffer: 65_536,
    share: false,
    onDatagram: (_, from) => {
      peer = from
    },
    onError: (error) => t.fail(error.message),
  })
  t.teardown(() => udp.close())
  const sender = createSocket('udp4')
  t.teardown(() => sender.close())
  const answers: string[] = []
  sender.on('message', (bytes) => answers.push(String(bytes)))
  await new Promise<void>((resolve) => sender.bind(0, '127.0.0.1', resolve))
  sender.send('hello', udp.port, '127.0.0.1')
  await until(
    'a datagram',
    () => peer !== undefined,
    () => peer,
  )
  udp.send(Buffer.from('first'), peer!)
  udp.send(Buffer.from('second'), peer!)
  udp.send(Buffer.from('stranger'), { address: '127.0.0.77', port: 9 })
  for (let i = 0; i < 200; i++) udp.send(Buffer.from(`many ${i}`), peer!)
  await until(
    '202 answers',
    () => answers.length === 202,
    () => answers.length,
  )
  t.same(
    new Set(answers),
    new Set(['first', 'second', ...Array.from({ length: 200 }, (_, i) => `many ${i}`)]),
  )
  t.equal(udp.unsent(), 0)
})

t.test('what sendmmsg does not take is left over, in order and whole', async (t) => {
  // recvmmsg finds two datagrams of 203.0.113.1, so that the book knows it; sendmmsg takes `taken` of a batch.
  let taken = 0
  const batches = createBatches(7, {
    recvmmsg: (fd, table) => {
      t.equal(fd, 7)
      const view = new DataView(table.buffer)
      for (const slot of [0, 1]) {
        const name = RECEIVE_SLOTS * (64 + 16) + slot * 32
        for (const [i, byte] of [2, 0, 0x16, 0x33, 203, 0, 113, 1].entries()) view.setUint8(name + i, byte)
        view.setUint32(slot * 64 + 56, slot, true)
      }
      return 2
    },
    sendmmsg: () => taken,
    addressOf: () => 0n,
  })
  const peers: Peer[] = []
  t.equal(
    batches.receive((bytes, peer) => {
      t.equal(bytes.length, peers.length)
      peers.push(peer)
    }),
    2,
  )
  t.same(peers[1], { address: '203.0.113.1', port: 5683 })
  for (const [sent, expected] of [
    [-1, ['zero', 'one', 'two']],
    [1, ['one', 'two']],
    [3, []],
  ] as const) {
    taken = sent
    for (const [i, word] of ['zero', 'one', 'two'].entries())
      t.ok(batches.add(Buffer.from(word), { ...peers[0]!, port: i + 1 }))
    const left: string[] = []
    batches.flush((bytes, peer) => left.push(`${peer.port} ${Buffer.from(bytes)}`))
    t.same(
      left,
      expected.map((word) => `${['zero', 'one', 'two'].indexOf(word) + 1} ${word}`),
    )
  }
  batches.flush(() => t.fail('an empty batch'))
  t.notOk(batches.add(Buffer.alloc(1537), peers[0]!), 'too long')
})
