import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeFrame, FRAME_BYTES_MAX } from '@pesebre/contract/frame'
import t from 'tap'
import { Tokens } from '../../../../web/server/src/camera/tokens.ts'
import { closeCode, jpeg, type RunningRelay, refusal, startRelay, until } from './support.ts'

t.setTimeout(60_000)

type Ending = { teardown(handler: () => unknown): void }

async function running(t: Ending, options = {}): Promise<RunningRelay> {
  const relay = await startRelay(options)
  t.teardown(() => relay.stop())
  return relay
}

/** A camera that was asked to stream, with who watches it. */
async function streaming(t: Ending) {
  const r = await running(t)
  const viewer = await r.viewer('hrs_1')
  const command = await r.command(0)
  return { r, viewer, command, camera: await r.camera(command) }
}

t.test('a token opens one connection: a second one with it is refused, and the first goes on', async (t) => {
  const { r, viewer, command, camera } = await streaming(t)
  t.equal(await refusal(r.connect(`${command.url}?token=${command.token}`)), 401)
  camera.send()
  await until(() => viewer.pictures.length === 1)
  t.pass('pictures still come')
})

t.test('tokens: made up, empty, missing, of another stream', async (t) => {
  const r = await running(t)
  await r.viewer('hrs_1')
  const first = await r.command(0)
  const url = `ws://127.0.0.1:${r.port}/relay/v1/camera`
  for (const query of [
    '',
    '?token=',
    `?token=${'A'.repeat(32)}`,
    `?token=${first.token.slice(1)}`,
    '?other=1',
  ])
    t.equal(await refusal(r.connect(url + query)), 401, query)
  r.say('cameras/camera-00000001/events', { event: 'hello' })
  const second = await r.command(2)
  t.equal(second.command, 'start')
  t.equal(await refusal(r.connect(`${url}?token=${first.token}`)), 401, 'the one before is worth nothing')
  await r.camera(second)
})

t.test('Tokens: good for a minute and not longer; one per camera, however often it is asked', async (t) => {
  const tokens = new Tokens(60_000)
  const grant = { camera: 'camera-1', streamId: 'stream0001' }
  const early = tokens.issue(grant, 0)
  t.same(tokens.use(early, 60_000), grant)
  t.equal(tokens.use(early, 60_000), undefined)
  const late = tokens.issue(grant, 0)
  t.equal(tokens.use(late, 60_001), undefined)
  const many = Array.from({ length: 1000 }, (_, i) => tokens.issue(grant, i))
  t.equal(tokens.size, 1)
  t.equal(new Set(many).size, 1000)
  t.equal(tokens.use(many[998]!, 1000), undefined)
  t.same(tokens.use(many[999]!, 1000), grant)
  t.equal(tokens.size, 0)
})

t.test('a picture that is too large closes the camera, before it is in memory', async (t) => {
  const { viewer, camera } = await streaming(t)
  const most = encodeFrame({ level: 5, flags: 0, seq: 1, captureUs: 1 }, jpeg(FRAME_BYTES_MAX - 16))
  camera.socket.send(most)
  await until(() => viewer.pictures.length === 1)
  t.equal(viewer.pictures[0]!.bytes.length, FRAME_BYTES_MAX)
  const closed = closeCode(camera.socket)
  camera.socket.send(Buffer.concat([most, Buffer.alloc(1)]))
  t.equal(await closed, 1009)
  t.equal(viewer.pictures.length, 1)
})

t.test(
  'text, no picture, another version, numbers that fall: the camera is closed and asked anew',
  async (t) => {
    const frame = (seq: number) => encodeFrame({ level: 0, flags: 0, seq, captureUs: 1 }, jpeg(20))
    const wrong: [string, (string | Uint8Array)[], number][] = [
      ['text', ['{"ack":1}'], 1003],
      ['no JPEG', [Buffer.alloc(100)], 1007],
      ['nothing', [Buffer.alloc(0)], 1007],
      ['another version', [frame(1).with(0, 2)], 1007],
      ['a number twice', [frame(3), frame(3)], 1008],
      ['a lower number', [frame(3), frame(2)], 1008],
    ]
    for (const [name, messages, code] of wrong) {
      const { r, camera } = await streaming(t)
      const closed = closeCode(camera.socket)
      for (const message of messages) camera.socket.send(message)
      t.equal(await closed, code, name)
      const again = await r.command(1)
      t.equal(again.command, 'start')
      await r.stop()
    }
  },
)

t.test(
  'a camera that sends as fast as it can is closed; nobody who watches notices more than that',
  async (t) => {
    const { r, camera } = await streaming(t)
    const other = await r.viewer('hrs_2')
    const second = await r.camera(await r.command(1))
    const closed = closeCode(camera.socket)
    for (let i = 0; i < 500; i++) camera.send(50_000)
    t.equal(await closed, 1008)
    const { picturesIn } = r.relay.numbers()
    t.ok(picturesIn < 200, `${picturesIn} of 500 were taken`)
    second.send()
    await until(() => other.pictures.length === 1)
    t.pass('another camera goes on')
  },
)

t.test('a viewer that says what it should not is put out', async (t) => {
  const wrong = [
    '',
    '{',
    '[]',
    'null',
    '{"ack":"1"}',
    '{"ack":1,"x":2}',
    '{"quality":"best"}',
    '{"ping":null}',
  ]
  const r = await running(t)
  for (const text of wrong) {
    const viewer = await r.viewer('hrs_1')
    const closed = closeCode(viewer.socket)
    viewer.socket.send(text)
    t.equal(await closed, 4008, JSON.stringify(text))
  }
  const binary = await r.viewer('hrs_1')
  const closed = closeCode(binary.socket)
  binary.socket.send(Buffer.from('{"ack":1}'))
  t.equal(await closed, 4008)
  const long = await r.viewer('hrs_1')
  const tooLong = closeCode(long.socket)
  long.socket.send(`{"ping":${'1'.repeat(200)}}`)
  t.equal(await tooLong, 1009)
  await until(() => r.relay.status('camera-00000001').viewers === 0)
})

t.test('a viewer that talks without end is put out', async (t) => {
  const r = await running(t)
  const viewer = await r.viewer('hrs_1')
  const closed = closeCode(viewer.socket)
  for (let i = 0; i < 2000; i++) viewer.socket.send('{"ping":1}')
  t.equal(await closed, 4008)
})

t.test('paths: other ids, other versions, and what climbs', async (t) => {
  const r = await running(t)
  const base = `ws://127.0.0.1:${r.port}`
  const paths = [
    '/relay/v1/view/',
    '/relay/v1/view/a/b',
    '/relay/v1/view/..%2f..',
    `/relay/v1/view/${'x'.repeat(65)}`,
    '/relay/v1/view/hrs_1?quality=best',
    '/relay/v2/view/hrs_1',
    '/relay/v1/camera/',
    '/relay',
    '/',
  ]
  for (const path of paths) t.equal(await refusal(r.connect(base + path)), 404, path)
})

t.test('a thousand connections: the limits hold, and the rest are served', async (t) => {
  const limits = { viewers: 300, viewersPerCamera: 200, viewersPerUser: 150 }
  const r = await running(t, { limits })
  let opened = 0
  let refused = 0
  const attempt = async (i: number) => {
    const url = `ws://127.0.0.1:${r.port}/relay/v1/view/hrs_${i % 2}`
    const socket = r.connect(url, { cookie: `user-${i % 7}` })
    const [name] = await Promise.race([
      once(socket, 'open').then(() => ['open']),
      once(socket, 'unexpected-response').then(() => ['refused']),
    ])
    if (name === 'open') opened += 1
    else refused += 1
  }
  for (let i = 0; i < 1000; i += 50) await Promise.all(Array.from({ length: 50 }, (_, n) => attempt(i + n)))
  t.equal(opened, 300)
  t.equal(refused, 700)
  t.equal(r.relay.numbers().viewers, 300)
  const starts = r.published.map(({ message }) => message).filter(({ command }) => command === 'start')
  t.equal(starts.length, 2, 'each camera is asked once')
  const camera = await r.camera(starts[0]!)
  camera.send()
  await until(() => r.relay.numbers().picturesOut >= 100)
  t.pass('those who are in get pictures')
})

t.test('upgrades without a token leave nothing behind', async (t) => {
  const r = await running(t)
  for (let i = 0; i < 200; i += 50)
    await Promise.all(
      Array.from({ length: 50 }, () =>
        refusal(r.connect(`ws://127.0.0.1:${r.port}/relay/v1/camera?token=x`)),
      ),
    )
  await sleep(20)
  t.match(r.relay.numbers(), { sources: 0, viewers: 0 })
})
