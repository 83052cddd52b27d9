import { setTimeout as sleep } from 'node:timers/promises'
import { CameraCommandSchema } from '@pesebre/contract/camera'
import t from 'tap'
import { Value } from 'typebox/value'
import { closeCode, type RunningRelay, startRelay, until } from './support.ts'

const CAMERA = 'camera-00000001'

async function running(t: { teardown(handler: () => unknown): void }): Promise<RunningRelay> {
  const relay = await startRelay()
  t.teardown(() => relay.stop())
  return relay
}

t.test('from the viewer over MQTT to the camera, its pictures to the viewer, byte for byte', async (t) => {
  const r = await running(t)
  const viewer = await r.viewer('hrs_1')
  const start = await r.command(0)
  t.equal(r.published[0]!.topic, `cameras/${CAMERA}/commands`)
  t.ok(Value.Check(CameraCommandSchema, start), JSON.stringify(start))
  t.equal(start.url, `ws://127.0.0.1:${r.port}/relay/v1/camera`)
  t.ok((start['expires'] as number) * 1000 <= Date.now() + 60_500)
  const camera = await r.camera(start)
  camera.send(5000)
  await until(() => viewer.pictures.length === 1)
  const [picture] = viewer.pictures
  t.equal(picture?.bytes.length, 5016)
  t.equal(picture?.seq, 1)
  await until(() => camera.told.some(({ ack }) => ack === 1))
  t.match(
    viewer.told.filter((one) => 'camera' in one),
    [{ camera: 'starting' }, { camera: 'streaming' }],
  )
  const clock = viewer.told.find((one) => 'clock' in one)?.['clock'] as number
  const captureMs = Number(picture!.bytes.readBigUInt64BE(8)) / 1000
  t.ok(Math.abs(captureMs + clock - Date.now()) < 5000, 'the capture time in the time of the relay')
  t.match(r.relay.status(CAMERA), { state: 'streaming', viewers: 1, connected: null })
})

t.test('a second viewer gets the last picture at once; the camera is asked only once', async (t) => {
  const r = await running(t)
  await r.viewer('hrs_1')
  const camera = await r.camera(await r.command(0))
  camera.send()
  await until(() => r.relay.status(CAMERA).state === 'streaming')
  const second = await r.viewer('hrs_1')
  await until(() => second.pictures.length === 1)
  t.equal(second.pictures[0]!.seq, 1)
  t.equal(r.published.length, 1)
  t.equal(r.relay.status(CAMERA).viewers, 2)
})

t.test('a viewer that does not acknowledge gets one picture, then waits for the newest', async (t) => {
  const r = await running(t)
  const still = await r.viewer('hrs_1', { isSilent: true })
  const quick = await r.viewer('hrs_1')
  const camera = await r.camera(await r.command(0))
  for (let i = 1; i <= 10; i++) {
    camera.send()
    await until(() => quick.pictures.length === i)
  }
  t.same(
    still.pictures.map(({ seq }) => seq),
    [1],
  )
  still.socket.send('{"ack":1}')
  await until(() => still.pictures.length === 2)
  t.equal(still.pictures[1]!.seq, 10)
  t.equal(r.relay.numbers().picturesDropped, 8)
})

t.test('the quality that a viewer chooses reaches the camera', async (t) => {
  const r = await running(t)
  const viewer = await r.viewer('hrs_1', { query: '?quality=low' })
  const start = await r.command(0)
  t.equal(start['maxLevel'], 2)
  const camera = await r.camera(start)
  camera.send()
  viewer.socket.send('{"quality":"high"}')
  await until(() => camera.told.some((one) => 'want' in one))
  t.match(
    camera.told.find((one) => 'want' in one),
    { want: { maxLevel: 5, targetFps: 3 } },
  )
})

t.test('ping: the viewer learns the time of the relay', async (t) => {
  const r = await running(t)
  const viewer = await r.viewer('hrs_1')
  viewer.socket.send('{"ping":1234.5}')
  await until(() => viewer.told.some((one) => 'pong' in one))
  const { pong, now } = viewer.told.find((one) => 'pong' in one) as { pong: number; now: number }
  t.equal(pong, 1234.5)
  t.ok(Math.abs(now - Date.now()) < 60_000)
})

t.test('hello is answered with welcome, and asks again for what is wanted', async (t) => {
  const r = await running(t)
  r.say(`cameras/${CAMERA}/events`, { event: 'hello', firmware: '1.0' })
  const welcome = await r.command(0)
  t.match(welcome, { command: 'welcome', upload: `ws://127.0.0.1:${r.port}/relay/v1/camera` })
  t.ok(Math.abs((welcome['time'] as number) - Date.now() / 1000) < 5)
  await r.viewer('hrs_1')
  const first = await r.command(1)
  r.say(`cameras/${CAMERA}/events`, { event: 'hello' })
  const second = await r.command(3)
  t.equal(second.command, 'start')
  t.not(second.streamId, first.streamId)
})

t.test('what is no event of the contract changes nothing', async (t) => {
  const r = await running(t)
  await r.viewer('hrs_1')
  await r.command(0)
  const topic = `cameras/${CAMERA}/events`
  const huge = { event: 'error', message: 'x'.repeat(2000) }
  for (const wrong of [
    '',
    '{',
    '[]',
    '{"event":"hello","x":1}',
    '{"event":"dance"}',
    { event: 'stopped' },
    huge,
  ])
    r.say(topic, wrong)
  r.say('cameras/../events', { event: 'hello' })
  t.equal(r.published.length, 1)
})

t.test(
  'snapshot: one picture, then the connection is closed; the next one comes from what is kept',
  async (t) => {
    const r = await running(t)
    const asked = r.relay.snapshot(CAMERA, 60_000)
    const command = await r.command(0)
    t.equal(command.command, 'snapshot')
    t.ok(Value.Check(CameraCommandSchema, command), JSON.stringify(command))
    const camera = await r.camera(command)
    const closed = closeCode(camera.socket)
    camera.send(300)
    const picture = await asked
    t.equal(picture?.jpeg.length, 300)
    t.equal(picture?.jpeg[0], 0xff, 'without the header')
    t.ok(Math.abs(picture!.at - Date.now()) < 5000)
    t.equal(await closed, 1000)
    t.ok(await r.relay.snapshot(CAMERA, 60_000))
    t.equal(r.published.length, 1)
  },
)

t.test('presence tells who is connected; other clients do not matter', async (t) => {
  const r = await running(t)
  r.say(`$aws/events/presence/connected/${CAMERA}`, {})
  t.equal(r.relay.status(CAMERA).connected, true)
  r.say(`$aws/events/presence/disconnected/${CAMERA}`, {})
  t.equal(r.relay.status(CAMERA).connected, false)
  r.say('$aws/events/presence/connected/pesebre-gateway-a', {})
  t.equal(r.relay.status('pesebre-gateway-a').connected, null)
})

t.test('MQTT that comes back: what nobody heard is asked again', async (t) => {
  const r = await running(t)
  await r.viewer('hrs_1')
  const first = await r.command(0)
  r.link(false)
  r.link(true)
  const second = await r.command(1)
  t.equal(second.command, 'start')
  t.not(second.token, first.token)
})

t.test('a stop of the server stops the cameras and closes every connection', async (t) => {
  const r = await running(t)
  const viewer = await r.viewer('hrs_1')
  const camera = await r.camera(await r.command(0))
  camera.send()
  await until(() => viewer.pictures.length === 1)
  const codes = Promise.all([closeCode(viewer.socket), closeCode(camera.socket)])
  await r.relay.close()
  t.same(await codes, [1001, 1000])
  t.equal((await r.command(1)).command, 'stop')
  t.equal(r.subscriptions.size, 0)
  await sleep(50)
})
