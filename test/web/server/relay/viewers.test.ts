import t from 'tap'
import { LATE_MS } from '../../../../web/server/src/relay/viewer.ts'
import { shown, startHub } from './harness.ts'

t.test(
  'a viewer has at most two pictures under way, then gets the newest; the others are counted',
  async (t) => {
    const h = startHub()
    const viewer = h.join()
    const source = h.open()
    for (let i = 0; i < 7; i++) h.picture(source)
    t.same(shown(h.done(), viewer), [1], 'one, while nobody knows how fast it is')
    h.hub.drawn(viewer, 1, h.now())
    t.same(shown(h.done(), viewer), [7], 'not 2')
    for (let i = 0; i < 3; i++) h.picture(source)
    t.same(shown(h.done(), viewer), [8], 'two are under way')
    h.hub.drawn(viewer, 7, h.now())
    t.same(shown(h.done(), viewer), [10])
    h.hub.drawn(viewer, 8, h.now())
    t.same(shown(h.done(), viewer), [], 'nothing newer is there')
    t.equal(h.hub.numbers().picturesDropped, 6)
    t.equal(h.hub.numbers().picturesOut, 4)
  },
)

t.test('a viewer that draws only the newest acknowledges all before it', async (t) => {
  const h = startHub()
  const viewer = h.join()
  const source = h.open()
  h.picture(source)
  h.hub.drawn(viewer, 1, h.now())
  h.picture(source)
  h.picture(source)
  h.hub.drawn(viewer, 3, h.now())
  h.picture(source)
  h.picture(source)
  t.same(shown(h.done(), viewer), [1, 2, 3, 4, 5])
})

t.test('acknowledgements of pictures that were never sent change nothing', async (t) => {
  const h = startHub()
  const viewer = h.join()
  const source = h.open()
  for (const seq of [0, 1, 99, 2 ** 32]) h.hub.drawn(viewer, seq, h.now())
  h.hub.drawn(77, 1, h.now())
  for (let i = 0; i < 3; i++) h.picture(source)
  h.hub.drawn(viewer, 3, h.now())
  t.same(shown(h.done(), viewer), [1])
})

t.test('a viewer that is slow gets one at a time, and slows nobody', async (t) => {
  const h = startHub()
  const slow = h.join()
  const quick = h.join()
  const source = h.open()
  h.done()
  const got = { slow: 0, quick: 0 }
  let owed: { seq: number; at: number; sent: number }[] = []
  const ages: number[] = []
  // 150 kbps, pictures of 20 kB: each takes 1,067 ms on the link, one after the other; 25 a second come.
  for (let step = 0; step < 60 * 25; step++) {
    h.pass(40)
    h.picture(source)
    for (;;) {
      const effects = h.done()
      if (effects.length === 0) break
      for (const seq of shown(effects, quick)) {
        got.quick += 1
        h.hub.drawn(quick, seq, h.now())
      }
      for (const seq of shown(effects, slow)) {
        const free = Math.max(h.now(), owed.at(-1)?.at ?? 0)
        owed.push({ seq, at: free + 1067, sent: h.now() })
      }
    }
    for (const { seq, at, sent } of owed.filter(({ at }) => at <= h.now())) {
      got.slow += 1
      ages.push(at - sent)
      h.hub.drawn(slow, seq, h.now())
    }
    owed = owed.filter(({ at }) => at > h.now())
  }
  t.equal(got.quick, 1500, 'every picture')
  t.ok(got.slow >= 50, `${got.slow} pictures`)
  // What is on the screen gets older until the next one is drawn.
  const oldest = Math.max(...ages) + 1067
  t.ok(oldest < 3000, `${oldest} ms`)
})

t.test(
  'a viewer that owes an acknowledgement for ten seconds is dismissed, and may come again',
  async (t) => {
    const h = startHub()
    const viewer = h.join()
    const source = h.open()
    h.picture(source)
    h.pass(LATE_MS - 250)
    t.same(h.only('dismiss'), [])
    h.pass(250)
    t.same(h.only('dismiss'), [{ do: 'dismiss', viewer }])
    t.equal(h.hub.view('camera-1').viewers, 0)
    t.equal(h.hub.numbers().viewersDismissed, 1)
    h.picture(source)
    t.same(h.only('show'), [], 'it gets nothing more')
    const again = h.join()
    t.same(shown(h.done(), again), [2])
  },
)

t.test('who joins gets the last picture at once, with the clock to read its age by', async (t) => {
  const h = startHub()
  h.join()
  const source = h.open()
  h.hub.roundTrip(source, 100)
  h.picture(source, 5_000)
  h.pass(500)
  h.done()
  const viewer = h.join()
  const effects = h.done().filter((effect) => 'viewer' in effect && effect.viewer === viewer)
  t.same(
    effects.map((effect) => effect.do),
    ['tell-state', 'tell-clock', 'show'],
  )
  const clock = effects.find((effect) => effect.do === 'tell-clock')?.clock ?? 0
  t.equal(clock + 5_000, h.now() - 500 - 50, 'half of the round trip before it came')
})

t.test(
  'the quality that somebody wants most is asked of the camera; who saves data gets three a second',
  async (t) => {
    const h = startHub()
    const low = h.join({ quality: 'low' })
    t.match(h.only('start'), [{ want: { targetFps: 3, maxFps: 3, maxLevel: 2 } }])
    const source = h.open()
    const high = h.join({ quality: 'high' })
    t.match(h.only('want'), [{ source, want: { maxLevel: 5, maxFps: 15 } }])
    const seen: number[] = []
    for (let i = 0; i < 50; i++) {
      h.pass(100)
      h.picture(source)
      const effects = h.done()
      for (const viewer of [low, high])
        for (const seq of shown(effects, viewer)) h.hub.drawn(viewer, seq, h.now())
      seen.push(...shown(effects, low))
    }
    t.ok(seen.length >= 12 && seen.length <= 17, `${seen.length} in five seconds`)
    h.hub.quality(high, 'auto', h.now())
    t.match(h.only('want'), [{ want: { maxFps: 8 } }])
    h.hub.leave(high, h.now())
    t.match(h.only('want'), [{ want: { maxFps: 3, maxLevel: 2 } }])
  },
)

t.test('limits: per camera, per person, in total; each is free again when somebody leaves', async (t) => {
  const h = startHub({ viewersPerCamera: 3, viewersPerUser: 2, viewers: 4 })
  const first = h.join({ user: 'usr_a' })
  t.equal(h.hub.refusal({ user: 'usr_a', camera: 'camera-1' }), undefined)
  h.join({ user: 'usr_a' })
  t.equal(h.hub.refusal({ user: 'usr_a', camera: 'camera-2' }), 'viewersPerUser')
  h.join({ user: 'usr_b' })
  t.equal(h.hub.refusal({ user: 'usr_b', camera: 'camera-1' }), 'viewersPerCamera')
  h.join({ user: 'usr_b', camera: 'camera-2' })
  t.equal(h.hub.refusal({ user: 'usr_c', camera: 'camera-3' }), 'viewers')
  h.hub.leave(first, h.now())
  t.equal(h.hub.refusal({ user: 'usr_a', camera: 'camera-1' }), undefined)
})
