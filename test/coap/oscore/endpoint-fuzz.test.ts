import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { decode, encode, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { SECURITY_REASONS } from '@pesebre/coap/endpoint/outcomes'
import type { Effect, Response } from '@pesebre/coap/endpoint/types'
import { aadOf } from '@pesebre/coap/oscore/aad'
import { encodeOscoreOption } from '@pesebre/coap/oscore/option'
import t from 'tap'
import { endpointOf, seedOf, total, uint } from '../endpoint/harness.ts'
import { generator } from '../endpoint/network.ts'
import { bytes, hex } from './harness.ts'
import { Device, gatewayOf, Keys } from './secured.ts'

/** Mutations in each run, and the seed that fixes them. */
const RUNS = Number(process.env['PESEBRE_FUZZ_RUNS'] ?? 20_000)
const SEED = Number(process.env['PESEBRE_FUZZ_SEED'] ?? 1)
const SETTINGS = {
  seed: seedOf(SEED),
  exchangesMax: 1 << 12,
  answerBytesMax: 1 << 16,
  pendingMax: 100,
  uploadsMax: 20,
  observersMax: 20,
  downloadBytesMax: 1 << 16,
  transmissionsMax: 50,
}
const ANSWERS: readonly Response[] = [
  { code: CODE.CHANGED, settled: true },
  { code: CODE.CONTENT, payload: new Uint8Array(20), observe: 'obs' },
  { code: CODE.CONTENT, payload: new Uint8Array(3_000), settled: true },
  { code: CODE.NOT_FOUND, payload: new Uint8Array(5) },
]
const edges = [0, 1, 8, 9, 0x0d, 0x0e, 0x0f, 0x19, 0x1d, 0x40, 0x7f, 0x90, 0x9d, 0xd0, 0xe0, 0xee, 0xff]

function mutate(data: Uint8Array, random: () => number): Uint8Array {
  const list = [...data]
  for (let changes = Math.floor(random() * 4); changes > 0; changes--) {
    const at = Math.floor(random() * (list.length + 1))
    const edge = edges[Math.floor(random() * edges.length)]!
    const kind = Math.floor(random() * 5)
    if (kind === 0) list[at] = Math.floor(random() * 256)
    else if (kind === 1) list[at] = edge
    else if (kind === 2) list.splice(at, Math.ceil(random() * 4))
    else if (kind === 3) list.splice(at, 0, edge)
    else list.length = Math.min(list.length, at)
  }
  return Uint8Array.from(list, (byte) => byte ?? 0)
}

/** Whatever is sent is a message; a refusal is small. */
function check(effects: readonly Effect[], sizeMax = Infinity): void {
  for (const effect of effects) {
    if (effect.kind !== 'send') continue
    if (!decode(effect.bytes).ok) throw new Error(`sent what is no message: ${hex(effect.bytes)}`)
    if (effect.bytes.length > sizeMax) throw new Error(`sent too much: ${hex(effect.bytes)}`)
  }
}

t.test(
  `receive(): ${RUNS} mutations of protected datagrams: only what a device has made is taken, once (seed ${SEED})`,
  (t) => {
    const random = generator(SEED)
    const keys = new Keys(1)
    const endpoint = gatewayOf(keys, SETTINGS)
    const device = new Device()
    const made = new Map<number, string>()
    const taken = new Set<number>()
    let refused = 0
    for (let n = 0; n < RUNS; n++) {
      const draft = [
        { payload: `report ${n}` },
        { code: METHOD.GET, options: [uint(OPTION.OBSERVE, 0)], payload: `observe ${n}` },
        { options: [uint(OPTION.BLOCK1, 8)], payload: '16 bytes exactly' },
        { type: TYPE.NON, options: [uint(OPTION.NO_RESPONSE, 26)], payload: `silent ${n}` },
      ][Math.floor(random() * 4)]!
      const ask = device.ask(draft)
      made.set(ask.number, draft.payload)
      const data = mutate(ask.data, random)
      const before = endpoint.counters
      const refusals = SECURITY_REASONS.reduce((sum, reason) => sum + before[reason], 0)
      const effects = endpoint.receive(data, { address: '192.0.2.1', port: 1 + Math.floor(random() * 4) }, n)
      const isRefused = SECURITY_REASONS.reduce((sum, reason) => sum + before[reason], 0) > refusals
      if (isRefused) refused++
      check(effects, isRefused ? 3 * data.length : Infinity)
      for (const effect of effects) {
        if (effect.kind !== 'request') continue
        const { sequence, principal, payload } = effect.request
        if (principal !== undefined) {
          if (sequence === undefined || taken.has(sequence)) throw new Error(`Taken twice: ${sequence}`)
          if (made.get(sequence) !== Buffer.from(payload).toString())
            throw new Error(`Not what was made: ${sequence}`)
          taken.add(sequence)
        }
        check(endpoint.respond(effect.exchange, ANSWERS[Math.floor(random() * ANSWERS.length)]!, n))
      }
      if (random() < 0.02) check(endpoint.notify('obs', ANSWERS[1]!, n))
      if (random() < 0.05) check(endpoint.advance(n))
    }
    t.equal(total(endpoint.counters), RUNS)
    t.ok(taken.size > RUNS / 10, `${taken.size} were taken`)
    t.ok(refused > RUNS / 10, `${refused} were refused`)
    const { observers, uploads, transmissions } = endpoint.sizes()
    t.ok(observers <= 20 && uploads <= 20 && transmissions <= 50)
    t.end()
  },
)

t.test(`receive(): ${RUNS} mutations inside, by one who has a key (seed ${SEED})`, (t) => {
  const random = generator(SEED + 1)
  const keys = new Keys(1)
  const endpoint = gatewayOf(keys, SETTINGS)
  const { context } = new Device()
  const kid = bytes('1000000000')
  // POST to /u with Content-Format and a body; GET with Observe; Block1 with Size1 and a Request-Tag; Proxy-Uri; an OSCORE option.
  const plaintexts = [
    '02b175113cff7b7d',
    '01605175',
    `02b175d10308d11440d1dbaaff${'00'.repeat(16)}`,
    '02d316616263',
    '029100',
  ].map((text) => bytes(text))
  let taken = 0
  for (let n = 0; n < RUNS; n++) {
    const mutated = mutate(plaintexts[n % plaintexts.length]!, random)
    // There is always a code: a ciphertext of nothing but a tag is refused without decrypting it.
    const plaintext = mutated.length === 0 ? Uint8Array.of(0) : mutated
    const aad = aadOf({ kid, partialIv: n })
    const payload = context.encrypt({ partialIv: n, madeBy: 'sender' }, aad, plaintext)
    const options = [
      { number: OPTION.OBSERVE, value: new Uint8Array(0) },
      { number: OPTION.OSCORE, value: encodeOscoreOption({ kid, partialIv: n }) },
      ...(random() < 0.1
        ? [{ number: OPTION.URI_HOST, value: new Uint8Array(Math.floor(random() * 3)) }]
        : []),
    ]
    const header = { type: n % 2, code: METHOD.FETCH, messageId: n & 0xffff, token: Uint8Array.of(n & 7) }
    const effects = endpoint.receive(
      encode({ ...header, options, payload }),
      { address: '192.0.2.1', port: 9 },
      n,
    )
    check(effects)
    for (const effect of effects) {
      if (effect.kind !== 'request') continue
      taken++
      check(endpoint.respond(effect.exchange, ANSWERS[n % ANSWERS.length]!, n))
    }
    if (n % 50 === 0) check([...endpoint.notify('obs', ANSWERS[1]!, n), ...endpoint.advance(n)])
  }
  t.equal(total(endpoint.counters), RUNS)
  t.equal(endpoint.counters['decryption-failed'] + endpoint.counters.replayed, 0)
  t.ok(taken > RUNS / 5, `${taken} were taken`)
  t.end()
})

t.test(
  `receive(): ${RUNS / 4} mutations of protected answers: none but the true one is taken (seed ${SEED})`,
  (t) => {
    const random = generator(SEED + 2)
    const keys = new Keys(1)
    const server = gatewayOf(keys)
    const client = endpointOf()
    const device = new Device()
    const [here, there] = [
      { address: '192.0.2.1', port: 5000 },
      { address: '192.0.2.2', port: 5683 },
    ]
    for (let n = 0; n < RUNS / 4; n++) {
      const now = n * 300_000
      client.advance(now)
      const request = { peer: there, method: METHOD.GET, security: device.security() }
      const [effect] = client.request(request, now).effects
      if (effect?.kind !== 'send') return t.fail('not sent')
      const [asked] = server.receive(effect.bytes, here, now)
      if (asked?.kind !== 'request') return t.fail('not asked')
      const [answer] = server.respond(
        asked.exchange,
        { code: CODE.CONTENT, payload: Buffer.from(`${n}`), settled: true },
        now,
      )
      if (answer?.kind !== 'send') return t.fail('not answered')
      const ends = [mutate(answer.bytes, random), answer.bytes].flatMap((data) =>
        client.receive(data, there, now),
      )
      for (const end of ends) {
        if (end.kind === 'response' && Buffer.from(end.response.payload).toString() !== `${n}`)
          return t.fail(`forged: ${n}`)
      }
    }
    // A mutation can end a request: as an answer that is not protected, or as an RST.
    const { response } = client.counters
    t.ok(response > RUNS / 8, `${response} were answered`)
    t.end()
  },
)
