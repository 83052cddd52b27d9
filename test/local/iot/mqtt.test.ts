import {
  GetThingShadowCommand,
  PublishCommand,
  UpdateThingShadowCommand,
} from '@aws-sdk/client-iot-data-plane'
import t from 'tap'
import { access, createIdentity, type Device, startDevices } from './devices.ts'
import { startLocalIot, toJson } from './support.ts'

t.setTimeout(120_000)

const EVERYTHING = [{ Action: 'iot:*', Resource: '*' }]
const VERSIONS = [5, 311] as const
const devices = startDevices()

for (const version of VERSIONS) {
  t.test(`MQTT ${version}: AWS's shadow client gets, updates, deletes, and hears of the delta`, async (t) => {
    const iot = await startLocalIot(t)
    const identity = await createIdentity(iot, EVERYTHING)
    const device = await devices.connect({ version, clientId: 'bella', ...access(iot, identity) })

    const missing = await failure(device.shadow('getShadow', { thingName: 'bella' }))
    t.match(missing.modeled, { code: 404, message: "No shadow exists with name: 'bella'" })
    await device.watchDelta('bella')
    const updated = await device.shadow('updateShadow', {
      thingName: 'bella',
      state: { desired: { feed: 2 }, reported: { feed: 1 } },
    })
    t.match(updated, { version: 1, state: { desired: { feed: 2 } } })
    t.match(await device.next('delta'), { delta: { state: { feed: 2 }, version: 1 } })
    t.match(await device.shadow('getShadow', { thingName: 'bella' }), {
      version: 1,
      state: { desired: { feed: 2 }, reported: { feed: 1 }, delta: { feed: 2 } },
    })
    const conflict = await failure(
      device.shadow('updateShadow', { thingName: 'bella', state: { reported: { feed: 2 } }, version: 9 }),
    )
    t.match(conflict.modeled, { code: 409, message: 'Version conflict' })
    t.match(await device.shadow('deleteShadow', { thingName: 'bella' }), { version: 1 })

    const named = { thingName: 'bella', shadowName: 'control' }
    await device.shadow('updateNamedShadow', { ...named, state: { desired: { enabled: true } } })
    t.match(await device.shadow('getNamedShadow', named), {
      version: 1,
      state: { desired: { enabled: true } },
    })
    await device.shadow('deleteNamedShadow', named)
    t.match((await failure(device.shadow('getNamedShadow', named))).modeled, {
      code: 404,
      message: "No shadow exists with name: 'control'",
    })
    t.same(iot.errors, [])
  })

  t.test(`MQTT ${version}: messages over MQTT and REST reach subscribers, QoS 0 among QoS 1`, async (t) => {
    const iot = await startLocalIot(t)
    const identity = await createIdentity(iot, EVERYTHING)
    const [sender, receiver] = await Promise.all(
      ['sender', 'receiver'].map((clientId) =>
        devices.connect({ version, clientId, ...access(iot, identity) }),
      ),
    )
    t.equal(await receiver!.subscribe('stable/+/events'), 1)
    for (let number = 0; number < 20; number++) {
      // Not awaited: what is on its way together must not be lost or overtake itself.
      void sender!.publish('stable/a/events', `one-${number}`, { qos: 1 })
      void sender!.publish('stable/b/events', `zero-${number}`, { qos: 0 })
    }
    const heard = { one: [] as string[], zero: [] as string[] }
    for (let count = 0; count < 40; count++) {
      const { payload } = await receiver!.next('message')
      heard[payload.startsWith('one') ? 'one' : 'zero'].push(payload)
    }
    t.same(
      heard.one,
      Array.from({ length: 20 }, (_, number) => `one-${number}`),
    )
    t.same(
      heard.zero,
      Array.from({ length: 20 }, (_, number) => `zero-${number}`),
    )

    await iot.data.send(
      new PublishCommand({ topic: 'stable/c/events', payload: Buffer.from('rest'), qos: 1 }),
    )
    t.match(await receiver!.next('message'), { topic: 'stable/c/events', payload: 'rest' })
    await sender!.publish('stable', 'not for them')
    await sender!.publish('stable/a/events', 'last')
    t.match(await receiver!.next('message'), { payload: 'last' })
  })
}

t.test('MQTT: a shadow changed over REST is told on accepted, delta and documents', async (t) => {
  const iot = await startLocalIot(t)
  const identity = await createIdentity(iot, EVERYTHING)
  const device = await devices.connect({ version: 5, clientId: 'app', ...access(iot, identity) })
  for (const topic of ['update/accepted', 'update/delta', 'update/documents', 'delete/accepted']) {
    await device.subscribe(`$aws/things/+/shadow/name/+/${topic}`)
  }
  const payload = Buffer.from('{"state":{"desired":{"a":1}},"clientToken":"token"}')
  await iot.data.send(new UpdateThingShadowCommand({ thingName: 'bella', shadowName: 'control', payload }))
  const heard = await take(device, 3)
  const prefix = '$aws/things/bella/shadow/name/control/update'
  t.match(heard.get(`${prefix}/accepted`), { state: { desired: { a: 1 } }, version: 1, clientToken: 'token' })
  t.match(heard.get(`${prefix}/delta`), { state: { a: 1 }, version: 1, clientToken: 'token' })
  t.match(heard.get(`${prefix}/documents`), {
    current: { state: { desired: { a: 1 } }, version: 1 },
    clientToken: 'token',
  })
})

t.test(
  'MQTT: an update with QoS 0 and its answers with QoS 1 all reach who listens to everything of a shadow',
  async (t) => {
    const iot = await startLocalIot(t)
    const identity = await createIdentity(iot, EVERYTHING)
    const device = await devices.connect({ version: 5, clientId: 'bella', ...access(iot, identity) })
    await device.subscribe('$aws/things/bella/shadow/#')
    const prefix = '$aws/things/bella/shadow/update'
    await device.publish(prefix, '{"state":{"desired":{"a":1}}}', { qos: 0 })
    const heard = await take(device, 4)
    t.same([...heard.keys()].sort(), [prefix, `${prefix}/accepted`, `${prefix}/delta`, `${prefix}/documents`])
  },
)

t.test('MQTT: retained messages come to later subscribers of exactly that topic', async (t) => {
  const iot = await startLocalIot(t)
  const identity = await createIdentity(iot, EVERYTHING)
  const device = await devices.connect({ version: 5, clientId: 'sender', ...access(iot, identity) })
  await device.publish('stable/a', 'kept', { retain: true })
  await iot.data.send(
    new PublishCommand({ topic: 'stable/b', payload: Buffer.from('rest'), qos: 1, retain: true }),
  )
  for (const version of VERSIONS) {
    const later = await devices.connect({ version, clientId: `later-${version}`, ...access(iot, identity) })
    // The guide: a filter with a wildcard gets no retained messages.
    await later.subscribe('stable/+')
    await later.subscribe('stable/a')
    t.match(await later.next('message'), { topic: 'stable/a', payload: 'kept', retain: true })
    await later.subscribe('stable/b')
    t.match(await later.next('message'), { topic: 'stable/b', payload: 'rest', retain: true })
    t.same(later.messages(), [])
    await later.disconnect()
  }
  await device.publish('stable/a', '', { retain: true })
  await device.subscribe('stable/a')
  await device.publish('stable/a', 'now')
  t.match(await device.next('message'), { payload: 'now', retain: false })
})

t.test('MQTT: limits of topics, payloads and subscriptions', async (t) => {
  const iot = await startLocalIot(t)
  const identity = await createIdentity(iot, EVERYTHING)
  const device = await devices.connect({ version: 5, clientId: 'bella', ...access(iot, identity) })
  t.equal(await device.publish('1/2/3/4/5/6/7/8', 'x'), 0, 'seven slashes')
  t.equal(await device.publish('1/2/3/4/5/6/7/8/9', 'x'), 135)
  t.equal(await device.publish('x'.repeat(257), 'x'), 135)
  t.equal(await device.publish('a', 'x'.repeat(128 * 1024)), 0)
  t.equal(await device.publish('a', 'x'.repeat(128 * 1024 + 1)), 135)
  t.equal(await device.subscribe('1/2/3/4/5/6/7/8/#'), 135)
  t.equal(await device.subscribe('$SYS/#'), 135)
  for (let number = 0; number < 50; number++) t.equal(await device.subscribe(`a/${number}`), 1)
  t.equal(await device.subscribe('a/50'), 135)
  t.equal(await device.subscribe('a/49'), 1, 'one that it has')
})

t.test('MQTT: lifecycle events tell who came, who went and why', async (t) => {
  const iot = await startLocalIot(t)
  const identity = await createIdentity(iot, EVERYTHING)
  const watcher = await devices.connect({ version: 5, clientId: 'watcher', ...access(iot, identity) })
  await watcher.subscribe('$aws/events/presence/#')
  const event = async () => {
    const { topic, payload } = await watcher.next('message')
    return { topic, ...JSON.parse(payload) }
  }
  for (const version of VERSIONS) {
    const options = { version, clientId: 'bella', ...access(iot, identity) }
    const device = await devices.connect(options)
    const came = await event()
    t.match(came, {
      topic: '$aws/events/presence/connected/bella',
      clientId: 'bella',
      eventType: 'connected',
      principalIdentifier: identity.certificateId,
      ipAddress: '127.0.0.1',
      timestamp: Number,
      versionNumber: Number,
    })
    const again = await devices.connect(options)
    const events = [await event(), await event()].sort((a, b) => (a.topic < b.topic ? 1 : -1))
    t.match(events, [
      {
        topic: '$aws/events/presence/disconnected/bella',
        disconnectReason: 'DUPLICATE_CLIENTID',
        clientInitiatedDisconnect: false,
        sessionIdentifier: came.sessionIdentifier,
        versionNumber: came.versionNumber,
      },
      { topic: '$aws/events/presence/connected/bella' },
    ])
    const { reason } = await device.next('lost')
    if (version === 5) t.equal(reason, 142, 'session taken over')
    await again.disconnect()
    t.match(await event(), {
      eventType: 'disconnected',
      disconnectReason: 'CLIENT_INITIATED_DISCONNECT',
      clientInitiatedDisconnect: true,
    })
  }
  const others = startDevices(t)
  await others.connect({ version: 311, clientId: 'rosa', ...access(iot, identity) })
  await event()
  await others.kill()
  t.match(await event(), {
    clientId: 'rosa',
    disconnectReason: 'CONNECTION_LOST',
    clientInitiatedDisconnect: false,
  })
})

t.test('MQTT: a will is published, but moves no shadow', async (t) => {
  const iot = await startLocalIot(t)
  const identity = await createIdentity(iot, EVERYTHING)
  const watcher = await devices.connect({ version: 5, clientId: 'watcher', ...access(iot, identity) })
  await watcher.subscribe('last/words')
  await watcher.subscribe('$aws/things/bella/shadow/update')
  const payload = '{"state":{"reported":{"gone":true}}}'
  for (const topic of ['last/words', '$aws/things/bella/shadow/update']) {
    const dying = startDevices(t)
    await dying.connect({
      version: 311,
      clientId: 'bella',
      will: { topic, payload },
      ...access(iot, identity),
    })
    await dying.kill()
    t.match(await watcher.next('message'), { topic, payload })
  }
  await t.rejects(iot.data.send(new GetThingShadowCommand({ thingName: 'bella' })), {
    name: 'ResourceNotFoundException',
  })
})

for (const version of VERSIONS) {
  t.test(`MQTT ${version}: what a client with a persistent session missed waits for it`, async (t) => {
    const iot = await startLocalIot(t)
    const identity = await createIdentity(iot, EVERYTHING)
    const options = { version, clientId: 'bella', persistent: true, ...access(iot, identity) }
    const device = await devices.connect(options)
    await device.subscribe('mail/#')
    await device.disconnect()
    const publish = (text: string, qos: number) =>
      iot.data.send(new PublishCommand({ topic: 'mail/bella', payload: Buffer.from(text), qos }))
    await publish('not kept', 0)
    await publish('one', 1)
    await publish('two', 1)
    const again = await devices.connect(options)
    t.match(await again.next('message'), { topic: 'mail/bella', payload: 'one' })
    t.match(await again.next('message'), { topic: 'mail/bella', payload: 'two' })
    await publish('three', 1)
    t.match(await again.next('message'), { payload: 'three' }, 'the subscription is there')
    // Answered after the acknowledgements that it sent before.
    await again.publish('done', '')
    await again.disconnect()
    const last = await devices.connect(options)
    await publish('four', 1)
    t.match(await last.next('message'), { payload: 'four' }, 'what was acknowledged does not come again')
    t.same(last.messages(), [])
  })
}

async function failure(call: Promise<unknown>): Promise<{ modeled?: unknown }> {
  try {
    await call
  } catch (error) {
    return error as { modeled?: unknown }
  }
  throw new Error('Nothing was refused')
}

/** The next messages by their topic, as JSON. */
async function take(device: Device, count: number): Promise<Map<string, Record<string, unknown>>> {
  const found = new Map<string, Record<string, unknown>>()
  for (let index = 0; index < count; index++) {
    const { topic, payload } = await device.next('message')
    found.set(topic, toJson(Buffer.from(payload)))
  }
  return found
}
