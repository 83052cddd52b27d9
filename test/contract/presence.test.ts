import { type Evidence, LEASE_HOLDS_MS, presenceOf } from '@pesebre/contract/presence'
import fc from 'fast-check'
import t from 'tap'

/** Promise D8: late is told from dead, and both from "the gateway is down"; each device's own promised interval decides. */

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const AT = 1_800_000_000_000
const up = new Map([['a', Number.MAX_SAFE_INTEGER]])

/** The state at minutes after the last report. */
const at = (minutes: number, evidence: Partial<Evidence> & { interval_s?: number } = {}) => {
  const { interval_s = 300, ...more } = evidence
  const now = AT + minutes * MINUTE
  return presenceOf({ now, link: { at: AT, interval_s, gateway: 'a' }, gateways: up, ...more }).state
}

t.test(
  'each device is judged by its own interval, and an hour may hide reports that say nothing new',
  async (t) => {
    t.equal(at(60 + 12.5 + 1), 'seen')
    t.equal(at(60 + 12.5 + 1.1), 'late')
    t.equal(at(60 + 50 + 1.1), 'silent')
    t.equal(at(2.5 * 240 + 1, { interval_s: 4 * 3600 }), 'seen', 'every report of this one is written')
    t.equal(at(2.5 * 240 + 1.1, { interval_s: 4 * 3600 }), 'late')
    t.equal(at(10 * 240 + 1.1, { interval_s: 4 * 3600 }), 'silent')
  },
)

t.test('evidence that is complete shortens the hour; one that lies behind does not', async (t) => {
  const now = (minutes: number) => AT + minutes * MINUTE
  t.equal(at(15, { completeTo: now(15) }), 'late')
  t.equal(at(15, { completeTo: now(13) }), 'seen', 'two minutes may hide a report')
  t.equal(at(15.6, { completeTo: now(13.6) }), 'late')
  t.equal(at(70, { completeTo: AT }), 'seen', 'it stands still')
  t.equal(at(74, { completeTo: AT }), 'late')
  t.equal(at(74, { completeTo: now(74), heard: now(70) }), 'seen')
  t.equal(at(74, { heard: now(70) }), 'seen')
})

t.test('never: it has not reported, or has promised nothing', async (t) => {
  t.same(presenceOf({ now: AT }), { state: 'never' })
  t.same(presenceOf({ now: AT + 99 * HOUR, link: { at: AT } }), { state: 'never', at: AT })
})

t.test(
  'a gateway that has gone excuses its devices, as long as they had no time to find another',
  async (t) => {
    const gone = AT + MINUTE
    const alone = new Map([['a', gone]])
    t.equal(at(24 * 60, { gateways: alone }), 'gateway-down', 'there is no other')
    t.equal(at(24 * 60, { gateways: new Map([['a', 0]]) }), 'gateway-down', 'it said that it stops')
    const two = (minutes: number) =>
      new Map([
        ['a', gone],
        ['b', AT + minutes * MINUTE],
      ])
    const complete = (minutes: number) => ({ gateways: two(minutes), completeTo: AT + minutes * MINUTE })
    t.equal(at(20, complete(20)), 'gateway-down')
    t.equal(at(120, complete(120)), 'silent', 'the other one is there for long')
    const other = new Map([
      ['a', AT + 20 * MINUTE],
      ['b', gone],
    ])
    t.equal(
      at(20, { gateways: other, completeTo: AT + 20 * MINUTE }),
      'late',
      'its own runs: it is the device',
    )
    t.equal(
      at(20, { gateways: new Map(), completeTo: AT + 20 * MINUTE }),
      'late',
      'nothing is known of gateways',
    )
  },
)

t.test(
  'a gateway that is back finds its devices in back-off, and calls none of them late before they could come',
  async (t) => {
    const since = (minutes: number, away: number) => ({
      back: { at: AT + minutes * MINUTE, away: away * MINUTE },
    })
    t.equal(at(300, since(300, 240)), 'gateway-down')
    t.equal(at(300 + 75 + 12.5 + 1, since(300, 240)), 'gateway-down', 'an hour and a quarter, at most')
    t.equal(at(300 + 75 + 12.5 + 1.1, since(300, 240)), 'silent')
    t.equal(at(300 + 19, since(300, 0)), 'gateway-down', 'nobody looked before')
    t.equal(at(300 + 20, since(300, 0)), 'silent')
  },
)

/** A day of one device: it reports as it promised, and the bridge writes what it writes. */
const life = fc.record({
  interval_s: fc.integer({ min: 60, max: 4 * 3600 }),
  jitter: fc.array(fc.double({ min: 0, max: 0.2, noNaN: true }), { minLength: 1, maxLength: 20 }),
  changed: fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
  /** Single reports may be lost; never two in a row. */
  lost: fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
  hasIndex: fc.boolean(),
  diesAt: fc.double({ min: 0.2, max: 0.8, noNaN: true }),
})

t.test('by a clock: who keeps the promise is never late; who dies is found, and in time', async (t) => {
  fc.assert(
    fc.property(life, ({ interval_s, jitter, changed, lost, hasIndex, diesAt }) => {
      const interval = interval_s * 1000
      const end = Math.max(30 * HOUR, 60 * interval)
      const dead = AT + diesAt * (end / 2)
      const reports: number[] = []
      for (let now = AT, i = 0; now < dead; i++) {
        const isLost = lost[i % lost.length] && i > 0 && (i === 1 || !lost[(i - 1) % lost.length])
        if (!isLost) reports.push(now)
        now += interval * (1 + jitter[i % jitter.length]! * 0.2)
      }
      // What the bridge writes: a change, or the first report an hour after the last write.
      const written: number[] = []
      for (const [i, at] of reports.entries())
        if (changed[i % changed.length] || at - (written.at(-1) ?? Number.NEGATIVE_INFINITY) >= HOUR)
          written.push(at)
      const heardAt = reports.at(-1)!
      const gateways = new Map([['a', Number.MAX_SAFE_INTEGER]])
      const stateAt = (now: number) => {
        const link = written.findLast((each) => each <= now)!
        const completeTo = now - 90_000
        const heard = hasIndex ? reports.findLast((each) => each <= completeTo) : undefined
        return presenceOf({
          now,
          link: { at: link, interval_s, gateway: 'a' },
          gateways,
          ...(hasIndex && { completeTo, heard: heard ?? 0 }),
        }).state
      }
      for (let now = AT; now < dead; now += interval / 3) {
        if (stateAt(now) !== 'seen')
          throw new Error(`${stateAt(now)} ${(now - AT) / MINUTE} min, promise kept`)
      }
      const found = heardAt + 2.5 * interval + 62_000 + (hasIndex ? 90_000 : HOUR)
      // By the shadow alone nobody can tell which report within the last hour was the last one.
      const isFound = hasIndex ? stateAt(found) === 'late' : stateAt(found) !== 'seen'
      if (!isFound) throw new Error(`${stateAt(found)} after its death`)
      if (stateAt(found + 7.6 * interval) !== 'silent') throw new Error('Not silent in the end')
    }),
    { numRuns: 300 },
  )
  t.pass('every life')
})

t.test(
  'by a clock: with its gateway dead, a device that comes over to the other one is never late',
  async (t) => {
    fc.assert(
      fc.property(
        fc.record({
          interval_s: fc.integer({ min: 60, max: 3600 }),
          phase: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        ({ interval_s, phase }) => {
          const interval = interval_s * 1000
          const gone = AT + phase * interval
          // One check-in fails; the next, with back-off, goes to the other gateway.
          const back = AT + interval + Math.max(interval, Math.min(2 * interval, HOUR)) * 1.25
          for (let now = AT; now < back; now += interval / 7) {
            const gateways = new Map([
              ['a', Math.min(now, gone)],
              ['b', now],
            ])
            const { state } = presenceOf({
              now,
              link: { at: AT, interval_s, gateway: 'a' },
              gateways,
              heard: AT,
              completeTo: now,
            })
            const isKnown = now - gone > LEASE_HOLDS_MS
            if (state === 'silent' || (state === 'late' && isKnown))
              throw new Error(`${state} ${(now - AT) / MINUTE}`)
          }
        },
      ),
      { numRuns: 300 },
    )
    t.pass('every phase')
  },
)
