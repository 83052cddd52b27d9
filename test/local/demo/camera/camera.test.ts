import { setTimeout as sleep } from 'node:timers/promises'
import { type CameraCommand, type CameraEvent, CameraEventSchema } from '@pesebre/contract/camera'
import { LADDER } from '@pesebre/contract/ladder'
import t from 'tap'
import { Value } from 'typebox/value'
import { createCamera } from '../../../../local/src/demo/camera/camera.ts'
import type { LinkSettings } from '../../../../local/src/demo/camera/slow-link.ts'
import { jpeg, startRelay, until } from '../../../web/server/camera/support.ts'

const CAMERA = 'camera-00000001'

/** The demo camera and the relay, with MQTT in between that loses nothing. */
async function world(t: { teardown(handler: () => unknown): void }, link?: LinkSettings) {
  const r = await startRelay()
  const said: CameraEvent[] = []
  const taken: number[] = []
  const camera = createCamera({
    async sensor(level) {
      taken.push(level)
      return jpeg(LADDER[level]!.bytes)
    },
    say(event) {
      said.push(event)
      r.say(`cameras/${CAMERA}/events`, event)
    },
    link,
    log() {},
  })
  const { publish } = r.mqtt
  r.mqtt.publish = async (topic, message) => {
    await publish(topic, message)
    if (topic === `cameras/${CAMERA}/commands`) camera.command(Buffer.from(JSON.stringify(message)))
  }
  t.teardown(async () => {
    camera.stop()
    await r.stop()
  })
  camera.begin()
  return { ...r, camera, said, taken, sent: () => r.published.map(({ message }) => message.command) }
}

t.setTimeout(60_000)

t.test('says hello, is welcomed, streams while somebody watches, and says so', async (t) => {
  const w = await world(t)
  t.same(w.said, [{ event: 'hello', firmware: 'demo' }])
  t.same(w.sent(), ['welcome'])
  const viewer = await w.viewer('hrs_1')
  await until(() => viewer.pictures.length >= 3)
  await until(() => w.said.length >= 2)
  t.match(w.said[1], { event: 'streaming' })
  await w.relay.close()
  await until(() => w.said.length >= 3)
  t.match(w.said[2], { event: 'stopped', reason: 'asked' })
  for (const event of w.said) t.ok(Value.Check(CameraEventSchema, event), JSON.stringify(event))
})

t.test('a snapshot is one picture in the largest size', async (t) => {
  const w = await world(t)
  const picture = await w.relay.snapshot(CAMERA, 60_000)
  t.equal(picture?.jpeg.length, LADDER.at(-1)?.bytes)
  t.same(w.taken, [LADDER.length - 1])
})

t.test('over 150 kbps a viewer gets a flow of pictures that are not old', async (t) => {
  const w = await world(t, { kbps: 150, delayMs: 60 })
  const viewer = await w.viewer('hrs_1')
  await until(() => viewer.pictures.length >= 8)
  const from = viewer.pictures.length
  const start = performance.now()
  await sleep(6_000)
  const seconds = (performance.now() - start) / 1000
  const got = viewer.pictures.slice(from)
  // The exact numbers are the benchmark's; machines of tests may be busy. Without the ladder it would be one a second.
  t.ok(got.length / seconds >= 2.5, `${(got.length / seconds).toFixed(1)} pictures a second`)
  const ages = got.map(({ bytes, at }) => at - Number(bytes.readBigUInt64BE(8)) / 1000).sort((a, b) => a - b)
  const median = ages[Math.floor(ages.length / 2)]!
  t.ok(median < 1_500, `${median.toFixed(0)} ms old`)
  t.ok(median > 100, 'the link is as slow as it is meant to be')
})

t.test('commands that are none, or come too late, are not carried out', async (t) => {
  const w = await world(t)
  const say = (command: unknown) => w.camera.command(Buffer.from(JSON.stringify(command)))
  for (const wrong of [{}, null, { command: 'start' }, { command: 'dance' }]) say(wrong)
  w.camera.command(Buffer.from('{'))
  const start: CameraCommand = {
    command: 'start',
    streamId: 'stream0001',
    url: `ws://127.0.0.1:${w.port}/relay/v1/camera`,
    token: 'x'.repeat(32),
    expires: Math.floor(Date.now() / 1000) - 1,
    lease: 600,
    targetFps: 5,
    maxFps: 8,
    maxLevel: 5,
  }
  say(start)
  t.same(w.said.slice(1), [{ event: 'error', streamId: 'stream0001', message: 'Expired' }])
  t.same(w.taken, [])
})

t.test('a relay that says no to the token is told of over MQTT', async (t) => {
  const w = await world(t)
  const expires = Math.floor(Date.now() / 1000) + 60
  const url = `ws://127.0.0.1:${w.port}/relay/v1/camera`
  const want = { targetFps: 5, maxFps: 8, maxLevel: 5, lease: 600 }
  const command = { command: 'start', streamId: 'stream0001', url, token: 'x'.repeat(32), expires, ...want }
  w.camera.command(Buffer.from(JSON.stringify(command)))
  await until(() => w.said.length === 2)
  t.match(w.said[1], { event: 'error', streamId: 'stream0001', message: /401/ })
})

t.test('the lease ends a stream whatever becomes of the server', async (t) => {
  const w = await world(t)
  const viewer = await w.viewer('hrs_1')
  await until(() => viewer.pictures.length >= 1)
  const first = w.published.find(({ message }) => message.command === 'start')!.message
  t.equal(first['lease'], 600)
  // The same order with a lease of a second, as if no renewal came.
  const { message } = w.published.findLast(({ message }) => message.command === 'start')!
  w.camera.command(Buffer.from(JSON.stringify({ ...message, token: await freshToken(w), lease: 1 })))
  await until(() => w.said.some((event) => event.event === 'stopped' && event.reason === 'lease'))
  t.pass('it stopped by itself')
})

/** Lets the relay ask anew, without the camera hearing it. */
async function freshToken(w: Awaited<ReturnType<typeof world>>): Promise<string> {
  const { publish } = w.mqtt
  let token = ''
  w.mqtt.publish = async (_topic, message) => {
    token = (message as { token?: string }).token ?? token
  }
  w.say(`cameras/${CAMERA}/events`, { event: 'hello' })
  await until(() => token !== '')
  w.mqtt.publish = publish
  return token
}
