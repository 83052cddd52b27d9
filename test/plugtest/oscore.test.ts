import { formatCode, METHOD } from '@pesebre/coap/codec/codes'
import { OPTION } from '@pesebre/coap/codec/options'
import type { Answer, OutgoingRequest } from '@pesebre/coap/endpoint/types'
import { nodeCrypto } from '@pesebre/coap/node-crypto'
import { protectRequest, verifyResponse } from '@pesebre/coap/oscore/client'
import type { SecurityContext } from '@pesebre/coap/oscore/context'
import { createRequestSecurity } from '@pesebre/coap/oscore/endpoint-client'
import { decodeOscoreOption } from '@pesebre/coap/oscore/option'
import { SEQUENCE_END, SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import t, { type Test } from 'tap'
import { messageOf } from '../coap/endpoint/harness.ts'
import { startUdpProxy } from '../fakes/udp-proxy.ts'
import { clientContext, ID_CONTEXT, serverContext } from './oscore.ts'
import { startPlugtestServer } from './server.ts'
import { answers, bytesIn, has, hex, option, requests, text, uintIn, until, type Wire } from './stage.ts'
import { openUdpEndpoint } from './udp-endpoint.ts'

/**
 * The OSCORE interoperability tests (EricssonResearch/OSCOAP, test-spec5) with our library at both ends. Each looks at what the
 * description says of the wire, and opens what is inside with the keys of both sides.
 */

async function setUp(t: Test, oscore = true) {
  const server = await startPlugtestServer({ periodMs: Infinity, oscore })
  const proxy = await startUdpProxy(server.port)
  const client = await openUdpEndpoint({ settings: { ackTimeoutMs: 200 } })
  t.teardown(() => Promise.all([client.close(), server.close(), proxy.close()]))
  const a = createRequestSecurity({ context: clientContext(), sequence: new SenderSequence(0, SEQUENCE_END) })
  const peer = { address: '127.0.0.1', port: proxy.port }
  const request = (path: string, more: Partial<OutgoingRequest>): OutgoingRequest => ({
    peer,
    method: METHOD.GET,
    path: path.split('/'),
    security: a,
    ...more,
  })
  return {
    server,
    client,
    request,
    ask: (path: string, more: Partial<OutgoingRequest> = {}) => client.ask(request(path, more)),
    wire: (): Wire[] => proxy.trace.map(({ bytes, ...passed }) => ({ ...messageOf(bytes), ...passed })),
  }
}

/** The one exchange on the wire: what can be seen of it from outside. */
function outside(t: Test, wire: readonly Wire[], code = '0.02'): { request: Wire; response: Wire } {
  const [request] = requests(wire)
  const [response] = answers(wire, request!)
  t.equal(formatCode(request!.code), code)
  t.ok(has(request!, OPTION.OSCORE))
  t.notOk(has(request!, OPTION.URI_PATH))
  return { request: request!, response: response! }
}

function isHello(t: Test, answer: Answer): void {
  t.match(answer, { contentFormat: 0, payload: Buffer.from('Hello World!') })
  t.equal(formatCode(answer.code), '2.05')
}

t.test('TEST_0: GET of a resource that is not protected', async (t) => {
  const { ask, wire } = await setUp(t)
  isHello(t, await ask('oscore/hello/coap', { security: undefined }))
  t.notOk(wire().some((message) => has(message, OPTION.OSCORE)))
})

t.test('TEST_1: GET with OSCORE', async (t) => {
  const { ask, wire } = await setUp(t)
  isHello(t, await ask('oscore/hello/1'))
  const { request, response } = outside(t, wire())
  t.equal(hex(bytesIn(request, OPTION.OSCORE)[0]!), '0900', 'Partial IV 0, and a Sender ID of no bytes')
  t.equal(formatCode(response.code), '2.04')
  t.same(
    response.options.map(({ number }) => number),
    [OPTION.OSCORE],
  )
})

t.test('TEST_2: GET with the ID Context in the OSCORE option', async (t) => {
  const { ask, wire } = await setUp(t)
  const sequence = new SenderSequence(0, SEQUENCE_END)
  const security = createRequestSecurity({
    context: clientContext(ID_CONTEXT),
    sequence,
    sendsIdContext: true,
  })
  isHello(t, await ask('oscore/hello/1', { security }))
  const { request, response } = outside(t, wire())
  t.equal(
    hex(decodeOscoreOption(bytesIn(request, OPTION.OSCORE)[0]!)?.kidContext ?? new Uint8Array()),
    hex(ID_CONTEXT),
  )
  const option = decodeOscoreOption(bytesIn(response, OPTION.OSCORE)[0]!)
  t.equal(option?.kidContext, undefined)
  t.equal(option?.kid, undefined)
})

t.test('TEST_3: GET with Uri-Query, answered with an ETag', async (t) => {
  const { ask, wire } = await setUp(t)
  const answer = await ask('oscore/hello/2', { query: ['first=1'] })
  isHello(t, answer)
  t.equal(hex(answer.options.find(({ number }) => number === OPTION.ETAG)!.value), '2b')
  const { request, response } = outside(t, wire())
  t.notOk(has(request, OPTION.URI_QUERY))
  t.notOk(has(response, OPTION.ETAG))
})

t.test('TEST_4: GET with Accept, answered with Max-Age', async (t) => {
  const { ask, wire } = await setUp(t)
  const answer = await ask('oscore/hello/3', { accept: 0 })
  isHello(t, answer)
  t.equal(answer.maxAge, 5)
  const { request } = outside(t, wire())
  t.notOk(has(request, OPTION.ACCEPT))
})

t.test('TEST_5: GET with Observe of a resource that cannot be observed', async (t) => {
  const { ask, wire } = await setUp(t)
  isHello(t, await ask('oscore/hello/1', { observe: true }))
  const { request, response } = outside(t, wire(), '0.05')
  t.equal(uintIn(request, OPTION.OBSERVE), 0)
  t.equal(formatCode(response.code), '2.04')
  t.notOk(has(response, OPTION.OBSERVE))
})

t.test('TEST_6: an observation that the server ends', async (t) => {
  const { client, request, server, wire } = await setUp(t)
  const heard: [string, string, boolean][] = []
  client.send(request('oscore/observe1', { observe: true }), {
    onAnswer: ({ code, payload }, isFinal) => heard.push([formatCode(code), text({ payload }), isFinal]),
    onFailure: (reason) => t.fail(reason),
  })
  await until('the first state', () => heard.length === 1)
  server.tick()
  await until('the second', () => heard.length === 2 && server.endpoint().sizes().transmissions === 0)
  server.tick()
  await until('the end', () => heard.length === 3)
  t.same(heard, [
    ['2.05', 'one', false],
    ['2.05', 'two', false],
    ['5.00', 'Terminate Observe', true],
  ])
  const [first] = requests(wire())
  t.equal(formatCode(first!.code), '0.05')
  const notifications = answers(wire(), first!)
  t.same(
    notifications.map(({ code }) => formatCode(code)),
    ['2.05', '2.05', '2.04'],
  )
  t.same(
    notifications.map((message) => has(message, OPTION.OBSERVE)),
    [true, true, false],
  )
  const numbers = notifications.map(
    (message) => decodeOscoreOption(bytesIn(message, OPTION.OSCORE)[0]!)?.partialIv,
  )
  t.same(numbers, [undefined, 0, 1])
  t.equal(server.endpoint().sizes().observers, 0)
})

t.test('TEST_7: an observation that the client takes back', async (t) => {
  const { client, request, server, wire } = await setUp(t)
  const heard: string[] = []
  const cancel = client.send(request('oscore/observe2', { observe: true }), {
    onAnswer: ({ payload }) => heard.push(text({ payload })),
    onFailure: (reason) => t.fail(reason),
  })
  await until('the first state', () => heard.length === 1)
  server.tick()
  await until('the second', () => heard.length === 2)
  cancel()
  await until('the end', () => server.endpoint().sizes().observers === 0)
  t.same(heard, ['one', 'two'])
  const all = requests(wire())
  t.same(
    all.map((message) => uintIn(message, OPTION.OBSERVE)),
    [0, 1],
  )
  t.same(
    all.map((message) => formatCode(message.code)),
    ['0.05', '0.05'],
  )
  t.equal(hex(all[1]!.token), hex(all[0]!.token))
})

t.test('TEST_8: POST', async (t) => {
  const { ask, wire } = await setUp(t)
  const answer = await ask('oscore/hello/6', {
    method: METHOD.POST,
    contentFormat: 0,
    payload: Uint8Array.of(0x4a),
  })
  t.equal(formatCode(answer.code), '2.04')
  t.match(answer, { contentFormat: 0, payload: Buffer.of(0x4a) })
  outside(t, wire())
})

t.test('TEST_9: PUT with If-Match', async (t) => {
  const { ask, wire } = await setUp(t)
  const options = [option(OPTION.IF_MATCH, Uint8Array.of(0x7b))]
  const more = { method: METHOD.PUT, contentFormat: 0, options, payload: Uint8Array.of(0x7a) }
  t.equal(formatCode((await ask('oscore/hello/7', more)).code), '2.04')
  t.notOk(has(outside(t, wire()).request, OPTION.IF_MATCH))
  const other = { ...more, options: [option(OPTION.IF_MATCH, Uint8Array.of(0x7c))] }
  t.equal(formatCode((await ask('oscore/hello/7', other)).code), '4.12')
})

t.test('TEST_10: PUT with If-None-Match', async (t) => {
  const { ask, wire } = await setUp(t)
  const options = [option(OPTION.IF_NONE_MATCH)]
  const more = { method: METHOD.PUT, contentFormat: 0, options, payload: Uint8Array.of(0x8a) }
  t.equal(formatCode((await ask('oscore/hello/7', more)).code), '4.12')
  t.equal(formatCode(outside(t, wire()).response.code), '2.04', 'nothing is to be seen outside')
})

t.test('TEST_11: DELETE', async (t) => {
  const { ask, wire } = await setUp(t)
  t.equal(formatCode((await ask('oscore/test', { method: METHOD.DELETE })).code), '2.02')
  outside(t, wire())
})

function sealedBy(key: string, nonce: string): string {
  const aad = new Uint8Array(0)
  const data = Uint8Array.of(1)
  return hex(nodeCrypto.seal({ key: Buffer.from(key, 'hex'), nonce: Buffer.from(nonce, 'hex'), aad, data }))
}

/** Sends a request that is protected, and then spoilt, as a plain one, and resolves with what comes back as it is. */
async function spoilt(
  { ask }: Awaited<ReturnType<typeof setUp>>,
  context: SecurityContext,
  change: { kid?: string; number?: number } = {},
) {
  const sequence = new SenderSequence(change.number ?? 0, SEQUENCE_END)
  const path = ['oscore', 'hello', '1'].map((segment) => option(OPTION.URI_PATH, segment))
  const made = protectRequest(
    { code: METHOD.GET, options: path, payload: new Uint8Array(0) },
    { context, sequence },
  )
  if (!made.ok) throw new Error(made.reason)
  const { request, sent } = made
  const options = request.options.map(({ number, value }) =>
    option(
      number,
      number === OPTION.OSCORE ? Buffer.concat([value, Buffer.from(change.kid ?? '', 'hex')]) : value,
    ),
  )
  const {
    code,
    payload,
    options: back,
  } = await ask('', {
    method: request.code,
    path: [],
    options,
    payload: request.payload,
    security: undefined,
  })
  return { code: formatCode(code), text: text({ payload }), payload, options: back, sent }
}

t.test('TEST_12: a Sender ID that the server does not know', async (t) => {
  const answer = await spoilt(await setUp(t), clientContext(), { kid: '99' })
  t.match(answer, { code: '4.01', text: 'Security context not found' })
})

t.test('TEST_13: another Sender Key', async (t) => {
  // The context of the ID Context, without sending that.
  const answer = await spoilt(await setUp(t), clientContext(ID_CONTEXT))
  t.match(answer, { code: '4.00', text: 'Decryption failed' })
})

t.test('TEST_14: another Recipient Key: the client does not take the answer', async (t) => {
  const scene = await setUp(t)
  const { wire, ask } = scene
  isHello(t, await ask('oscore/hello/1'))
  const { response } = outside(t, wire())
  const other = protectRequest(
    { code: METHOD.GET, options: [], payload: new Uint8Array(0) },
    { context: clientContext(ID_CONTEXT), sequence: new SenderSequence(0, SEQUENCE_END) },
  )
  if (!other.ok) return t.fail(other.reason)
  t.same(verifyResponse(response, other.sent), { ok: false, reason: 'decryption-failed' })
})

t.test('TEST_15: the same sequence number once more', async (t) => {
  const scene = await setUp(t)
  isHello(t, await scene.ask('oscore/hello/1'))
  t.match(await spoilt(scene, clientContext()), { code: '4.01', text: 'Replay detected' })
  isHello(t, await scene.ask('oscore/hello/1'))
})

t.test('TEST_16: a server that knows nothing of OSCORE', async (t) => {
  t.match(await spoilt(await setUp(t, false), clientContext()), { code: '4.02' })
})

t.test('TEST_17: a protected resource without OSCORE', async (t) => {
  const { ask } = await setUp(t)
  const paths = ['hello/1', 'hello/2', 'hello/3', 'hello/6', 'hello/7', 'observe1', 'observe2', 'test']
  for (const path of paths) {
    t.equal(formatCode((await ask(`oscore/${path}`, { security: undefined })).code), '4.01', path)
  }
})

t.test('the security contexts have the keys of the specification', (t) => {
  // A GET of nothing under Partial IV 0, by Sender Key and Common IV of A and of C, and an answer by those of B and of D.
  const seal = (context: SecurityContext): string =>
    hex(context.encrypt({ partialIv: 0, madeBy: 'sender' }, new Uint8Array(0), Uint8Array.of(1)))
  t.equal(seal(clientContext()), sealedBy('f0910ed7295e6ad4b54fc793154302ff', '4622d4dd6d944168eefb54987c'))
  t.equal(seal(serverContext()), sealedBy('ffb14e093c94c9cac9471648b4f98710', '4722d4dd6d944169eefb54987c'))
  t.equal(
    seal(clientContext(ID_CONTEXT)),
    sealedBy('af2a1300a5e95788b356336eeecd2b92', '2ca58fb85ff1b81c0b7181b85e'),
  )
  t.equal(
    seal(serverContext(ID_CONTEXT)),
    sealedBy('e39a0c7c77b43f03b4b39ab9a268699f', '2da58fb85ff1b81d0b7181b85e'),
  )
  t.end()
})
