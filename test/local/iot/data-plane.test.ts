import {
  DeleteThingShadowCommand,
  GetRetainedMessageCommand,
  GetThingShadowCommand,
  ListNamedShadowsForThingCommand,
  ListRetainedMessagesCommand,
  PublishCommand,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane'
import t from 'tap'
import { VERSION_MEMORY_MS } from '../../../local/src/iot/shadow.ts'
import { type LocalIot, refusal, startLocalIot, toJson } from './support.ts'

const T0 = 1_700_000_000_000

function shadowOf({ data }: LocalIot, thingName: string, shadowName?: string) {
  const id = { thingName, ...(shadowName !== undefined && { shadowName }) }
  return {
    async update(document: object | string) {
      const payload = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document))
      return toJson((await data.send(new UpdateThingShadowCommand({ ...id, payload }))).payload)
    },
    async get() {
      return toJson((await data.send(new GetThingShadowCommand(id))).payload)
    },
    async delete() {
      return toJson((await data.send(new DeleteThingShadowCommand(id))).payload)
    },
  }
}

t.test('shadows: classic and named ones live apart, for things that nobody registered', async (t) => {
  const iot = await startLocalIot(t, () => T0)
  const classic = shadowOf(iot, 'bella')
  const control = shadowOf(iot, 'bella', 'control')
  const timestamp = T0 / 1000
  t.strictSame(await classic.update({ state: { reported: { a: 1 } }, clientToken: 'token' }), {
    state: { reported: { a: 1 } },
    metadata: { reported: { a: { timestamp } } },
    version: 1,
    timestamp,
    clientToken: 'token',
  })
  await control.update({ state: { desired: { b: 2 } } })
  t.strictSame((await classic.get())['state'], { reported: { a: 1 } })
  t.strictSame(await control.get(), {
    state: { desired: { b: 2 }, delta: { b: 2 } },
    metadata: { desired: { b: { timestamp } } },
    version: 1,
    timestamp,
  })
  t.strictSame(await control.delete(), { version: 1, timestamp })
  t.match(await refusal(control.get()), [
    'ResourceNotFoundException',
    404,
    "No shadow exists with name: 'control'",
  ])
  t.equal((await classic.get())['version'], 1)
})

t.test('shadows: the exceptions of AWS with their codes and texts', async (t) => {
  const iot = await startLocalIot(t)
  const shadow = shadowOf(iot, 'bella')
  t.strictSame(await refusal(shadow.get()), [
    'ResourceNotFoundException',
    404,
    "No shadow exists with name: 'bella'",
  ])
  t.match(await refusal(shadow.delete()), ['ResourceNotFoundException', 404])
  await shadow.update({ state: { reported: { a: 1 } } })
  const update = (document: object | string) => refusal(shadow.update(document))
  t.strictSame(await update({ state: {}, version: 7 }), ['ConflictException', 409, 'Version conflict'])
  t.strictSame(await update('{'), ['InvalidRequestException', 400, 'Invalid JSON'])
  t.strictSame(await update({}), ['InvalidRequestException', 400, 'Missing required node: state'])
  const tooLarge = ['RequestEntityTooLargeException', 413, 'The payload exceeds the maximum size allowed']
  t.strictSame(await update({ state: { reported: { a: 'x'.repeat(8192) } } }), tooLarge)
  t.strictSame(await update({ state: { reported: { a: 'x'.repeat(1_000_000) } } }), tooLarge)
  t.match(await refusal(shadowOf(iot, 'with space').update({ state: {} })), ['InvalidRequestException', 400])
  t.match(await refusal(shadowOf(iot, 'bella', 'with space').update({ state: {} })), [
    'InvalidRequestException',
  ])
  t.match(await refusal(shadowOf(iot, 'bella', 'x'.repeat(65)).update({ state: {} })), [
    'InvalidRequestException',
  ])
  t.equal((await shadow.get())['version'], 1, 'nothing of it changed the shadow')
  t.same(iot.errors, [])
})

t.test('shadows: the version of a deleted shadow goes on for 48 hours', async (t) => {
  let now = T0
  const iot = await startLocalIot(t, () => now)
  const shadow = shadowOf(iot, 'bella')
  await shadow.update({ state: { reported: { a: 1 } } })
  await shadow.update({ state: { reported: { a: 2 } } })
  t.equal((await shadow.delete())['version'], 2)
  now += VERSION_MEMORY_MS
  t.equal((await shadow.update({ state: { reported: { b: 1 } } }))['version'], 3)
  t.strictSame((await shadow.get())['state'], { reported: { b: 1 } })
  await shadow.delete()
  now += VERSION_MEMORY_MS + 1
  t.equal((await shadow.update({ state: {} }))['version'], 1)
})

t.test('ListNamedShadowsForThing: pages of names, without the classic and the deleted ones', async (t) => {
  const iot = await startLocalIot(t, () => T0)
  const list = (query: object) =>
    iot.data.send(new ListNamedShadowsForThingCommand({ thingName: 'bella', ...query }))
  t.match(await list({}), { results: [], timestamp: T0 / 1000 })
  await shadowOf(iot, 'bella').update({ state: {} })
  for (let number = 0; number < 7; number++) await shadowOf(iot, 'bella', `s${number}`).update({ state: {} })
  await shadowOf(iot, 'rosa', 'other').update({ state: {} })
  await shadowOf(iot, 'bella', 's3').delete()

  const names: string[] = []
  let nextToken: string | undefined
  let pages = 0
  do {
    const page = await list({ pageSize: 4, ...(nextToken && { nextToken }) })
    names.push(...(page.results ?? []))
    nextToken = page.nextToken
    pages++
  } while (nextToken !== undefined)
  t.same(names, ['s0', 's1', 's2', 's4', 's5', 's6'])
  t.equal(pages, 2)
  t.match(await refusal(list({ pageSize: 101 })), ['InvalidRequestException', 400])
  t.match(await refusal(list({ pageSize: 0 })), ['InvalidRequestException', 400])
})

t.test('REST: curl needs no signature', async (t) => {
  const { url } = await startLocalIot(t)
  const posted = await fetch(`${url}/things/bella/shadow`, {
    method: 'POST',
    body: '{"state":{"reported":{"hopper_pct":62}}}',
  })
  t.equal(posted.status, 200)
  const got = await fetch(`${url}/things/bella/shadow`)
  t.match(await got.json(), { state: { reported: { hopper_pct: 62 } }, version: 1 })
  const missing = await fetch(`${url}/things/rosa/shadow?name=control`)
  t.equal(missing.status, 404)
  t.equal(missing.headers.get('x-amzn-errortype'), 'ResourceNotFoundException')
  t.strictSame(await missing.json(), { message: "No shadow exists with name: 'control'" })
  t.equal((await fetch(`${url}/healthz`)).status, 200)
  t.equal((await fetch(`${url}/nothing`)).status, 404)
  t.equal((await fetch(`${url}/things/bella/shadow`, { method: 'PUT' })).status, 405)
  t.equal((await fetch(`${url}/things/%E0%A4%A/shadow`)).status, 400)
})

t.test('Publish: retained messages are kept, listed, replaced and removed', async (t) => {
  const { data } = await startLocalIot(t, () => T0)
  const publish = (topic: string, payload: string, retain = true) =>
    data.send(new PublishCommand({ topic, payload: Buffer.from(payload), qos: 1, retain }))
  await publish('cameras/gate/events', 'one')
  await publish('cameras/gate/events', 'two')
  await publish('cameras/door/events', 'three')
  await publish('cameras/roof/events', 'four', false)

  const message = await data.send(new GetRetainedMessageCommand({ topic: 'cameras/gate/events' }))
  t.equal(Buffer.from(message.payload ?? []).toString(), 'two')
  t.match(message, { topic: 'cameras/gate/events', qos: 1, lastModifiedTime: T0 })
  const { retainedTopics = [] } = await data.send(new ListRetainedMessagesCommand({}))
  t.strictSame(
    retainedTopics.map(({ topic, payloadSize }) => [topic, payloadSize]),
    [
      ['cameras/door/events', 5],
      ['cameras/gate/events', 3],
    ],
  )
  const first = await data.send(new ListRetainedMessagesCommand({ maxResults: 1 }))
  t.ok(first.nextToken)
  await publish('cameras/gate/events', '')
  t.match(await refusal(data.send(new GetRetainedMessageCommand({ topic: 'cameras/gate/events' }))), [
    'ResourceNotFoundException',
    404,
  ])
})

t.test('Publish: limits, and a request to the shadow service', async (t) => {
  const iot = await startLocalIot(t)
  const publish = (topic: string, payload: Buffer, change = {}) =>
    refusal(iot.data.send(new PublishCommand({ topic, payload, qos: 0, ...change })))
  t.equal(await publish('a/b', Buffer.alloc(128 * 1024)), 'passed')
  t.match(await publish('a/b', Buffer.alloc(128 * 1024 + 1)), ['RequestEntityTooLargeException', 413])
  t.match(await publish('1/2/3/4/5/6/7/8/9', Buffer.alloc(1)), ['InvalidRequestException', 400])
  t.match(await publish('$aws/events/x', Buffer.alloc(1)), ['InvalidRequestException', 400])
  t.match(await publish('a/b', Buffer.alloc(1), { qos: 2 }), ['InvalidRequestException', 400])
  await publish('$aws/things/bella/shadow/update', Buffer.from('{"state":{"reported":{"a":1}}}'))
  t.match(await shadowOf(iot, 'bella').get(), { state: { reported: { a: 1 } } })
})
