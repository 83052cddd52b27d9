import { readFileSync } from 'node:fs'
import { LADDER, Ladder, LEVEL_MAX, type Want, WINDOW } from '@pesebre/contract/ladder'
import t from 'tap'

const AUTO: Want = { targetFps: 5, maxFps: 12, maxLevel: LEVEL_MAX }
/** Milliseconds from the camera to the relay and back, without what the bytes take. */
const RTT = 120
/** The sensor's, milliseconds. */
const CAPTURE_MS = 80

type Phase = { kbps: number; seconds: number }
type Seen = { level: number; fps: number; ageMs: number }

/** A camera behind a link, in virtual time: what arrives in the second half of each phase. */
function simulate(phases: Phase[], want: Want, { scale = 1 } = {}): Seen[] {
  const ladder = new Ladder(want, 0)
  const onLink: { seq: number; left: number; at: number }[] = []
  const arrivals: { at: number; age: number; level: number }[] = []
  const levels = new Map<number, number>()
  const acks: { seq: number; at: number }[] = []
  const seen: Seen[] = []
  let seq = 0
  let now = 0
  for (const { kbps, seconds } of phases) {
    const end = now + seconds * 1000
    const half = now + seconds * 500
    arrivals.length = 0
    for (; now < end; now++) {
      while (acks[0] !== undefined && acks[0].at <= now) ladder.acked(acks.shift()!.seq, now)
      const nextAt = ladder.nextAt()
      if (now % CAPTURE_MS === 0 && nextAt !== undefined && nextAt <= now) {
        const { level } = ladder
        const bytes = Math.round(LADDER[level]!.bytes * scale)
        levels.set(++seq, level)
        ladder.sent(seq, bytes, now)
        onLink.push({ seq, left: bytes, at: now })
      }
      if (onLink[0] === undefined) continue
      onLink[0].left -= kbps / 8
      if (onLink[0].left > 0) continue
      const done = onLink.shift()!
      acks.push({ seq: done.seq, at: now + RTT })
      if (now >= half) arrivals.push({ at: now, age: now + RTT / 2 - done.at, level: levels.get(done.seq)! })
    }
    const ages = arrivals.map(({ age }) => age).sort((a, b) => a - b)
    seen.push({
      fps: arrivals.length / (seconds / 2),
      ageMs: ages[Math.floor(ages.length * 0.95)] ?? Number.POSITIVE_INFINITY,
      level: arrivals.at(-1)?.level ?? -1,
    })
  }
  return seen
}

t.test(
  'Ladder: over 150, 60, 300 and again 150 kbps at least four a second, none older than 0.6 s',
  async (t) => {
    const seen = simulate(
      [150, 60, 300, 150].map((kbps) => ({ kbps, seconds: 60 })),
      AUTO,
    )
    for (const [i, { fps, ageMs }] of seen.entries()) {
      t.ok(fps >= 4, `phase ${i}: ${fps} fps`)
      t.ok(ageMs <= 600, `phase ${i}: ${ageMs} ms`)
    }
    t.ok(seen[2]!.level > seen[1]!.level, 'a better link gives larger pictures')
  },
)

t.test('Ladder: pictures that are three times as large as the table says get the same rate', async (t) => {
  const [seen] = simulate([{ kbps: 150, seconds: 60 }], AUTO, { scale: 3 })
  t.ok(seen!.fps >= 3, `${seen!.fps} fps at level ${seen!.level}`)
  t.ok(seen!.ageMs <= 700, `${seen!.ageMs} ms`)
})

t.test('Ladder: a fast link reaches the largest pictures, one level each three seconds', async (t) => {
  const ladder = new Ladder(AUTO, 0)
  const steps: number[] = []
  for (let seq = 1, now = 0; now < 15_000; seq++, now += 100) {
    ladder.sent(seq, LADDER[ladder.level]!.bytes, now)
    const before = ladder.level
    ladder.acked(seq, now + 5)
    if (ladder.level > before) steps.push(now)
  }
  t.equal(ladder.level, LEVEL_MAX)
  t.equal(steps.length, 3)
  for (const [i, at] of steps.entries()) t.ok(at >= 3000 * (i + 1) - 5, `${at}`)
})

t.test('Ladder: at most two are on their way, and no more a second than wanted', async (t) => {
  const ladder = new Ladder({ ...AUTO, maxFps: 10 }, 0)
  ladder.sent(1, 4000, 1000)
  t.equal(ladder.nextAt(), 1000, 'one late picture brings the next forward')
  ladder.sent(2, 4000, 1000)
  t.equal(ladder.inFlight, WINDOW)
  t.equal(ladder.nextAt(), undefined)
  ladder.acked(2, 1200)
  t.equal(ladder.inFlight, 0, 'an acknowledgement counts for all before it')
  ladder.acked(7, 1300)
  t.equal(ladder.nextAt(), 1100, 'one of a stranger counts for nothing')
})

t.test('Ladder: what the viewers choose bounds it at once', async (t) => {
  const ladder = new Ladder(AUTO, 0)
  for (let seq = 1; ladder.level < LEVEL_MAX; seq++) {
    ladder.sent(seq, LADDER[ladder.level]!.bytes, seq * 1000)
    ladder.acked(seq, seq * 1000 + 5)
  }
  ladder.want({ targetFps: 3, maxFps: 3, maxLevel: 1 }, 100_000)
  t.equal(ladder.level, 1)
  ladder.want(AUTO, 100_001)
  t.equal(ladder.level, 1, 'up again only by steps')
  t.equal(new Ladder({ ...AUTO, maxLevel: 0 }, 0).level, 0)
})

type Step =
  | { do: 'sent'; seq: number; bytes: number; at: number }
  | { do: 'acked'; seq: number; at: number }
  | { do: 'want'; target_fps: number; max_fps: number; max_level: number; at: number }
type Case = {
  name: string
  want: { target_fps: number; max_fps: number; max_level: number }
  at: number
  steps: (Step & { level: number; goodput: number; in_flight: number; next_at: number | null })[]
}
const url = new URL(import.meta.resolve('@pesebre/contract/vectors/ladder.json'))
const { cases } = JSON.parse(readFileSync(url, 'utf8')) as { cases: Case[] }

t.test('Ladder: each step as the vectors have it', async (t) => {
  const wantOf = (o: Case['want']): Want => ({
    targetFps: o.target_fps,
    maxFps: o.max_fps,
    maxLevel: o.max_level,
  })
  for (const { name, want, at, steps } of cases) {
    const ladder = new Ladder(wantOf(want), at)
    for (const [i, step] of steps.entries()) {
      if (step.do === 'sent') ladder.sent(step.seq, step.bytes, step.at)
      else if (step.do === 'acked') ladder.acked(step.seq, step.at)
      else ladder.want(wantOf(step), step.at)
      const { level, goodput, inFlight } = ladder
      t.same(
        { level, goodput, in_flight: inFlight, next_at: ladder.nextAt() ?? null },
        { level: step.level, goodput: step.goodput, in_flight: step.in_flight, next_at: step.next_at },
        `${name}: step ${i}`,
      )
    }
  }
})
