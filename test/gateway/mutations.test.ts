import t from 'tap'
import { startGateway } from '../fakes/gateway-process.ts'
import { generator, mutate } from '../fakes/mutations.ts'
import { hex } from './app/fixtures.ts'
import { ask, attack } from './attack.ts'

const MUTATIONS = Number(process.env['PESEBRE_TEST_RUNS'] ?? 40_000)
const SEED = 0xc0a9
const GET = 1

/** Good requests of every kind that the gateway knows, and the shortest of each option that gets an answer of its own. */
const SEEDS: Uint8Array[] = [
  ask({ body: '{"a":1}' }),
  ask({ body: hex('a1616101'), options: [[12, hex('3c')]], token: hex('0102030405060708') }),
  ask({ body: '[{"n":"a","v":1}]', options: [[12, hex('6e')]] }),
  ask({ body: '21.5', options: [[12, '']] }),
  ask({ body: '{"a":1}', options: [[258, hex('1a')]] }),
  ask({ body: '{"a":"0123456789', options: [[27, hex('08')]] }),
  ask({ body: '"}', options: [[27, hex('10')]] }),
  ask({
    body: '{"a":1}',
    options: [
      [27, hex('06')],
      [60, hex('0fff')],
    ],
  }),
  ask({ body: '{"a":1}', options: [[292, hex('0a')]] }),
  ask({ code: GET, path: ['health'] }),
  ask({
    code: GET,
    path: ['health'],
    options: [
      [6, ''],
      [17, hex('3c')],
    ],
  }),
  ask({ code: GET, path: ['.well-known', 'core'], options: [[15, 'rt=health']] }),
  ask({ code: GET, path: ['.well-known', 'core'], options: [[23, hex('10')]] }),
  ask({ code: GET, path: [] }),
  ask({ path: ['!', '!'] }),
  ask({ path: ['a', 'b'], options: [[35, 'coap://x']] }),
  ask({ path: [], options: [[9, '']] }),
  ask({ path: [], options: [[27, hex('08')]] }),
  ask({ path: [], options: [[27, hex('0f')]] }),
  ask({ path: [], options: [[23, hex('07')]] }),
  ask({ path: [], options: [[23, hex('f0')]] }),
  hex('4000 0001'),
  hex('4145 0001 07'),
]

t.setTimeout(120_000)

t.test(
  `no datagram stops the gateway or gets more than three times its size: ${MUTATIONS} mutations`,
  async (t) => {
    const unlimited = {
      PESEBRE_STOP_TIMEOUT_MS: '100',
      PESEBRE_ADDRESS_RATE: '1e9',
      PESEBRE_ADDRESS_BURST: '1000000000',
    }
    const gateway = await startGateway({
      env: { ...unlimited, PESEBRE_DEVICE_RATE: '1e9', PESEBRE_DEVICE_BURST: '100000' },
    })
    t.teardown(gateway.stop)
    const crowd = attack(gateway)
    const peers = await Promise.all(Array.from({ length: 4 }, () => crowd.peer()))
    const draw = generator(SEED)
    const datagram = (i: number): Uint8Array => {
      const bytes = i < SEEDS.length ? Buffer.from(SEEDS[i]!) : mutate(SEEDS, draw)
      if (bytes.length < 4) return bytes
      // Confirmable and with a number of its own, so that each answer can be held against its question.
      bytes[0]! &= ~0x30
      bytes.writeUInt16BE(i & 0x7fff, 2)
      return bytes
    }
    const codes = await crowd.flood({ count: MUTATIONS, peers, answered: false, datagram })
    t.ok(codes.size > 8, `many kinds of answers: ${[...codes.keys()].map((code) => code.toString(16))}`)
    await crowd.account(t)
  },
)
