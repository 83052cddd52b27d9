import t from 'tap'
import { CaptureClock } from '../../../../web/server/src/relay/clock.ts'

/** Small numbers that look random, and are the same each time. */
function noise(n: number): number {
  const wave = Math.sin(n * 12.9898) * 43_758.5453
  return wave - Math.floor(wave)
}

t.test('CaptureClock: finds the offset of clocks behind a way that is now long, now short', async (t) => {
  const clock = new CaptureClock()
  const offset = 1_700_000_000_000
  clock.roundTrip(300)
  for (let n = 0; n < 200; n++) {
    clock.roundTrip(120 + 400 * noise(n))
    const captureMs = n * 200
    // 60 ms at best, up to half a second when the link is full.
    clock.observe(captureMs, offset + captureMs + 60 + 500 * noise(n + 1000))
  }
  t.ok(Math.abs(clock.offset - offset) < 15, `${clock.offset - offset} ms off`)
})

t.test('CaptureClock: follows clocks that drift apart', async (t) => {
  // 50 millionths, either way: an ordinary crystal.
  for (const rate of [1.00005, 0.99995]) {
    const clock = new CaptureClock()
    clock.roundTrip(100)
    let off = 0
    for (let now = 0; now < 600_000; now += 200) {
      clock.observe(now * rate, now + 50)
      off = Math.abs(now * rate + clock.offset - now)
    }
    t.ok(off < 10, `${off} ms off after ten minutes`)
  }
})

t.test('CaptureClock: without a ping yet, the fastest picture alone tells', async (t) => {
  const clock = new CaptureClock()
  clock.observe(0, 1_000)
  clock.observe(200, 1_150)
  clock.observe(400, 1_600)
  t.equal(clock.offset, 950)
})
