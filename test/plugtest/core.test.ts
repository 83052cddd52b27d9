/** TD_COAP_CORE_01 to 23 and 31 of the ETSI CoAP#4 plugtest, in a network without loss. */
import { CODE, EMPTY, METHOD } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { decode, encode, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import t, { type Test } from 'tap'
import { createUdpPeer } from '../fakes/udp-peer.ts'
import type { Asked } from '../interop/clients/client.ts'
import { lacksLibcoapClient, libcoapClient } from '../interop/clients/libcoap.ts'
import { openOurClient } from '../interop/clients/ours.ts'
import { startPlugtestServer } from './server.ts'
import {
  bytesIn,
  exchange,
  hex,
  option,
  type Scene,
  setUp,
  td,
  tearDown,
  text,
  textsIn,
  uintIn,
  until,
  type Wire,
} from './stage.ts'

const BODY = { contentFormat: CONTENT_FORMAT.TEXT, payload: 'an arbitrary payload' } as const

const TRANSACTIONS = [
  { id: '01', method: 'get', confirmable: true, codes: [CODE.CONTENT] },
  { id: '02', method: 'delete', confirmable: true, codes: [CODE.DELETED] },
  { id: '03', method: 'put', confirmable: true, codes: [CODE.CHANGED, CODE.CREATED] },
  { id: '04', method: 'post', confirmable: true, codes: [CODE.CREATED, CODE.CHANGED] },
  { id: '05', method: 'get', confirmable: false, codes: [CODE.CONTENT] },
  { id: '06', method: 'delete', confirmable: false, codes: [CODE.DELETED] },
  { id: '07', method: 'put', confirmable: false, codes: [CODE.CHANGED, CODE.CREATED] },
  { id: '08', method: 'post', confirmable: false, codes: [CODE.CREATED, CODE.CHANGED] },
] as const

for (const { id, method, confirmable, codes } of TRANSACTIONS) {
  td(`TD_COAP_CORE_${id}: ${confirmable ? 'CON' : 'NON'} ${method}`, {}, async (t, scene) => {
    const body = method === 'put' || method === 'post' ? BODY : {}
    const shown = await scene.ask({ method, path: 'test', confirmable, ...body })
    const { request, response } = exchange(t, scene)
    t.equal(request.type, confirmable ? TYPE.CON : TYPE.NON)
    t.equal(request.code, METHOD[method.toUpperCase() as 'GET'])
    t.same(textsIn(request, OPTION.URI_PATH), ['test'])
    t.equal(response.type, confirmable ? TYPE.ACK : TYPE.NON)
    t.ok((codes as readonly number[]).includes(response.code))
    t.same(shown.payload, response.payload, 'the client shows what came')
    if (method === 'get') t.not(response.payload.length, 0)
    if (method === 'put') t.equal(text(await scene.ask({ path: 'test' })), BODY.payload, 'the server has it')
  })
}

for (const id of [
  'TD_COAP_CORE_09: GET with a separate response',
  'TD_COAP_CORE_11: a token and a separate response',
]) {
  td(id, {}, async (t, scene) => {
    const shown = await scene.ask({ path: 'separate' })
    const { request, response } = exchange(t, scene)
    const server = scene.wire().filter(({ from }) => from === 'server')
    t.match(server[0], { type: TYPE.ACK, code: EMPTY, messageId: request.messageId }, 'first an empty ACK')
    t.equal(server[0]?.payload.length, 0)
    t.ok(request.token.length >= 1 && request.token.length <= 8)
    t.match(response, { type: TYPE.CON, code: CODE.CONTENT })
    t.not(response.payload.length, 0)
    t.same(shown.payload, response.payload)
    const last = (): Wire | undefined => scene.wire().at(-1)
    await until('the ACK of the client', () => last()?.from === 'client')
    t.match(last(), { type: TYPE.ACK, code: EMPTY, messageId: response.messageId })
  })
}

td('TD_COAP_CORE_10: GET with a token that is not empty', {}, async (t, scene) => {
  const shown = await scene.ask({ path: 'test' })
  const { request, response } = exchange(t, scene)
  t.ok(request.token.length >= 1 && request.token.length <= 8, `${request.token.length} bytes`)
  t.match(response, { type: TYPE.ACK, code: CODE.CONTENT })
  t.same(shown.payload, response.payload)
})

t.test('TD_COAP_CORE_12: GET with an empty token, as raw bytes: no client here can send one', async (t) => {
  const server = await startPlugtestServer({ periodMs: Infinity })
  const peer = await createUdpPeer({ to: server.port })
  t.teardown(() => Promise.all([server.close(), peer.close()]))
  for (const [messageId, token] of [
    [1, ''],
    [2, '0102030405060708'],
  ] as const) {
    const answer = decode(
      await peer.ask(
        encode({
          type: TYPE.CON,
          code: METHOD.GET,
          messageId,
          token: Buffer.from(token, 'hex'),
          options: [option(OPTION.URI_PATH, 'test')],
          payload: new Uint8Array(0),
        }),
      ),
    )
    if (!answer.ok) throw new Error(answer.reason)
    t.match(answer.message, { type: TYPE.ACK, code: CODE.CONTENT, messageId })
    t.equal(hex(answer.message.token), token)
    t.not(answer.message.payload.length, 0)
  }
})

td('TD_COAP_CORE_13: several Uri-Path options', {}, async (t, scene) => {
  const shown = await scene.ask({ path: 'seg1/seg2/seg3' })
  const { request, response } = exchange(t, scene)
  t.same(textsIn(request, OPTION.URI_PATH), ['seg1', 'seg2', 'seg3'])
  t.equal(response.code, CODE.CONTENT)
  t.equal(text(shown), 'Three segments')
})

td('TD_COAP_CORE_14: several Uri-Query options', {}, async (t, scene) => {
  const query = ['first=1', 'second=2', 'third=3']
  const shown = await scene.ask({ path: 'query', query })
  const { request, response } = exchange(t, scene)
  t.same(textsIn(request, OPTION.URI_QUERY), query)
  t.equal(response.code, CODE.CONTENT)
  t.equal(text(shown), '?first=1&second=2&third=3')
})

td('TD_COAP_CORE_17: GET with a separate response, NON', {}, async (t, scene) => {
  const shown = await scene.ask({ path: 'separate', confirmable: false })
  const { request, response } = exchange(t, scene)
  t.equal(request.type, TYPE.NON)
  t.match(response, { type: TYPE.NON, code: CODE.CONTENT })
  t.notOk(
    scene.wire().some(({ type }) => type === TYPE.ACK),
    'nobody acknowledges anything',
  )
  t.same(shown.payload, response.payload)
})

td('TD_COAP_CORE_18: several Location-Path options', {}, async (t, scene) => {
  await scene.ask({ method: 'post', path: 'test', ...BODY })
  const { response } = exchange(t, scene)
  t.equal(response.code, CODE.CREATED)
  t.same(textsIn(response, OPTION.LOCATION_PATH), ['location1', 'location2', 'location3'])
})

td('TD_COAP_CORE_19: several Location-Query options', {}, async (t, scene) => {
  await scene.ask({ method: 'post', path: 'location-query', ...BODY })
  const { response } = exchange(t, scene)
  t.equal(response.code, CODE.CREATED)
  t.same(textsIn(response, OPTION.LOCATION_QUERY), ['first=1', 'second=2'])
})

td('TD_COAP_CORE_20: Accept, and 4.06 for what there is not', {}, async (t, scene) => {
  const { TEXT, XML, JSON: json, CBOR, EXI } = CONTENT_FORMAT
  let at = 0
  for (const accept of [TEXT, XML, json, CBOR]) {
    await scene.ask({ path: 'multi-format', accept })
    const { request, response } = exchange(t, scene, at++)
    t.equal(uintIn(request, OPTION.ACCEPT), accept)
    t.equal(response.code, CODE.CONTENT)
    t.equal(uintIn(response, OPTION.CONTENT_FORMAT), accept)
    t.not(response.payload.length, 0)
  }
  const refused = await scene.ask({ path: 'multi-format', accept: EXI })
  t.equal(exchange(t, scene, at).response.code, CODE.NOT_ACCEPTABLE)
  t.equal(refused.code, '4.06', 'the client says so')
})

/** GETs /validate and returns its ETag and body. */
async function validate(
  t: Test,
  scene: Scene,
  asked: Partial<Asked> = {},
): Promise<{ code: number; tag: Uint8Array; body: string }> {
  const at = scene.wire().filter(({ from, code }) => from === 'client' && code > 0).length
  await scene.ask({ path: 'validate', ...asked })
  const { response } = exchange(t, scene, at)
  const [tag, ...others] = bytesIn(response, OPTION.ETAG)
  t.same(others, [])
  t.ok(tag !== undefined && tag.length >= 1 && tag.length <= 8)
  return { code: response.code, tag: tag!, body: text(response) }
}

async function put(t: Test, scene: Scene, asked: Partial<Asked>): Promise<number> {
  const at = scene.wire().filter(({ from, code }) => from === 'client' && code > 0).length
  await scene.ask({ method: 'put', path: 'validate', ...BODY, ...asked })
  return exchange(t, scene, at).response.code
}

td('TD_COAP_CORE_21: ETag and 2.03', {}, async (t, scene) => {
  const first = await validate(t, scene)
  t.equal(first.code, CODE.CONTENT)
  const known = { options: [option(OPTION.ETAG, first.tag)] }
  const second = await validate(t, scene, known)
  t.match(second, { code: CODE.VALID, body: '' })
  t.equal(hex(second.tag), hex(first.tag))
  t.equal(await put(t, scene, { payload: 'something else' }), CODE.CHANGED)
  const third = await validate(t, scene, known)
  t.match(third, { code: CODE.CONTENT, body: 'something else' })
  t.not(hex(third.tag), hex(first.tag))
  t.equal(await put(t, scene, { payload: 'something else' }), CODE.CHANGED)
  t.not(hex((await validate(t, scene)).tag), hex(third.tag), 'changed, if only to the same')
})

td('TD_COAP_CORE_22: If-Match and 4.12', {}, async (t, scene) => {
  const first = await validate(t, scene)
  const ifMatch = (tag: Uint8Array): Partial<Asked> => ({ options: [option(OPTION.IF_MATCH, tag)] })
  t.equal(await put(t, scene, { ...ifMatch(first.tag), payload: 'one' }), CODE.CHANGED)
  const second = await validate(t, scene)
  t.equal(second.body, 'one')
  t.not(hex(second.tag), hex(first.tag))
  t.equal(await put(t, scene, { payload: 'two' }), CODE.CHANGED)
  t.equal(await put(t, scene, { ...ifMatch(second.tag), payload: 'three' }), CODE.PRECONDITION_FAILED)
  t.equal((await validate(t, scene)).body, 'two', 'not updated')
})

td('TD_COAP_CORE_23: If-None-Match and 4.12', {}, async (t, scene) => {
  const create = { method: 'put', path: 'create1', options: [option(OPTION.IF_NONE_MATCH)] } as const
  t.equal((await scene.ask({ path: 'create1' })).code, '4.04', 'not there yet')
  await scene.ask({ ...create, ...BODY })
  t.equal(exchange(t, scene, 1).response.code, CODE.CREATED)
  const again = await scene.ask({ ...create, ...BODY, payload: 'of somebody else' })
  t.equal(exchange(t, scene, 2).response.code, CODE.PRECONDITION_FAILED)
  t.equal(again.code, '4.12', 'the client says so')
  t.equal(text(await scene.ask({ path: 'create1' })), BODY.payload)
  await scene.ask({ method: 'delete', path: 'create1' })
  await scene.ask({ ...create, ...BODY })
  t.equal(exchange(t, scene, 5).response.code, CODE.CREATED, 'and anew after a DELETE')
})

t.test('TD_COAP_CORE_31: ping', async (t) => {
  const server = await startPlugtestServer({ periodMs: Infinity })
  const peer = await createUdpPeer({ to: server.port })
  t.teardown(() => Promise.all([server.close(), peer.close()]))
  t.equal(hex(await peer.ask(Uint8Array.of(0x40, 0, 0x12, 0x34))), '70001234')
})

t.test(
  "a token of eight bytes and Uri-Port, as Debian's client sends them",
  { skip: lacksLibcoapClient },
  async (t) => {
    const scene = await setUp(libcoapClient(['-T', '12345678']))
    t.teardown(() => tearDown(scene))
    await scene.ask({ path: 'test' })
    const { request } = exchange(t, scene)
    t.equal(request.token.length, 8)
    t.equal(uintIn(request, OPTION.URI_PORT), scene.proxy.port)
  },
)

t.test('what the site does not have: 4.04, 4.05, and 4.02 for a critical option', async (t) => {
  const scene = await setUp(await openOurClient())
  t.teardown(() => tearDown(scene))
  t.equal((await scene.ask({ path: 'nowhere' })).code, '4.04')
  t.equal((await scene.ask({ method: 'delete', path: 'query' })).code, '4.05')
  t.equal((await scene.ask({ path: 'test', options: [option(65_001)] })).code, '4.02')
  const ifMatch = [option(OPTION.IF_MATCH)]
  t.equal((await scene.ask({ method: 'put', path: 'create1', options: ifMatch })).code, '4.12', 'not there')
  t.equal((await scene.ask({ method: 'put', path: 'test', options: ifMatch })).code, '2.04', 'any will do')
})
