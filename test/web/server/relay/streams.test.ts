import { FRAME_BYTES_MAX } from '@pesebre/contract/frame'
import { LEASE_S_MAX, TOKEN_S_MAX } from '@pesebre/contract/relay'
import t from 'tap'
import { GONE_MS, SNAPSHOT_MS } from '../../../../web/server/src/relay/camera.ts'
import {
  ANSWER_MS,
  BURST_MOST,
  LEASE_MS,
  LINGER_MS,
  RATE_MOST,
  SILENT_MS,
} from '../../../../web/server/src/relay/stream.ts'
import { LATE_MS, WINDOW } from '../../../../web/server/src/relay/viewer.ts'
import { startHub } from './harness.ts'

t.test(
  'the first viewer starts the camera, the second does not; ten seconds after the last has left it stops',
  async (t) => {
    const h = startHub()
    const [first, second] = [h.join(), h.join()]
    const [start, ...more] = h.only('start')
    t.same(more, [])
    t.match(start, { camera: 'camera-1', streamId: 'stream0001', leaseS: 600, want: { targetFps: 5 } })
    const source = h.open()
    h.picture(source)
    t.equal(h.hub.view('camera-1').state, 'streaming')
    h.hub.leave(first, h.now())
    h.hub.leave(second, h.now())
    h.pass(LINGER_MS - 250)
    t.same(h.only('stop'), [])
    h.pass(250)
    const effects = h.done()
    t.match(effects, [
      { do: 'stop', camera: 'camera-1', streamId: 'stream0001' },
      { do: 'drop', source, reason: 'done' },
      { do: 'changed' },
    ])
    t.equal(h.hub.view('camera-1').state, 'idle')
  },
)

t.test('who comes back within ten seconds finds the stream running', async (t) => {
  const h = startHub()
  const viewer = h.join()
  const source = h.open()
  h.picture(source)
  h.hub.leave(viewer, h.now())
  h.pass(LINGER_MS / 2)
  h.done()
  h.join()
  h.pass(LINGER_MS - 250)
  const effects = h.done()
  t.notOk(effects.some((effect) => effect.do === 'stop' || effect.do === 'start'))
})

t.test('the lease is renewed half-way while somebody watches, and only then', async (t) => {
  const h = startHub()
  const viewer = h.join()
  const source = h.open()
  const watch = (ms: number) => {
    for (let left = ms; left > 0; left -= 1000) {
      h.pass(1000)
      h.hub.drawn(viewer, h.picture(source), h.now())
    }
  }
  watch(LEASE_MS / 2 - 1000)
  t.same(h.only('lease'), [])
  watch(1000)
  t.same(h.only('lease'), [{ do: 'lease', source, seconds: 600 }])
  watch(LEASE_MS / 2)
  t.equal(h.only('lease').length, 1)
})

t.test(
  'a camera that does not answer is asked again and again, ever more slowly; its viewers see that',
  async (t) => {
    const h = startHub()
    const viewer = h.join()
    h.done()
    h.pass(ANSWER_MS)
    t.match(h.done(), [
      { do: 'tell-state', viewer, state: 'silent' },
      { do: 'changed' },
      { do: 'gone', camera: 'camera-1' },
    ])
    h.pass(300_000)
    const asked = h.only('start').length
    t.ok(asked >= 5 && asked <= 12, `${asked} times in five minutes`)
    while (h.only('start').length === 0) h.pass(250)
    const source = h.open()
    h.picture(source)
    const effects = h.done()
    t.ok(effects.some((effect) => effect.do === 'tell-state' && effect.state === 'streaming'))
    t.equal(effects.filter((effect) => effect.do === 'back').length, 1)
  },
)

t.test(
  'a connection that breaks is replaced by a new stream with another token a second later',
  async (t) => {
    const h = startHub()
    h.join()
    const source = h.open()
    h.picture(source)
    h.done()
    h.hub.closed(source, h.now())
    t.equal(h.hub.view('camera-1').state, 'starting')
    h.pass(1000)
    t.match(h.only('start'), [{ streamId: 'stream0002' }])
    const again = h.open()
    h.picture(again)
    t.equal(h.hub.view('camera-1').state, 'streaming')
  },
)

t.test('a connection without pictures is given up after fifteen seconds', async (t) => {
  const h = startHub()
  h.join()
  const source = h.open()
  h.pass(SILENT_MS)
  t.match(h.only('drop'), [{ source, reason: 'silent' }])
  t.equal(h.hub.view('camera-1').state, 'silent')
})

t.test('a camera that comes with the token of another stream is sent away', async (t) => {
  const h = startHub()
  h.join()
  h.done()
  const stranger = h.open('camera-1', 'stream9999')
  t.same(h.only('drop'), [{ do: 'drop', source: stranger, reason: 'replaced' }])
  h.picture(stranger)
  t.same(h.done(), [], 'its pictures go nowhere')
  const idle = h.open('camera-2', 'stream0001')
  t.same(h.only('drop'), [{ do: 'drop', source: idle, reason: 'replaced' }])
})

t.test('a camera that sends faster than any camera is closed, and asked again later', async (t) => {
  const h = startHub()
  h.join()
  const source = h.open()
  for (let i = 0; i < BURST_MOST; i++) h.picture(source)
  t.equal(h.only('ack').length, BURST_MOST, 'what a link had held up may come at once')
  h.picture(source)
  t.same(h.only('drop'), [{ do: 'drop', source, reason: 'too fast' }])
  h.picture(source)
  t.same(h.done(), [])
  h.pass(1000)
  t.equal(h.only('start').length, 1)
})

t.test('thirty pictures a second are not too fast', async (t) => {
  const h = startHub()
  const viewer = h.join()
  const source = h.open()
  for (let i = 0; i < 50 * RATE_MOST; i++) {
    h.pass(i % 3 === 0 ? 34 : 33)
    h.hub.drawn(viewer, h.picture(source), h.now())
  }
  t.notOk(h.done().some((effect) => effect.do === 'drop'))
})

t.test('a camera whose pictures do not rise in number is closed', async (t) => {
  const h = startHub()
  h.join()
  const source = h.open()
  const picture = (seq: number) =>
    h.hub.picture(source, { seq, captureMs: 0, bytes: new Uint8Array() }, h.now())
  picture(0)
  picture(7)
  t.notOk(h.done().some((effect) => effect.do === 'drop'))
  picture(7)
  t.match(h.only('drop'), [{ source, reason: 'out of order' }])
})

t.test(
  'hello: the camera has restarted, what it was asked is asked anew; nobody watching, nothing',
  async (t) => {
    const h = startHub()
    h.hub.hello('camera-1', h.now())
    t.same(h.only('start'), [])
    t.equal(h.hub.view('camera-1').isConnected, true)
    h.join()
    const source = h.open()
    h.picture(source)
    h.done()
    h.hub.hello('camera-1', h.now())
    const effects = h.done()
    t.match(
      effects.filter(({ do: kind }) => kind === 'drop' || kind === 'start'),
      [
        { do: 'drop', source, reason: 'replaced' },
        { do: 'start', streamId: 'stream0002' },
      ],
    )
  },
)

t.test('stopped and error: of this stream they bring the next attempt, of another one nothing', async (t) => {
  const h = startHub()
  h.join()
  h.done()
  h.hub.refused('camera-1', 'stream0000', h.now())
  h.pass(2000)
  t.same(h.only('start'), [])
  h.hub.refused('camera-1', 'stream0001', h.now())
  h.pass(1000)
  t.match(h.only('start'), [{ streamId: 'stream0002' }])
  h.hub.refused('camera-1', undefined, h.now())
  h.pass(1000)
  t.same(h.only('start'), [], 'the second time it takes longer')
  h.pass(1000)
  t.match(h.only('start'), [{ streamId: 'stream0003' }])
})

t.test('gone: away from MQTT for a minute; back when it is there again', async (t) => {
  const h = startHub()
  h.hub.presence('camera-1', true, h.now())
  h.hub.presence('camera-1', false, h.now())
  const at = h.now()
  h.pass(GONE_MS - 250)
  t.same(h.only('gone'), [])
  h.pass(250)
  t.same(h.only('gone'), [{ do: 'gone', camera: 'camera-1', at }])
  h.pass(GONE_MS)
  t.same(h.only('gone'), [], 'said once')
  h.hub.presence('camera-1', true, h.now())
  t.match(h.only('back'), [{ camera: 'camera-1' }])
})

t.test('gone: not while its pictures come, whatever MQTT says', async (t) => {
  const h = startHub()
  const viewer = h.join()
  const source = h.open()
  h.hub.presence('camera-1', true, h.now())
  h.hub.presence('camera-1', false, h.now())
  for (let i = 0; i < 90; i++) {
    h.pass(1000)
    h.hub.drawn(viewer, h.picture(source), h.now())
  }
  t.same(h.only('gone'), [])
})

t.test('a camera that comes back to MQTT is asked at once, not when its turn comes', async (t) => {
  const h = startHub()
  h.join()
  h.hub.presence('camera-1', false, h.now())
  h.pass(120_000)
  h.done()
  h.hub.presence('camera-1', true, h.now())
  t.equal(h.only('start').length, 1)
})

t.test(
  'snapshot: from what is there if it is young enough, else from the camera, once for all who wait',
  async (t) => {
    const h = startHub()
    h.hub.snapshot(1, { camera: 'camera-1', maxAgeMs: 60_000 }, h.now())
    h.hub.snapshot(2, { camera: 'camera-1', maxAgeMs: 60_000 }, h.now())
    t.match(h.done(), [{ do: 'snapshot', camera: 'camera-1', streamId: 'stream0001' }, { do: 'changed' }])
    const source = h.open()
    h.picture(source)
    const effects = h.done()
    t.match(
      effects.filter(({ do: kind }) => kind === 'picture'),
      [
        { request: 1, picture: { seq: 1 } },
        { request: 2, picture: { seq: 1 } },
      ],
    )
    t.ok(
      effects.some((effect) => effect.do === 'drop' && effect.reason === 'done'),
      'one is enough',
    )
    t.equal(h.hub.view('camera-1').state, 'idle')
    h.pass(59_000)
    h.done()
    h.hub.snapshot(3, { camera: 'camera-1', maxAgeMs: 60_000 }, h.now())
    t.match(h.done(), [{ do: 'picture', request: 3, picture: { seq: 1 } }])
    h.hub.snapshot(4, { camera: 'camera-1', maxAgeMs: 10_000 }, h.now())
    t.equal(h.only('snapshot').length, 1)
  },
)

t.test('snapshot: of a camera that streams it is the next picture', async (t) => {
  const h = startHub()
  h.join()
  const source = h.open()
  h.picture(source)
  h.pass(3000)
  h.done()
  h.hub.snapshot(1, { camera: 'camera-1', maxAgeMs: 0 }, h.now())
  t.same(h.done(), [])
  h.picture(source)
  const effects = h.done()
  t.match(
    effects.filter(({ do: kind }) => kind === 'picture'),
    [{ picture: { seq: 2 } }],
  )
  t.notOk(effects.some((effect) => effect.do === 'drop'))
})

t.test('snapshot: no answer of the camera is an answer, after twelve seconds', async (t) => {
  const h = startHub()
  h.hub.snapshot(1, { camera: 'camera-1', maxAgeMs: 0 }, h.now())
  h.pass(SNAPSHOT_MS - 250)
  t.same(h.only('picture'), [])
  h.pass(250)
  t.same(h.only('picture'), [{ do: 'picture', request: 1, picture: undefined }])
  h.pass(60_000)
  t.same(h.only('snapshot'), [], 'nobody waits, nobody asks')
})

t.test(
  'snapshot: somebody who joins meanwhile starts a stream, and its first picture serves both',
  async (t) => {
    const h = startHub()
    h.hub.snapshot(1, { camera: 'camera-1', maxAgeMs: 0 }, h.now())
    const early = h.open()
    h.join()
    t.match(
      h.done().filter(({ do: kind }) => kind === 'start' || kind === 'drop'),
      [
        { source: early, reason: 'replaced' },
        { do: 'start', streamId: 'stream0002' },
      ],
    )
    h.picture(h.open())
    const effects = h.done()
    t.equal(effects.filter(({ do: kind }) => kind === 'picture').length, 1)
    t.notOk(
      effects.some((effect) => effect.do === 'drop'),
      'the stream goes on',
    )
  },
)

t.test('a camera that is known to be away: nobody waits for it, and it is asked all the same', async (t) => {
  const h = startHub()
  h.hub.presence('camera-1', true, h.now())
  h.hub.presence('camera-1', false, h.now())
  h.done()
  h.hub.snapshot(1, { camera: 'camera-1', maxAgeMs: 0 }, h.now())
  t.same(h.done(), [{ do: 'picture', request: 1, picture: undefined }])
  const viewer = h.join()
  const effects = h.done()
  t.match(
    effects.filter((effect) => effect.do === 'tell-state'),
    [{ viewer, state: 'silent' }],
  )
  t.equal(effects.filter((effect) => effect.do === 'start').length, 1)
  h.hub.presence('camera-1', true, h.now())
  t.match(h.only('tell-state'), [{ viewer, state: 'starting' }])
})

t.test('stop: every stream ends', async (t) => {
  const h = startHub()
  h.join({ camera: 'camera-1' })
  h.join({ camera: 'camera-2' })
  h.done()
  h.hub.stop()
  t.same(
    h.only('stop').map(({ camera }) => camera),
    ['camera-1', 'camera-2'],
  )
})

t.test('the numbers of design/wire.md section 6', async (t) => {
  t.same(
    { LINGER_MS, LEASE_MS, LATE_MS, WINDOW },
    { LINGER_MS: 10_000, LEASE_MS: 600_000, LATE_MS: 10_000, WINDOW: 2 },
  )
  t.same(
    { TOKEN_S_MAX, LEASE_S_MAX, FRAME_BYTES_MAX },
    { TOKEN_S_MAX: 60, LEASE_S_MAX: 600, FRAME_BYTES_MAX: 262_144 },
  )
})
