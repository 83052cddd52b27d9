import { createSocket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { bindUdp, dropsIn, kernelDrops } from '../../../gateway/src/adapters/udp.ts'
import { missing } from '../../fakes/needs.ts'

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
