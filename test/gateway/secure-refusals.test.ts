import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { METHOD } from '@pesebre/coap/codec/codes'
import { decode, encode, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { decodeOscoreOption, encodeOscoreOption } from '@pesebre/coap/oscore/option'
import t, { type Test } from 'tap'
import { type GatewayProcess, startGateway } from '../fakes/gateway-process.ts'
import { type Attack, ask, attack, keptIn, said } from './attack.ts'
import { createSecureDevice, type DeviceOptions, fleetKeyFile, hear, type Sent } from './secure-device.ts'

t.setTimeout(120_000)

const UNLIMITED = {
  PESEBRE_ADDRESS_RATE: '1e9',
  PESEBRE_ADDRESS_BURST: '1000000000',
  PESEBRE_REFUSAL_RATE: '1e9',
  PESEBRE_REFUSAL_BURST: '1000000000',
}

async function secured(
  t: Test,
  env: Record<string, string> = {},
): Promise<{ gateway: GatewayProcess; crowd: Attack }> {
  const gateway = await startGateway({
    env: { PESEBRE_STOP_TIMEOUT_MS: '100', PESEBRE_FLEET_KEYS: fleetKeyFile(t), ...env },
  })
  t.teardown(gateway.stop)
  return { gateway, crowd: attack(gateway) }
}

/** The same datagram with another OSCORE option, payload or the like. */
function changed(
  { bytes }: Sent,
  change: {
    kid?: Uint8Array
    kidContext?: Uint8Array
    option?: Uint8Array
    payload?: (old: Uint8Array) => Uint8Array
  },
): Uint8Array {
  const decoded = decode(bytes)
  if (!decoded.ok) throw new Error(decoded.reason)
  const { message } = decoded
  const options = message.options.map(({ number, value }) => {
    if (number !== OPTION.OSCORE) return { number, value }
    const { kid, kidContext, option } = change
    const parts = { ...decodeOscoreOption(value), ...(kid && { kid }), ...(kidContext && { kidContext }) }
    return { number, value: option ?? encodeOscoreOption(parts) }
  })
  const payload = change.payload ? change.payload(message.payload) : message.payload
  return encode({ ...message, options, payload })
}

/** Hash of everything that the journals hold. */
function stateOf({ journalDir }: GatewayProcess): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(join(journalDir, '0')).sort())
    if (name.endsWith('.journal')) hash.update(readFileSync(join(journalDir, '0', name)))
  return hash.digest('hex')
}

t.test(
  'S1, S7, S9, S13: nobody without the key changes anything, nor learns which devices there are',
  async (t) => {
    const { gateway, crowd } = await secured(t, UNLIMITED)
    const peer = await crowd.peer()
    const real = createSecureDevice({ number: 1 })
    const other = createSecureDevice({ number: 2 })
    for (const device of [real, real, other]) {
      const sent = device.checkIn()
      t.equal(hear(await peer.ask(sent.bytes), sent).code, '2.04')
    }
    const before = stateOf(gateway)
    const wrong = (options: Partial<DeviceOptions>) =>
      createSecureDevice({ number: 1, next: 100, fleetKey: Buffer.alloc(32, 8), ...options }).checkIn()
    const flip = (payload: Uint8Array) => payload.map((byte, i) => (i === 3 ? byte ^ 1 : byte))
    const cases: [name: string, bytes: Uint8Array][] = [
      ['wrong key, known device', wrong({}).bytes],
      ['wrong key, known device, a number of long ago', wrong({ next: 0 }).bytes],
      ['wrong key, unknown device', wrong({ number: 99 }).bytes],
      ['a fleet key that is not there', wrong({ version: 2 }).bytes],
      ['a kind that is not there', changed(wrong({}), { kid: Uint8Array.of(0x91, 0, 0, 0, 1) })],
      ['a camera, which has no kid', changed(wrong({}), { kid: Uint8Array.of(0x21, 0, 0, 0, 1) })],
      ['a kid that is too short', changed(wrong({}), { kid: Uint8Array.of(0x11, 1) })],
      ["another device's kid", changed(real.checkIn(), { kid: other.kid })],
      ["another gateway's context", real.checkIn({}, { gateway: 'b' }).bytes],
      ['a kid context that is not ours', changed(real.checkIn(), { kidContext: Buffer.from('b') })],
      ['a bit of the ciphertext turned', changed(real.checkIn(), { payload: flip })],
      ['the ciphertext cut', changed(real.checkIn(), { payload: (old) => old.subarray(0, 8) })],
      [
        'a seen number under a new message id',
        changed(real.checkIn(), { option: encodeOscoreOption({ partialIv: 0, kid: real.kid }) }),
      ],
    ]
    const answers = new Set<string>()
    for (const [name, bytes] of cases) {
      const answer = await peer.ask(bytes)
      t.equal(said(answer), 'ACK 4.01', name)
      // All but message id and token.
      answers.add(answer.subarray(4 + (answer[0]! & 15)).toString('hex'))
    }
    t.equal(answers.size, 1, 'all refusals are alike')
    const replayed = real.checkIn()
    await peer.ask(replayed.bytes)
    const after = stateOf(gateway)
    t.not(after, before, 'a real one does change the journal')
    const again = Buffer.from(replayed.bytes)
    again.writeUInt16BE(0x7777, 2)
    t.equal(said(await peer.ask(again)), 'ACK 4.01', 'a replay under another message id')
    t.equal(said(await peer.ask(ask({ path: ['u'], body: '{"state":{"a":1}}' }))), 'ACK 4.01 OSCORE only')
    t.equal(
      said(await peer.ask(ask({ code: METHOD.GET, path: ['commands'], token: Buffer.alloc(8) }))),
      'ACK 4.01 OSCORE only',
    )
    for (const thing of ['feeder-00000001', 'camera-00000001', 'test-ffffffff'])
      t.equal(
        said(await peer.ask(ask({ path: ['feeder', thing], body: '{"a":1}' }))),
        'ACK 4.03 Registered device: OSCORE only',
        'the open form does not speak for a registered device',
      )
    t.equal(stateOf(gateway), after, 'nothing of all that is in the journal')
    const good = real.checkIn()
    t.equal(hear(await peer.ask(good.bytes), good).code, '2.04', 'none of it has moved the window')
    await crowd.account(t)
  },
)

t.test('what a verified device does wrong is said to it alone, under a number of our own', async (t) => {
  const { gateway, crowd } = await secured(t)
  const peer = await crowd.peer()
  const device = createSecureDevice({ number: 3 })
  const cases: [expected: string, sent: Sent][] = [
    ['4.05 Only POST', device.request({ method: METHOD.GET })],
    ['4.05 Only GET', device.request({ path: ['commands'] })],
    ['4.04 No such resource', device.request({ path: ['nothing'] })],
    ['4.03 Registered device: POST /u', device.request({ path: ['feeder', 'bella'] })],
    ['4.00 CBOR declares more than it holds', device.request({ payload: Uint8Array.of(0xa1, 0x00) })],
    [
      '4.00 /age_s: not an integer from 0 to 2147483647',
      device.request({ payload: Uint8Array.of(0xa1, 1, 0x20) }),
    ],
    ['4.00 Duplicate key in a map', device.request({ payload: Uint8Array.of(0xa2, 1, 1, 1, 1) })],
    [
      '4.15 Content-Format must be 60, 50, 112 or 110',
      device.request({
        options: [{ number: OPTION.CONTENT_FORMAT, value: Uint8Array.of(0) }],
        payload: Buffer.from('1'),
      }),
    ],
    [
      '4.06 Only Content-Format 60 and 50',
      device.request({ options: [{ number: OPTION.ACCEPT, value: Uint8Array.of(40) }] }),
    ],
  ]
  for (const [expected, sent] of cases) {
    const answer = await peer.ask(sent.bytes)
    const { code, payload, message } = hear(answer, sent)
    t.equal(`${code} ${Buffer.from(payload).toString()}`, expected)
    const option = decodeOscoreOption(message.options.find(({ number }) => number === OPTION.OSCORE)!.value)
    t.ok(option?.partialIv !== undefined, 'not settled: a Partial IV of our own')
  }
  t.strictSame(keptIn(gateway, device.thing), [])
  await crowd.account(t)
})

t.test('a device that reports too often gets 4.29 with Max-Age, protected', async (t) => {
  const { crowd } = await secured(t)
  const peer = await crowd.peer()
  const device = createSecureDevice({ number: 4 })
  const codes = new Set<string>()
  for (let i = 0; i < 40; i++) {
    const sent = device.checkIn()
    const { code } = hear(await peer.ask(sent.bytes), sent)
    codes.add(code)
  }
  t.strictSame([...codes], ['2.04', '4.29'])
  await crowd.account(t)
})

t.test(
  'S10: 10,000 failures from its address and for its kid do not lock a device out; refusals are rare',
  async (t) => {
    const { gateway, crowd } = await secured(t, {
      PESEBRE_ADDRESS_RATE: '1e9',
      PESEBRE_ADDRESS_BURST: '1000000000',
    })
    const peer = await crowd.peer()
    const bad = createSecureDevice({ number: 5, fleetKey: Buffer.alloc(32, 9) })
    let answered = 0
    for (let i = 0; i < 50; i++) {
      const batch = Array.from({ length: 200 }, () => bad.checkIn().bytes)
      answered += (await peer.provoke(...batch)).length
    }
    t.ok(answered >= 20 && answered < 1000, `${answered} of 10,000 were answered`)
    const real = createSecureDevice({ number: 5 })
    const sent = real.checkIn()
    t.equal(hear(await peer.ask(sent.bytes), sent).code, '2.04')
    const metrics = await gateway.metrics()
    t.ok(metrics['pesebre_contexts']! < 10)
    await crowd.account(t)
  },
)

t.test(
  'S11: 20,000 kids that nobody has cost little memory, and the next good device is served',
  async (t) => {
    const { gateway, crowd } = await secured(t, {
      ...UNLIMITED,
      PESEBRE_DEVICE_RATE: '1e6',
      PESEBRE_DEVICE_BURST: '1000000',
    })
    const peer = await crowd.peer()
    const real = createSecureDevice({ number: 6 })
    const ping = async () => {
      const sent = real.checkIn()
      const began = performance.now()
      t.equal(hear(await peer.ask(sent.bytes), sent).code, '2.04')
      return performance.now() - began
    }
    // Warm, as a gateway is: what its first thousands of requests take is no flood's doing.
    const warm = () => real.checkIn().bytes
    await crowd.flood({ count: 20_000, peers: [peer], answered: true, datagram: warm })
    const template = createSecureDevice({ number: 7, fleetKey: Buffer.alloc(32, 9) }).checkIn()
    const junk = (i: number) => {
      const kid = Uint8Array.of(0x11, 0x77, i >> 16, i >> 8, i)
      const bytes = changed(template, { kid })
      bytes[2] = i >> 8
      bytes[3] = i
      return bytes
    }
    const before = gateway.rss()
    const codes = await crowd.flood({ count: 20_000, peers: [peer], answered: true, datagram: junk })
    const grown = gateway.rss() - before
    t.strictSame([...codes], [[0x81, 20_000]])
    t.ok(grown < 40_000_000, `memory grew by ${Math.round(grown / 1e6)} MB`)
    t.comment(
      `next good answer after ${(await ping()).toFixed(1)} ms, memory grew by ${Math.round(grown / 1e6)} MB`,
    )
    await crowd.account(t)
  },
)

t.test(
  'S4: the same protected request from many ports, over two workers: one effect, one answer, no nonce twice',
  async (t) => {
    const { gateway, crowd } = await secured(t, {
      ...UNLIMITED,
      PESEBRE_WORKERS: '2',
      PESEBRE_DEVICE_RATE: '1e6',
      PESEBRE_DEVICE_BURST: '1000000',
    })
    const peers = await Promise.all(Array.from({ length: 24 }, () => crowd.peer()))
    const device = createSecureDevice({ number: 8 })
    /** What each nonce of the gateway's has encrypted. */
    const sealed = new Map<string, string>()
    let rounds = 0
    let doubled = 0
    for (; rounds < 60; rounds++) {
      // Every third is refused after it was opened: those answers have numbers of the gateway's own.
      const isBad = rounds % 3 === 2
      const sent = isBad
        ? device.request({ path: ['nothing'] })
        : device.checkIn({}, { type: rounds % 2 === 0 ? TYPE.CON : TYPE.NON })
      const answers = await Promise.all(
        peers.map(async (peer) => [peer, await peer.ask(sent.bytes)] as const),
      )
      let taken = 0
      for (const [, answer] of answers) {
        const decoded = decode(answer)
        const option = decoded.ok
          ? decoded.message.options.find(({ number }) => number === OPTION.OSCORE)
          : undefined
        if (!decoded.ok || option === undefined) continue
        taken++
        const own = decodeOscoreOption(option.value)!.partialIv
        const nonce = own === undefined ? `request ${sent.partialIv}` : `own ${own}`
        const ciphertext = Buffer.from(decoded.message.payload).toString('hex')
        if (sealed.has(nonce) && sealed.get(nonce) !== ciphertext) doubled++
        sealed.set(nonce, ciphertext)
        t.equal(hear(answer, sent).code, isBad ? '4.04' : '2.04')
      }
      t.equal(taken, 1, 'one of all is answered')
    }
    t.equal(doubled, 0)
    t.equal(sealed.size, rounds)
    const lines = ['0', '1'].flatMap((worker) =>
      readdirSync(join(gateway.journalDir, worker))
        .filter((name) => name.endsWith('.journal'))
        .flatMap((name) => readFileSync(join(gateway.journalDir, worker, name), 'utf8').split('\n'))
        .filter((line) => line.includes(device.thing)),
    )
    t.equal(lines.length, 40, 'each is kept once')
    await crowd.account(t)
  },
)
