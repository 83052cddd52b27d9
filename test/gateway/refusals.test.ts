import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatCode } from '@pesebre/coap/codec/codes'
import { decode } from '@pesebre/coap/codec/message'
import type { Report } from '@pesebre/contract/report'
import t from 'tap'
import { type GatewayProcess, startGateway } from '../fakes/gateway-process.ts'
import type { UdpPeer } from '../fakes/udp-peer.ts'
import { hex } from './app/fixtures.ts'
import { type Ask, type Attack, ask, attack } from './attack.ts'

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

/** Reports of a thing that are in the journal, oldest first. */
function kept(thing: string): Report[] {
  const dir = join(gateway.journalDir, '0')
  const segments = readdirSync(dir).filter((name) => name.endsWith('.journal'))
  const lines = segments.sort().flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n'))
  const reports = lines
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line.slice(9)) as Report)
  return reports.filter((report) => report.thing === thing)
}

/** What an answer is, in short: `ACK 4.00 Empty body`. */
function said(bytes: Buffer): string {
  const decoded = decode(bytes)
  if (!decoded.ok) return `not CoAP: ${decoded.reason}`
  const { type, code, payload } = decoded.message
  const text = new TextDecoder().decode(payload)
  return [['CON', 'NON', 'ACK', 'RST'][type], code === 0 ? '' : formatCode(code), text]
    .filter(Boolean)
    .join(' ')
}

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
    'no path': [{ path: [], body: '{"a":1}' }, '4.04'],
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
  while ((await gateway.metrics())[outcome] === 0) await new Promise((resolve) => setTimeout(resolve, 50))
  t.equal((await gateway.metrics())[outcome], 1)
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
  while (kept('quiet').length < 2) await new Promise((resolve) => setTimeout(resolve, 10))
  t.strictSame(peer.inbox, [])
  t.strictSame(
    kept('quiet').map(({ link }) => link?.answer),
    [false, false],
  )
})

/** Block1 of 16-byte blocks, or of another size exponent (RFC 7959 section 2.2). */
function block1(number: number, more: boolean, szx = 0): [number, Uint8Array] {
  return [27, Uint8Array.of((number << 4) | (more ? 8 : 0) | szx)]
}

t.test('a body in blocks is one report, and whatever spoils it is refused', async (t) => {
  const [A, B, C] = ['{"a":"0123456789', 'abcdefghijklmnop', 'z"}'] as const
  type Step = [block: [number, Uint8Array], body: string, answer: string]
  const whole: Step[] = [
    [block1(0, true), A, '2.31'],
    [block1(1, true), B, '2.31'],
    [block1(2, false), C, '2.04'],
  ]
  const cases: Record<string, { steps: Step[]; kept: number }> = {
    'in order': { steps: whole, kept: 1 },
    'never finished': { steps: whole.slice(0, 2), kept: 0 },
    'begun anew': { steps: [whole[0]!, whole[1]!, ...whole], kept: 1 },
    'a block said twice': { steps: [whole[0]!, whole[1]!, whole[1]!, whole[2]!], kept: 1 },
    'the end without a beginning': { steps: [[block1(2, false), C, '4.08']], kept: 0 },
    'a gap, and then what was missing': {
      steps: [whole[0]!, [block1(2, false), C, '4.08'], whole[1]!, whole[2]!],
      kept: 1,
    },
    'a block said twice, otherwise': {
      steps: [
        whole[0]!,
        whole[1]!,
        [block1(1, true), B.toUpperCase(), '4.08'],
        [block1(2, false), C, '4.08'],
      ],
      kept: 0,
    },
    'an end before what was there': {
      steps: [whole[0]!, whole[1]!, [block1(1, false), 'x', '4.08']],
      kept: 0,
    },
    'a block that is not full': { steps: [whole[0]!, [block1(1, true), 'short', '4.00']], kept: 0 },
    'a block that is too full': { steps: [[block1(0, false), `${A}!`, '4.00']], kept: 0 },
    'the reserved size': { steps: [[block1(0, false, 7), A, '4.00']], kept: 0 },
    'blocks beyond the limit': { steps: [[block1(4, false, 6), C, '4.13']], kept: 0 },
    'one block that is all': { steps: [[block1(0, false, 6), '{"a":1}', '2.04']], kept: 1 },
    'a whole that is no JSON': { steps: [whole[0]!, [block1(1, false), 'x', '4.00']], kept: 0 },
  }
  for (const [i, [what, { steps, kept: count }]] of Object.entries(cases).entries()) {
    const path = ['feeder', `blocks-${i}`]
    const answers: string[] = []
    // A new token for each block, as libcoap has it: what belongs together is told by peer and path.
    for (const [k, [option, body]] of steps.entries()) {
      const token = Uint8Array.of(i, k)
      answers.push(formatCode((await peer.ask(ask({ token, path, options: [option], body })))[1]!))
    }
    t.strictSame(
      answers,
      steps.map(([, , answer]) => answer),
      what,
    )
    t.equal(kept(path[1]!).length, count, `${what}: reports`)
  }
  t.strictSame(kept('blocks-0')[0]?.state, { a: '0123456789abcdefghijklmnopz' })
  t.equal(kept('blocks-0')[0]?.link?.size, A.length + B.length + C.length)
})

t.test(
  'uploads of several things by one peer do not mix, nor two of one thing with tags of their own',
  async (t) => {
    const send = async (
      thing: string,
      tag: string,
      option: [number, Uint8Array],
      body: string,
    ): Promise<string> => {
      const options: [number, Uint8Array][] = tag === '' ? [option] : [option, [292, hex(tag)]]
      return formatCode((await peer.ask(ask({ path: ['feeder', thing], options, body })))[1]!)
    }
    const ways = [
      ['mix-a', ''],
      ['mix-b', ''],
      ['mix-a', '01'],
      ['mix-a', '02'],
    ] as const
    for (const [i, [thing, tag]] of ways.entries())
      t.equal(await send(thing, tag, block1(0, true), `{"a":"000000000${i}`), '2.31')
    for (const [thing, tag] of ways) t.equal(await send(thing, tag, block1(1, false), '"}'), '2.04')
    t.strictSame(
      kept('mix-a').map(({ state }) => state?.['a']),
      ['0000000000', '0000000002', '0000000003'],
    )
    t.strictSame(
      kept('mix-b').map(({ state }) => state?.['a']),
      ['0000000001'],
    )
  },
)

t.test('Observe of what cannot be observed is an ordinary GET', async (t) => {
  const bytes = ask({ code: 1, path: ['health'], token: hex('77'), options: [[6, '']] })
  const answer = decode(await peer.ask(bytes))
  t.strictSame(answer.ok && answer.message.options.map(({ number }) => number), [12])
})

t.test('after all this: alive, never above three times, and every datagram counted once', async (t) => {
  await crowd.account(t)
})
