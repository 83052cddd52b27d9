import { encodeFrame } from '@pesebre/contract/frame'
import t from 'tap'
import { createViewer, type SocketEvents, type ViewerStatus } from '../../../../web/app/src/camera/viewer.ts'

type Fake = { path: string; on: SocketEvents; sent: Record<string, unknown>[]; isClosed: boolean }

/** A browser whose clock, decoder and network belong to the test. */
function watch(quality: 'auto' | 'low' | 'high' = 'auto') {
  let now = 50_000
  const timers = new Set<{ at: number; then: () => void }>()
  const sockets: Fake[] = []
  const drawn: number[] = []
  const decoding: { seq: number; done: () => void; fail: () => void }[] = []
  let status: ViewerStatus | undefined
  const viewer = createViewer<number>({
    horse: 'hrs_1',
    quality,
    onStatus: (told) => {
      status = told
    },
    ports: {
      open(path, on) {
        const socket: Fake = { path, on, sent: [], isClosed: false }
        sockets.push(socket)
        return {
          send: (text) => void socket.sent.push(JSON.parse(text)),
          close() {
            socket.isClosed = true
          },
        }
      },
      decode: (jpeg) =>
        new Promise((resolve, reject) => {
          const seq = jpeg[3]!
          decoding.push({ seq, done: () => resolve(seq), fail: () => reject(new Error('no picture')) })
        }),
      draw: (seq) => void drawn.push(seq),
      now: () => now,
      after(ms, then) {
        const timer = { at: now + ms, then }
        timers.add(timer)
        return () => timers.delete(timer)
      },
      random: () => 1,
    },
  })
  /** Lets what was promised happen. */
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  return {
    viewer,
    sockets,
    drawn,
    decoding,
    settle,
    now: () => now,
    status: () => status!,
    last: () => sockets.at(-1)!,
    acks: () => sockets.at(-1)!.sent.flatMap((one) => ('ack' in one ? [one['ack']] : [])),
    pass(ms: number) {
      const end = now + ms
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        timers.delete(next)
        now = Math.max(now, next.at)
        next.then()
      }
      now = end
    },
    picture(seq: number, captureMs = 0) {
      const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, seq, 0)
      const bytes = encodeFrame({ level: 3, flags: 0, seq, captureUs: captureMs * 1000 }, jpeg)
      sockets.at(-1)!.on.onPicture(bytes)
    },
    async draw() {
      decoding.shift()!.done()
      await settle()
    },
  }
}

t.test('a picture is acknowledged after it was drawn, not before', async (t) => {
  const w = watch()
  t.equal(w.last().path, '/relay/v1/view/hrs_1?quality=auto')
  w.last().on.onOpen()
  w.picture(1)
  await w.settle()
  t.same(w.acks(), [])
  await w.draw()
  t.same(w.drawn, [1])
  t.same(w.acks(), [1])
})

t.test('of the pictures that come while one is decoded only the newest is drawn', async (t) => {
  const w = watch()
  w.last().on.onOpen()
  for (const seq of [1, 2, 3]) w.picture(seq)
  await w.settle()
  t.equal(w.decoding.length, 1)
  await w.draw()
  t.equal(w.decoding[0]?.seq, 3)
  await w.draw()
  t.same(w.drawn, [1, 3])
  t.same(w.acks(), [1, 3])
})

t.test('a picture that cannot be decoded is acknowledged, and the next one drawn', async (t) => {
  const w = watch()
  w.last().on.onOpen()
  w.picture(1)
  await w.settle()
  w.decoding.shift()!.fail()
  await w.settle()
  w.picture(2)
  await w.settle()
  await w.draw()
  t.same(w.drawn, [2])
  t.same(w.acks(), [1, 2])
})

t.test('the age of the picture: from when it was taken, by the relay in between', async (t) => {
  const w = watch()
  w.last().on.onOpen()
  w.pass(0)
  t.same(w.last().sent, [{ ping: 50_000 }])
  w.pass(40)
  // The relay is 1,000,000 ms ahead of this browser; half of the round trip was 20 ms.
  w.last().on.onText(JSON.stringify({ pong: 50_000, now: 1_050_020 }))
  // The camera's clock said 7,000 when the relay's said 1,049,900.
  w.last().on.onText(JSON.stringify({ clock: 1_042_900 }))
  w.picture(1, 7_000)
  await w.settle()
  await w.draw()
  w.pass(210)
  t.equal(w.status().ageMs, 1_000_000 + w.now() - 1_049_900)
  t.equal(w.status().level, 3)
})

t.test(
  'stale: after three times the usual interval, not before two seconds, and at once without a connection',
  async (t) => {
    const w = watch()
    w.last().on.onOpen()
    for (let seq = 1; seq <= 10; seq++) {
      w.picture(seq)
      await w.settle()
      await w.draw()
      w.pass(200)
    }
    t.equal(w.status().isStale, false)
    t.ok(Math.abs(w.status().fps - 10 / 3) < 1)
    w.pass(1_750)
    t.equal(w.status().isStale, false)
    w.pass(500)
    t.equal(w.status().isStale, true)
    w.picture(11)
    await w.settle()
    await w.draw()
    w.pass(250)
    t.equal(w.status().isStale, false)
    w.last().on.onClose(1006)
    t.equal(w.status().isStale, true)
    t.equal(w.status().connection, 'waiting')
  },
)

t.test('a slow camera is not stale between two of its pictures', async (t) => {
  const w = watch()
  w.last().on.onOpen()
  for (let seq = 1; seq <= 4; seq++) {
    w.picture(seq)
    await w.settle()
    await w.draw()
    w.pass(1_500)
  }
  w.pass(1_500)
  t.equal(w.status().isStale, false)
  w.pass(2_000)
  t.equal(w.status().isStale, true)
})

t.test(
  'reconnects with longer and longer waits up to 15 s, soon again after a good connection',
  async (t) => {
    const w = watch()
    const waits: number[] = []
    for (let i = 0; i < 6; i++) {
      const count = w.sockets.length
      w.last().on.onClose(1006)
      const from = w.now()
      while (w.sockets.length === count) w.pass(100)
      waits.push(w.now() - from)
    }
    t.same(waits, [1_000, 2_000, 4_000, 8_000, 15_000, 15_000])
    t.equal(w.status().failures, 6)
    w.last().on.onOpen()
    w.pass(20_000)
    w.last().on.onClose(1001)
    w.pass(1_000)
    t.equal(w.status().connection, 'connecting')
    t.equal(w.sockets.length, 8)
  },
)

t.test('a refusal is for good', async (t) => {
  for (const code of [4003, 4008]) {
    const w = watch()
    w.last().on.onOpen()
    w.last().on.onClose(code)
    w.pass(60_000)
    t.equal(w.sockets.length, 1)
    t.equal(w.status().connection, 'refused')
  }
  const w = watch()
  w.last().on.onClose(4004)
  w.pass(1_000)
  t.equal(w.sockets.length, 2, 'another camera: connect again')
})

t.test('paused: the connection is closed, nothing is tried, and resume begins anew', async (t) => {
  const w = watch()
  w.last().on.onOpen()
  w.viewer.pause()
  t.equal(w.last().isClosed, true)
  t.equal(w.status().connection, 'paused')
  w.last().on.onClose(1005)
  const said = w.last().sent.length
  w.pass(60_000)
  t.equal(w.sockets.length, 1)
  t.equal(w.last().sent.length, said, 'no pings either')
  w.viewer.resume()
  w.viewer.resume()
  t.equal(w.sockets.length, 2)
  w.viewer.stop()
  w.viewer.resume()
  w.pass(60_000)
  t.equal(w.sockets.length, 2)
  t.equal(w.last().isClosed, true)
})

t.test('what an old connection still says does not matter', async (t) => {
  const w = watch()
  const old = w.last()
  old.on.onOpen()
  w.picture(1)
  await w.settle()
  w.viewer.pause()
  w.viewer.resume()
  await w.draw()
  t.same(w.drawn, [], 'decoded for a connection that is gone')
  old.on.onText('{"camera":"silent"}')
  t.equal(w.status().camera, undefined)
  t.same(w.acks(), [])
})

t.test('quality: told while connected, and asked for by the next connection', async (t) => {
  const w = watch('low')
  t.match(w.last().path, /quality=low$/)
  w.last().on.onOpen()
  w.viewer.quality('high')
  t.same(w.last().sent.at(-1), { quality: 'high' })
  w.last().on.onClose(1006)
  w.pass(1_000)
  t.match(w.last().path, /quality=high$/)
})

t.test('texts that nobody understands change nothing', async (t) => {
  const w = watch()
  w.last().on.onOpen()
  for (const text of ['', '{', 'null', '3', '{"dance":1}']) w.last().on.onText(text)
  w.last().on.onPicture(Uint8Array.of(1, 2, 3))
  await w.settle()
  t.equal(w.status().camera, undefined)
  w.last().on.onText('{"camera":"starting"}')
  t.equal(w.status().camera, 'starting')
})
