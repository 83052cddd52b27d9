import { PublishCommand } from '@aws-sdk/client-iot-data-plane'
import { CONTROL_SHADOW } from '@pesebre/contract/control'
import { WEB_THING } from '@pesebre/contract/policies'
import t from 'tap'
import { ensureWebCertificate } from '../../../../local/src/supervisor/credentials.ts'
import { webFiles } from '../../../../local/src/supervisor/gateway-files.ts'
import { type Iot, type Link, openIot } from '../../../../web/server/src/iot/iot.ts'
import { type FlakyProxy, startFlakyProxy } from '../../../fakes/flaky-proxy.ts'
import { type LocalIot, startLocalIot, temporaryDir } from '../../../local/iot/support.ts'

t.setTimeout(60_000)

type World = { local: LocalIot; proxy: FlakyProxy; iot: Iot; links: Link[]; errors: string[] }

/** The web server's MQTT process with its own certificate, through a network that can fail. */
async function setUp(t: { teardown(handler: () => Promise<void>): void }): Promise<World> {
  const local = await startLocalIot(t)
  const home = await temporaryDir(t)
  await ensureWebCertificate(home, local.url)
  const proxy = await startFlakyProxy(local.mqttPort)
  const errors: string[] = []
  const links: Link[] = []
  const { certificate, key } = webFiles(home)
  const iot = openIot({
    settings: {
      host: '127.0.0.1',
      port: proxy.port,
      certificate,
      key,
      authority: local.caFile,
      clientId: WEB_THING,
    },
    onError: (error) => errors.push(error.message),
    restartMs: 50,
  })
  iot.onLink((link) => links.push(link))
  t.teardown(async () => {
    await iot.close()
    await proxy.close()
  })
  return { local, proxy, iot, links, errors }
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 10))
}

const EVENT = 'cameras/camera-00000001/events'
const say = (local: LocalIot, topic: string, text: string) =>
  local.data.send(new PublishCommand({ topic, payload: Buffer.from(text), qos: 1 }))

t.test('subscribe() hears what is published from the moment that it is ready; stop() ends it', async (t) => {
  const { local, iot } = await setUp(t)
  const heard: string[] = []
  const subscription = iot.subscribe('cameras/+/events', (topic, payload) =>
    heard.push(`${topic} ${Buffer.from(payload)}`),
  )
  await subscription.ready
  await until(() => iot.link().isLive)
  await say(local, EVENT, 'one')
  await until(() => heard.length > 0)
  t.strictSame(heard, [`${EVENT} one`])

  const other: string[] = []
  const second = iot.subscribe('cameras/+/events', (_, payload) => other.push(`${Buffer.from(payload)}`))
  await second.ready
  subscription.stop()
  await say(local, EVENT, 'two')
  await until(() => other.length > 0)
  t.strictSame(other, ['two'])
  t.equal(heard.length, 1, 'no longer told')
})

t.test('publish() resolves once the broker has it, and refuses at once while AWS IoT is away', async (t) => {
  const { local, proxy, iot } = await setUp(t)
  await until(() => iot.link().isLive)
  const heard: string[] = []
  await iot.subscribe(EVENT, (_, payload) => heard.push(`${Buffer.from(payload)}`)).ready
  await iot.publish('cameras/camera-00000001/commands', { kind: 'stop' })
  proxy.set('refuse')
  await until(() => !iot.link().isLive)
  let message = ''
  await iot.publish('cameras/camera-00000001/commands', { kind: 'stop' }).catch((error: Error) => {
    message = error.message
  })
  t.equal(message, 'Cannot publish: AWS IoT is away: cameras/camera-00000001/commands')
  t.same(local.errors, [])
})

t.test(
  'after AWS IoT was away, everything is subscribed anew and the link says that something may be missing',
  async (t) => {
    const { local, proxy, iot, links } = await setUp(t)
    const topics = new Set<string>()
    await iot.subscribe(`$aws/things/+/shadow/name/${CONTROL_SHADOW}/update/documents`, (topic) =>
      topics.add(topic),
    ).ready
    await iot.subscribe(EVENT, (topic) => topics.add(topic)).ready
    await until(() => iot.link().isLive)
    proxy.set('refuse')
    await until(() => !iot.link().isLive)
    const late = iot.subscribe('feeders/+/events', (topic) => topics.add(topic))
    proxy.set('pass')
    await until(() => iot.link().isLive)
    t.strictSame(
      links.map(({ isLive }) => isLive),
      [true, false, true],
    )
    await late.ready
    await say(local, EVENT, 'x')
    await say(local, 'feeders/feeder-00000001/events', 'x')
    await until(() => topics.size === 2)
    t.strictSame([...topics].sort(), [EVENT, 'feeders/feeder-00000001/events'])
  },
)

t.test('a process that dies is started again; who waited for a publication is told', async (t) => {
  const { local, iot, links, errors } = await setUp(t)
  const heard: string[] = []
  await iot.subscribe(EVENT, (_, payload) => heard.push(`${Buffer.from(payload)}`)).ready
  await until(() => iot.link().isLive)
  const first = iot.pid()!
  process.kill(first, 'SIGKILL')
  await until(() => iot.pid() !== first && iot.link().isLive)
  t.match(errors, [/^The MQTT process died: SIGKILL: starting it again in 50 ms$/])
  t.strictSame(
    links.map(({ isLive }) => isLive),
    [true, false, true],
  )
  await say(local, EVENT, 'again')
  await until(() => heard.length > 0)
  t.strictSame(heard, ['again'])
})

t.test(
  'what the policy does not allow is told, and asked for again and again, without harm to the rest',
  async (t) => {
    const { local, iot, errors } = await setUp(t)
    const heard: string[] = []
    await iot.subscribe(EVENT, (_, payload) => heard.push(`${Buffer.from(payload)}`)).ready
    iot.subscribe('stables/+', () => {})
    await until(() => errors.length > 0)
    t.match(errors, [/stables/])
    await say(local, EVENT, 'still')
    await until(() => heard.length > 0)
    t.pass()
  },
)
