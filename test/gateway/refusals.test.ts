import { spawnSync } from 'node:child_process'
import { decode } from '@pesebre/coap/codec/message'
import t from 'tap'
import { type GatewayProcess, startGateway } from '../fakes/gateway-process.ts'
import type { UdpPeer } from '../fakes/udp-peer.ts'
import { until } from '../fakes/until.ts'
import { hex } from './app/fixtures.ts'
import { type Ask, type Attack, ask, attack, block1, keptIn, said } from './attack.ts'

/** The real gateway, without limits of rate, against datagrams as they are (design/promises.md, Refusals). */
const UNLIMITED = {
  PESEBRE_STOP_TIMEOUT_MS: '100',
  PESEBRE_DEVICE_RATE: '1e9',
  PESEBRE_DEVICE_BURST: '1000000000',
  PESEBRE_ADDRESS_RATE: '1e9',
  PESEBRE_ADDRESS_BURST: '1000000000',
}

const gateway: GatewayProcess = await startGateway({ env: UNLIMITED })
const crowd: Attack = attack(gateway)
const peer: UdpPeer = await crowd.peer()
t.teardown(gateway.stop)
t.setTimeout(120_000)
const kept = (thing: string) => keptIn(gateway, thing)

const NON = 1

t.test('what is not CoAP is met with silence', async (t) => {
  const cases: Record<string, string> = {
    'an empty datagram': '',
    'one byte': '40',
    'three bytes': '40 02 00',
    'version 0': '00 02 0001 b166 b162 ff 7b7d',
    'version 2': '80 02 0001 b166 b162 ff 7b7d',
    'version 3': 'c0 02 0001 b166 b162 ff 7b7d',
    ...Object.fromEntries(
      [9, 10, 11, 12, 13, 14, 15].map((length) => [
        `token length ${length}`,
        `4${length.toString(16)} 02 0001 ${'00'.repeat(16)} b166 b162 ff 7b7d`,
      ]),
    ),
    'a token that runs past the end': '44 02 0001 0102',
    'option delta 15': '40 02 0001 f1 66 b162 ff 7b7d',
    'option length 15': '40 02 0001 bf 66 b162 ff 7b7d',
    'an option that runs past the end': '40 02 0001 b9 66',
    'an option header that runs past the end': '40 02 0001 bd',
    'an option header of two bytes that runs past the end': '40 02 0001 be 00',
    'an option number beyond 65535': '40 02 0001 e1 ffff 00 e1 ffff 00',
    'a payload marker without a payload': '40 02 0001 b166 b162 ff',
    'a payload marker at once': '40 02 0001 ff',
    '33 options': `40 02 0001 ${'b0'}${'00'.repeat(32)}`,
    'a thousand options': `40 02 0001 ${'b0'}${'00'.repeat(999)}`,
    'an empty CON with a token': '41 00 0001 00',
    'an empty CON with a payload': '40 00 0001 ff 00',
    DTLS: `16 fe ff ${'00'.repeat(60)}`,
    DNS: '1234 0100 0001 0000 0000 0000 0377777700 0001 0001',
    'a thousand times 0xff': 'ff'.repeat(1000),
    'the same as NON': '50 02 0001 b166 b162 ff',
  }
  for (const [what, datagram] of Object.entries(cases))
    t.strictSame((await peer.provoke(hex(datagram))).map(said), [], what)
})

t.test('what is CoAP and no request gets a reset if it is confirmable, else silence', async (t) => {
  const cases: Record<string, [datagram: string, answers: string[]]> = {
    'an empty CON (ping)': ['40 00 abcd', ['70 00 abcd']],
    'an empty NON': ['50 00 abcd', []],
    'an empty ACK': ['60 00 abcd', []],
    'an empty RST': ['70 00 abcd', []],
    'reserved class 1, CON': ['40 21 abcd', ['70 00 abcd']],
    'reserved class 1, NON': ['50 21 abcd', []],
    'reserved class 6, CON with a token': ['42 c5 abcd 0102', ['70 00 abcd']],
    'reserved class 7, CON (signalling of TCP)': ['40 e1 abcd', ['70 00 abcd']],
    'reserved class 3, NON': ['50 7f abcd', []],
    'a response out of the blue, CON': ['41 45 abcd 07 ff 68', ['70 00 abcd']],
    'a response out of the blue, NON': ['51 45 abcd 07 ff 68', []],
    'a response out of the blue, ACK': ['61 45 abcd 07 ff 68', []],
    'a response in an RST': ['70 45 abcd', []],
    'a request in an ACK': ['60 02 abcd b166 b162 ff 7b7d', []],
    'a request in an RST': ['70 02 abcd b166 b162 ff 7b7d', []],
  }
  for (const [what, [datagram, answers]] of Object.entries(cases)) {
    const got = await peer.provoke(hex(datagram))
    t.strictSame(
      got.map((bytes) => bytes.toString('hex')),
      answers.map((answer) => answer.replaceAll(' ', '')),
      what,
    )
  }
})

t.test('requests that cannot be served are refused, and keep nothing', async (t) => {
  const deep = `${'['.repeat(600)}${']'.repeat(600)}`
  const cases: Record<string, [request: Ask, answer: string]> = {
    'no body': [{}, '4.00 Empty body'],
    'no path': [{ path: [], body: '{"a":1}' }, '4.05'],
    'an unknown path': [{ path: ['a', 'b', 'c'] }, '4.04'],
    'an unknown method': [{ code: 31, body: '{"a":1}' }, '4.05 Only POST and PUT'],
    'GET of a thing': [{ code: 1, body: '' }, '4.05'],
    'a name with a space': [{ path: ['feeder', 'a b'], body: '{"a":1}' }, '4.00 Id must be 1 to 128 of'],
    'an empty name': [{ path: ['', 'x'], body: '{"a":1}' }, '4.00 Type must be'],
    'a path that climbs': [{ path: ['feeder', '..'], body: '{"a":1}' }, '4.02'],
    'a path that is not UTF-8': [{ options: [[11, hex('c328')]], body: '{"a":1}' }, '4.02'],
    'an unknown critical option': [{ options: [[9, 'x']], body: '{"a":1}' }, '4.02'],
    'a second Accept': [
      {
        options: [
          [17, hex('32')],
          [17, hex('32')],
        ],
        body: '{"a":1}',
      },
      '4.02',
    ],
    'an Uri-Port of three bytes': [{ options: [[7, hex('010203')]], body: '{"a":1}' }, '4.02'],
    'a request to a proxy': [{ options: [[35, 'coap://example.org/']], body: '{"a":1}' }, '5.05'],
    'an unknown Content-Format': [
      { options: [[12, hex('2a')]], body: '{"a":1}' },
      '4.15 Content-Format must be 60',
    ],
    'a datagram above 1,280 bytes': [{ body: `{"a":"${'x'.repeat(1300)}"}` }, '4.13'],
    'a datagram of 8 kB': [{ body: `{"a":"${'x'.repeat(8000)}"}` }, '4.13'],
    'broken JSON': [{ body: '{"a":1' }, '4.00 Body is not valid JSON'],
    'JSON with __proto__': [{ body: '{"__proto__":{"a":1}}' }, '4.00 Reserved name: __proto__'],
    'JSON with 1e400': [{ body: '{"a":1e400}' }, '4.00 Number is not finite'],
    'JSON nested deeply': [{ body: `{"a":${deep}}` }, '4.00 Nested deeper than 6 levels'],
    'the name of the bridge': [{ body: '{"link":{"seq":9e15}}' }, '4.00 Reserved name: link'],
    'CBOR nested deeply': [{ body: hex(`a16161${'81'.repeat(1000)}01`) }, '4.00 CBOR nested too deeply'],
    'CBOR with a huge map': [{ body: hex('bb00ffffffffffffff616101') }, '4.00 CBOR declares more than'],
    'CBOR with huge bytes': [{ body: hex('a161615bffffffffffffffff00') }, '4.00 CBOR declares more than'],
    'CBOR with text of indefinite length': [{ body: hex('a161617f6161ff') }, '4.00 CBOR has a string of'],
    'CBOR without an end': [{ body: hex('bf61619f9f9f') }, '4.00 CBOR ends too early'],
    'CBOR with a key twice': [{ body: hex('a2616101616102') }, '4.00 Duplicate key in a map'],
    'CBOR with NaN': [{ body: hex('a16161f97e00') }, '4.00 Number is not finite'],
    'CBOR with 2^64 - 1': [{ body: hex('a161611bffffffffffffffff') }, '4.00 Integer beyond 2^53'],
    'CBOR with a tag': [{ body: hex('a16161c11a514b67b0') }, '4.00 CBOR has a tag'],
    'CBOR with invalid UTF-8': [{ body: hex('a1616162c328') }, '4.00 CBOR has text that is not UTF-8'],
    'CBOR with __proto__': [{ body: hex('a1695f5f70726f746f5f5fa1617801') }, '4.00 CBOR has the reserved'],
    'CBOR with more behind it': [{ body: hex('a1616101ff') }, '4.00 CBOR bytes after its end'],
    'SenML without an end of time': [
      { options: [[12, hex('6e')]], body: '[{"n":"a","v":1,"t":1e300}]' },
      '4.00 SenML record 0 has a time beyond',
    ],
  }
  for (const [what, [request, answer]] of Object.entries(cases)) {
    const path = request.path ?? ['feeder', 'refused']
    const got = said(await peer.ask(ask({ ...request, path })))
    t.ok(got.startsWith(`ACK ${answer}`), `${what}: ${got}`)
    // A critical option that is not known is answered in silence where nobody waits (RFC 7252 section 5.4.1).
    const again = (await peer.provoke(ask({ ...request, path, type: NON }))).map(said)
    if (answer.startsWith('4.02')) t.strictSame(again, [], `${what}, NON`)
    else t.ok(again[0]?.startsWith(`NON ${answer}`), `${what}, NON: ${again}`)
  }
  t.strictSame(kept('refused'), [])
})

t.test('odd requests that can be served are served', async (t) => {
  const cases: Record<string, Ask> = {
    'a Content-Format of three bytes is left out': { options: [[12, hex('000032')]] },
    'elective options that nobody knows': {
      options: [
        [2048, 'x'.repeat(300)],
        [65_000, ''],
      ],
    },
    'a token of eight bytes': { token: hex('0102030405060708') },
    'Uri-Host and Uri-Port': {
      options: [
        [3, 'gateway.example'],
        [7, hex('1633')],
      ],
    },
    '32 options': { options: new Array(30).fill([2048, '']) },
  }
  for (const [what, request] of Object.entries(cases)) {
    const bytes = ask({ ...request, path: ['feeder', 'odd'], body: '{"a":1}' })
    const answer = await peer.ask(bytes)
    t.equal(said(answer), 'ACK 2.04', what)
    t.strictSame(
      answer.subarray(2, 4 + (request.token?.length ?? 0)),
      Buffer.from(bytes).subarray(2, 4 + (request.token?.length ?? 0)),
    )
  }
  t.equal(kept('odd').length, Object.keys(cases).length)
})

/** Sends a datagram from UDP source port 0, which Node cannot; perl can, where it may open a raw socket. */
function sendFromPortZero(bytes: Uint8Array): boolean {
  const program = `use Socket; socket(S, PF_INET, SOCK_RAW, 17) or exit 1;
    my $body = pack("H*", $ARGV[1]);
    send(S, pack("n4", 0, $ARGV[0], 8 + length $body, 0) . $body, 0, pack_sockaddr_in(0, inet_aton("127.0.0.1")))
      or exit 1`
  const args = ['-e', program, String(gateway.coapPort), Buffer.from(bytes).toString('hex')]
  return spawnSync('perl', args).status === 0
}

t.test('a datagram from UDP source port 0 is met with silence', async (t) => {
  const outcome = 'pesebre_datagrams_total{outcome="source-port-zero"}'
  if (!sendFromPortZero(ask({ path: ['feeder', 'port-zero'], body: '{"a":1}' }))) {
    t.pass('not sent: needs perl and the right to open a raw socket. The endpoint has a test of its own')
    return
  }
  crowd.sentElsewhere(1)
  let count: number | undefined
  await until(
    'the datagram is counted',
    async () => {
      count = (await gateway.metrics())[outcome]
      return count !== 0
    },
    () => count,
  )
  t.equal(count, 1)
  t.strictSame(kept('port-zero'), [])
  t.equal(said(await peer.ask(ask({ body: '{"a":1}' }))), 'ACK 2.04', 'and the next request is served')
})

t.test('the same message fifty times at once has one effect, and the same bytes come back', async (t) => {
  for (const type of [0, NON]) {
    const thing = `repeat-${type}`
    const bytes = ask({ type, path: ['feeder', thing], token: hex('0a0b'), body: '{"a":1}' })
    for (let i = 0; i < 50; i++) await peer.send(bytes)
    const first = await peer.next()
    t.match(said(first), / 2\.04$/)
    // Those that came while the first was pending get nothing; later ones what the first got.
    for (const answer of await peer.provoke()) t.strictSame(answer, first)
    for (let i = 0; i < 5; i++) t.strictSame(await peer.ask(bytes), first)
    t.equal(kept(thing).length, 1)
  }
})

t.test('a refusal is repeated with the same bytes too', async (t) => {
  const bytes = ask({ token: hex('0c'), body: '{' })
  const first = await peer.ask(bytes)
  for (let i = 0; i < 5; i++) t.strictSame(await peer.ask(bytes), first)
})

t.test('the same message from a new port is that of another peer', async (t) => {
  const bytes = ask({ path: ['feeder', 'moved'], token: hex('0d'), body: '{"a":1}' })
  const other = await crowd.peer()
  t.equal(said(await peer.ask(bytes)), 'ACK 2.04')
  t.equal(said(await other.ask(bytes)), 'ACK 2.04')
  const [first, second] = kept('moved')
  t.ok(second!.seq > first!.seq, 'kept as a later report of the same state')
})

t.test('a device that reboots and begins again with the same message ids is not swallowed', async (t) => {
  for (const type of [0, NON]) {
    const thing = `reboot-${type}`
    for (const value of [1, 2, 3, 2]) {
      const bytes = ask({ type, id: 1, token: hex('01'), path: ['feeder', thing], body: `{"a":${value}}` })
      t.match(said(await peer.ask(bytes)), / 2\.04$/)
    }
    // The last is the second once more, byte for byte: a repeat.
    t.strictSame(
      kept(thing).map(({ state }) => state?.['a']),
      [1, 2, 3],
    )
  }
})

t.test('No-Response is honoured, and what is sent so is kept', async (t) => {
  const quiet = (type: number, bits: string, body: string) =>
    ask({ type, path: ['feeder', 'quiet'], options: [[258, hex(bits)]], body })
  t.strictSame((await peer.provoke(quiet(NON, '1a', '{'))).map(said), [])
  t.equal(said(await peer.ask(quiet(0, '1a', '{"a":1}'))), 'ACK', 'an empty ACK to a CON')
  await peer.send(quiet(NON, '1a', '{"a":2}'))
  await until(
    'two reports',
    () => kept('quiet').length >= 2,
    () => kept('quiet'),
  )
  t.strictSame(peer.inbox, [])
  t.strictSame(
    kept('quiet').map(({ link }) => link?.answer),
    [false, false],
  )
})

t.test('the shortest requests of each kind get no more than three times their size', async (t) => {
  const cases: Record<string, [datagram: string, answer: string]> = {
    'nothing but a method': ['40 01 7001', 'ACK 4.05'],
    'nothing but an unknown method': ['40 1f 7002', 'ACK 4.05'],
    'an option that must be known': ['40 02 7003 90', 'ACK 4.02 Option 9'],
    'the highest such option': ['40 02 7004 e0 fef2', 'ACK 4.02 Option 65535'],
    'a proxy': ['40 02 7005 d1 16 78', 'ACK 5.05'],
    'a block without its bytes': ['40 02 7006 d1 0e 08', 'ACK 4.00 Block not filled'],
    'a block of the reserved size': ['40 02 7007 d1 0e 0f', 'ACK 4.00 Block size 7'],
    'a block of an answer of the reserved size': ['40 01 7008 d1 0a 07', 'ACK 4.00 Block size 7'],
    'a block beyond the limit': ['40 02 7009 d2 0e ffe6', 'ACK 4.13'],
    'a block behind a gap': ['40 02 700a d1 0e 10', 'ACK 4.08'],
    'a thing': ['40 02 700b b0 00', 'ACK 4.00'],
  }
  for (const [what, [datagram, answer]] of Object.entries(cases))
    t.equal(said(await peer.ask(hex(datagram))), answer, what)
  // The first block of a bad name is taken; the answer to a small last one must still be small.
  const small: Ask = { path: ['a', '!'], options: [block1(1, false)], body: '}' }
  await peer.ask(ask({ ...small, options: [block1(0, true)], body: '{"a":1234567890 ' }))
  t.match(said(await peer.ask(ask(small))), /^ACK 4\.00/)
})

t.test('Observe of what cannot be observed is an ordinary GET', async (t) => {
  const bytes = ask({ code: 1, path: ['health'], token: hex('77'), options: [[6, '']] })
  const answer = decode(await peer.ask(bytes))
  t.strictSame(answer.ok && answer.message.options.map(({ number }) => number), [12])
})

t.test('after all this: alive, never above three times, and every datagram counted once', async (t) => {
  await crowd.account(t)
})
