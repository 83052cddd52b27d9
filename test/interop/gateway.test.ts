/** The real gateway and clients that we did not write: what they report is what arrives in the queue, once. */
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { parseLinks } from '@pesebre/coap/codec/link-format'
import { decode, encode, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { uintBytes } from '@pesebre/coap/codec/uint'
import { encode as cbor } from 'cbor-x'
import t from 'tap'
import { createUdpPeer } from '../fakes/udp-peer.ts'
import type { Asked } from './clients/client.ts'
import { lacksLibcoapClient, libcoapClient } from './clients/libcoap.ts'
import { eachClient, startStage } from './gateway-stage.ts'

t.setTimeout(120_000)
const { gateway, path, reports } = await startStage()

/** Thing names and what should arrive of each, in order. */
const expected: Record<string, unknown[]> = {}

function expect(thing: string, ...states: unknown[]): void {
  expected[thing] = [...(expected[thing] ?? []), ...states]
}

const READING = { hopper_pct: 62, battery_mv: 3710, name: 'Bella ♞' }
const PACK = [
  { bn: 'temperature', bt: -60, bu: 'Cel', v: 20.5 },
  { t: 30, v: 21 },
]
/** Content-Format, body, and the states that it stands for. */
const FORMATS = {
  json: [CONTENT_FORMAT.JSON, Buffer.from(JSON.stringify(READING)), [READING]],
  cbor: [CONTENT_FORMAT.CBOR, cbor(READING), [READING]],
  senml_json: [
    CONTENT_FORMAT.SENML_JSON,
    Buffer.from(JSON.stringify(PACK)),
    [{ temperature: 20.5 }, { temperature: 21 }],
  ],
  senml_cbor: [
    CONTENT_FORMAT.SENML_CBOR,
    // [{-2: "temperature", 2: 21.5}]
    Buffer.from(`81a2216b${Buffer.from('temperature').toString('hex')}02f94d60`, 'hex'),
    [{ temperature: 21.5 }],
  ],
  text: [CONTENT_FORMAT.TEXT, Buffer.from('21.5'), [{ value: 21.5 }]],
  words: [CONTENT_FORMAT.TEXT, Buffer.from('door open'), [{ value: 'door open' }]],
  guessed: [undefined, Buffer.from('{"a":1}'), [{ a: 1 }]],
} as const

eachClient('reports in every format, CON and NON, POST and PUT', async (t, client, name) => {
  for (const [format, [contentFormat, payload, states]] of Object.entries(FORMATS)) {
    for (const confirmable of [true, false]) {
      const thing = `${name}-${format}-${confirmable ? 'con' : 'non'}`
      const method = confirmable ? 'post' : 'put'
      const asked: Asked = { method, path: `feeder/${thing}`, confirmable, payload }
      const { code = '2.04' } = await client.ask(
        path.port,
        contentFormat === undefined ? asked : { ...asked, contentFormat },
      )
      t.equal(code, '2.04', thing)
      expect(thing, ...states)
    }
  }
})

for (const [size, blockSize] of [
  [900, 16],
  [900, 64],
  [2_000, 128],
  [3_000, 256],
  [4_000, 512],
  [4_000, 1_024],
] as const) {
  eachClient(`a report of ${size} bytes in blocks of ${blockSize}`, async (t, client, name) => {
    const state = { note: 'x'.repeat(size) }
    const thing = `${name}-${size}-${blockSize}`
    const { code = '2.04' } = await client.ask(path.port, {
      method: 'post',
      path: `feeder/${thing}`,
      contentFormat: CONTENT_FORMAT.JSON,
      payload: JSON.stringify(state),
      blockSize,
    })
    t.equal(code, '2.04')
    expect(thing, state)
  })
}

/** What is asked, the code, and the words of the answer. */
const REFUSALS: Readonly<Record<string, readonly [asked: Asked, code: string, text: RegExp]>> = {
  'a body that does not parse': [
    { method: 'post', path: 'feeder/bad', contentFormat: CONTENT_FORMAT.JSON, payload: '{"a":' },
    '4.00',
    /Body is not valid JSON/,
  ],
  'a name that AWS does not allow': [
    { method: 'post', path: 'feeder/bel.la', contentFormat: CONTENT_FORMAT.JSON, payload: '{"a":1}' },
    '4.00',
    /Id must be/,
  ],
  'a critical option that is unknown': [
    { path: 'health', options: [{ number: 65_001, value: Buffer.from('x') }] },
    '4.02',
    /Option 65001/,
  ],
  'no such resource': [{ path: 'nowhere' }, '4.04', /No such resource/],
  'GET of a thing': [{ path: 'feeder/bella' }, '4.05', /Only POST and PUT/],
  'DELETE of a thing': [{ method: 'delete', path: 'feeder/bella' }, '4.05', /Only POST and PUT/],
  'a format that is not offered': [
    { path: 'health', accept: CONTENT_FORMAT.XML },
    '4.06',
    // Cut short where it would make the answer larger than three times the request.
    /Only Content-Format/,
  ],
  'a body over the limit, in blocks': [
    {
      method: 'post',
      path: 'feeder/bad',
      contentFormat: CONTENT_FORMAT.JSON,
      payload: JSON.stringify({ a: 'x'.repeat(5_000) }),
      blockSize: 512,
    },
    '4.13',
    /^(4\.13\n)?$/,
  ],
  'a format that is not taken': [
    { method: 'post', path: 'feeder/bad', contentFormat: CONTENT_FORMAT.XML, payload: '<a/>' },
    '4.15',
    /Content-Format must be/,
  ],
  'a request to a proxy': [
    { path: 'health', options: [{ number: OPTION.PROXY_URI, value: Buffer.from('coap://example.org/') }] },
    '5.05',
    /^(5\.05\n)?$/,
  ],
}

eachClient('refusals: the client says the code and the words', async (t, client) => {
  for (const [what, [asked, code, text]] of Object.entries(REFUSALS)) {
    const answer = await client.ask(path.port, asked)
    t.equal(answer.code, code, what)
    t.match(answer.payload.toString(), text, what)
  }
})

eachClient('/.well-known/core with filters, and /health in both formats', async (t, client) => {
  const hrefs = async (...query: string[]): Promise<string[] | undefined> => {
    const { payload } = await client.ask(path.port, { path: '.well-known/core', query })
    return parseLinks(payload.toString())?.map(({ href }) => href)
  }
  t.same(await hrefs(), ['/health', '/'])
  t.same(await hrefs('rt=health'), ['/health'])
  t.same(await hrefs('rt=rep*'), ['/'])
  t.same(await hrefs('href=/health'), ['/health'])
  t.same(await hrefs('if=none'), [])
  // A client whose question is short hears the first word only: an answer is at most three times as long.
  const forms = [
    [CONTENT_FORMAT.JSON, '{"ready":true}', '{"ready":true,"open":true,"oscore":false}'],
    [CONTENT_FORMAT.CBOR, 'a1657265616479f5', 'a3657265616479f5646f70656ef5666f73636f7265f4'],
  ] as const
  for (const [accept, ...bodies] of forms) {
    for (const confirmable of [true, false]) {
      const { payload } = await client.ask(path.port, { path: 'health', accept, confirmable })
      const body = payload.toString(accept === CONTENT_FORMAT.JSON ? 'utf8' : 'hex')
      t.ok((bodies as readonly string[]).includes(body), body)
    }
  }
})

t.test('tokens of 0 to 8 bytes come back as they were', async (t) => {
  const peer = await createUdpPeer({ to: path.port })
  t.teardown(() => peer.close())
  for (let length = 0; length <= 8; length++) {
    for (const type of [TYPE.CON, TYPE.NON]) {
      const token = Buffer.alloc(length, 0xa5)
      const thing = `token-${length}-${type}`
      const answer = decode(await peer.ask(report({ type, messageId: length * 2 + type, token, thing })))
      if (!answer.ok) throw new Error(answer.reason)
      t.match(answer.message, { type: type === TYPE.CON ? TYPE.ACK : TYPE.NON, code: 0x44 })
      t.same(Buffer.from(answer.message.token), token)
      expect(thing, { a: 1 })
    }
  }
})

t.test(
  "libcoap's client with a token of eight bytes, its own port in Uri-Port",
  { skip: lacksLibcoapClient },
  async (t) => {
    const client = libcoapClient(['-T', '12345678'])
    const body = { contentFormat: CONTENT_FORMAT.JSON, payload: '{"a":1}' } as const
    await client.ask(path.port, { method: 'post', path: 'feeder/eight', ...body })
    const last = decode(path.trace.findLast(({ from }) => from === 'client')!.bytes)
    t.ok(last.ok && last.message.token.length === 8)
    const port = last.ok && last.message.options.find(({ number }) => number === OPTION.URI_PORT)
    t.same(port && Buffer.from(port.value), Buffer.from(uintBytes(path.port)))
    t.not(path.port, gateway.coapPort)
    expect('eight', { a: 1 })
  },
)

t.test('a new token for each block of one upload, and Size1', async (t) => {
  const peer = await createUdpPeer({ to: path.port })
  t.teardown(() => peer.close())
  const body = Buffer.from(JSON.stringify({ note: 'y'.repeat(150) }))
  for (const [at, code] of [0x5f, 0x5f, 0x44].entries()) {
    const answer = decode(
      await peer.ask(
        report({
          type: TYPE.CON,
          messageId: 100 + at,
          token: Buffer.from([at, 77]),
          thing: 'tokens-of-blocks',
          payload: body.subarray(at * 64, at * 64 + 64),
          options: [
            { number: OPTION.BLOCK1, value: uintBytes(at * 16 + (at < 2 ? 8 : 0) + 2) },
            ...(at === 0 ? [{ number: OPTION.SIZE1, value: uintBytes(body.length) }] : []),
          ],
        }),
      ),
    )
    t.match(answer, { ok: true, message: { type: TYPE.ACK, code, messageId: 100 + at } })
    t.same(answer.ok && Buffer.from(answer.message.token), Buffer.from([at, 77]))
  }
  expect('tokens-of-blocks', JSON.parse(body.toString()))
})

function report({
  type,
  messageId,
  token,
  thing,
  payload = Buffer.from('{"a":1}'),
  options = [],
}: Draft): Uint8Array {
  return encode({
    type,
    code: 2,
    messageId,
    token,
    options: [
      { number: OPTION.URI_PATH, value: Buffer.from('feeder') },
      { number: OPTION.URI_PATH, value: Buffer.from(thing) },
      { number: OPTION.CONTENT_FORMAT, value: uintBytes(CONTENT_FORMAT.JSON) },
      ...options,
    ],
    payload,
  })
}
type Draft = {
  type: number
  messageId: number
  token: Uint8Array
  thing: string
  payload?: Uint8Array
  options?: { number: number; value: Uint8Array }[]
}

t.test('all of it is in the queue, once, and nothing else', async (t) => {
  const found: Record<string, unknown[]> = {}
  for (const { thing, type, state } of await reports()) {
    t.equal(type, 'feeder')
    found[thing] = [...(found[thing] ?? []), state]
  }
  t.same(Object.keys(found).toSorted(), Object.keys(expected).toSorted())
  for (const [thing, states] of Object.entries(expected)) t.same(found[thing], states, thing)
})

t.end()
