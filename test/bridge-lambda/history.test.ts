import fc from 'fast-check'
import t from 'tap'
import { createBridge } from '../../bridge-lambda/src/bridge.ts'
import { CallError } from '../../bridge-lambda/src/errors.ts'
import { createFakeClock } from '../fakes/clock.ts'
import { createShadows } from '../fakes/iot-shadows.ts'

/** Promise D4: whatever is repeated, reordered or split over two gateways, a shadow ends as if all had come once, in order. */

const KEYS = ['hopper', 'battery', 'door', '__proto__', 'constructor', 'older']
const scalar = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom('', 'x', 'ü'),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    scalar,
    fc.array(scalar, { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom('a', 'b', '__proto__', 'constructor'),
      fc.oneof(tie('any'), fc.constant(null)),
      { maxKeys: 3 },
    ),
  ),
})).any
const state = fc.dictionary(
  fc.constantFrom(...KEYS),
  fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) }),
  { maxKeys: 4 },
)
const report = fc.record(
  {
    state,
    gap: fc.integer({ min: 1, max: 3 }),
    interval: fc.option(fc.integer({ min: 1, max: 900 }), { nil: undefined }),
    gateway: fc.constantFrom('a', 'b'),
    /** The device finds nothing new, and may say so if its last report was answered; with the state or without. */
    quiet: fc.option(fc.constantFrom('with', 'without'), { nil: undefined, freq: 2 }),
    answered: fc.boolean(),
  },
  { requiredKeys: ['gap', 'interval', 'gateway', 'quiet', 'answered'] },
)
type Made = {
  thing: string
  seq: number
  at: number
  gateway: string
  interval: number | undefined
  state?: Record<string, unknown>
  changed?: false
}

/** Things, each with its reports in order, and then a random tape for everything that the world does to them. */
const history = fc.record({
  things: fc.array(fc.array(report, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 3 }),
  tape: fc.infiniteStream(fc.nat({ max: 1_000_000 })),
  prunesEmpty: fc.boolean(),
  prior: fc.constantFrom('none', 'foreign', 'deleted'),
})

/** The model: all reports applied in order of seq, each top-level key replaced whole, null removing it. */
function modelOf(
  reports: Made[],
  foreign: Record<string, unknown>,
): { state: Map<string, unknown>; newest: Made } {
  const held = new Map<string, unknown>(Object.entries(foreign))
  for (const { state } of reports) {
    for (const key of Object.keys(state ?? {})) {
      if (state![key] === null) held.delete(key)
      else held.set(key, state![key])
    }
  }
  return { state: held, newest: reports.at(-1)! }
}

/** A value as a shadow can show it: nulls in objects are absent; objects without content too, as AWS may or may not keep them. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== 'object' || value === null)
    return Object.is(value, -0) ? 0 : value
  const kept = Object.keys(value)
    .sort()
    .map((key) => [key, canonical((value as Record<string, unknown>)[key])] as const)
    .filter(([, inner]) => inner !== null && JSON.stringify(inner) !== '{}')
  // Entries, not an object: `__proto__` must not be lost by the test itself.
  return kept.length === 0 ? {} : { entries: kept }
}

function canonicalState(state: Iterable<[string, unknown]>): string {
  return JSON.stringify(
    [...state]
      .filter(([key]) => key !== 'link')
      .map(([key, inner]) => [key, canonical(inner)])
      .filter(([, inner]) => JSON.stringify(inner) !== '{}')
      .sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)),
  )
}

t.test(
  "createBridge: a generated history, shuffled, doubled, cut in two, in random batches: the shadow is the model's",
  async (t) => {
    await fc.assert(
      fc.asyncProperty(history, async ({ things, tape, prunesEmpty, prior }) => {
        const draw = (below: number) => tape.next().value! % below
        const shadows = createShadows({
          prunesEmpty,
          // Somebody else gets in between, AWS is throttling, an answer is lost after the effect.
          onUpdate: (thing, { version }) => {
            const fate = draw(12)
            if (fate === 0 && version !== undefined) shadows.documents.get(thing)!.version++
            if (fate === 1) throw new CallError('unavailable', 'Rate exceeded')
          },
          onGet: () => {
            if (draw(12) === 0) throw new CallError('unavailable', 'Service unavailable')
          },
        })
        const lossy: typeof shadows.updateShadow = async (...args) => {
          const version = await shadows.updateShadow(...args)
          if (draw(12) === 0) throw new CallError('unavailable', 'Socket hang up')
          return version
        }
        const foreign = prior === 'foreign' ? { hopper: { was: 'here' }, door: 7 } : {}
        const made = things.map((reports, n) => {
          const thing = `thing-${n}`
          if (prior !== 'none') shadows.write(thing, foreign)
          if (prior === 'deleted') shadows.remove(thing)
          let seq = 0
          let last: { state: Record<string, unknown>; isAnswered: boolean } | undefined
          return reports.map((r): Made => {
            seq += r.gap
            const isUnchanged = r.quiet !== undefined && last?.isAnswered === true
            const state = isUnchanged ? last!.state : (r.state ?? {})
            last = { state, isAnswered: r.answered }
            return {
              thing,
              seq,
              at: 1_000 + seq,
              gateway: r.gateway,
              interval: r.interval,
              ...(isUnchanged && { changed: false as const }),
              ...(!(isUnchanged && r.quiet === 'without') && { state }),
            }
          })
        })

        // Doubled in part, shuffled, and cut into batches of one gateway each.
        const stream = made.flat().flatMap((r) => (draw(4) === 0 ? [r, r] : [r]))
        for (let i = stream.length - 1; i > 0; i--) {
          const j = draw(i + 1)
          ;[stream[i], stream[j]] = [stream[j]!, stream[i]!]
        }
        const bodies: string[] = []
        while (stream.length > 0) {
          const batch = stream.splice(0, 1 + draw(8))
          for (const gateway of ['a', 'b']) {
            const records = batch.filter((r) => r.gateway === gateway).map(recordOf)
            if (records.length > 0)
              bodies.push(JSON.stringify({ v: 1, gateway, batch: '01JD0000000000000000000000', records }))
          }
        }

        // Two bridges, each with a memory of its own (of one thing, or of many), and a queue that gives back what failed.
        const clock = createFakeClock()
        const bridges = [1, 100].map((cachedThings) =>
          createBridge(
            {
              getShadow: shadows.getShadow,
              updateShadow: lossy,
              getControl: async () => Promise.reject(new Error('No report here concerns it')),
              updateControl: async () => Promise.reject(new Error('No report here concerns it')),
              createThing: async () => {},
              createThingType: async () => {},
              sendToDlq: async ({ reason }) => Promise.reject(new Error(`Nothing here is poison: ${reason}`)),
              clock,
              log: { debug() {}, warn() {} },
            },
            { concurrency: 2, cachedThings, thingsPerSecond: 100, typesPerSecond: 15 },
          ),
        )
        let queue = bodies.map((body, n) => ({ id: `m${n}`, body }))
        for (let round = 0; queue.length > 0; round++) {
          if (round > 200) throw new Error('The queue does not run empty')
          const [mine, theirs] = [queue.splice(0, 1 + draw(3)), queue.splice(0, draw(3))]
          if (draw(10) === 0) clock.advance(120_000)
          const failed = (await Promise.all([bridges[0]!(mine, 60_000), bridges[1]!(theirs, 60_000)])).flat()
          queue = [...queue, ...[...mine, ...theirs].filter(({ id }) => failed.includes(id))]
        }

        for (const reports of made) {
          const { state, newest } = modelOf(reports, foreign && prior === 'foreign' ? foreign : {})
          const reported = shadows.reported(newest.thing) ?? {}
          if (canonicalState(Object.entries(reported)) !== canonicalState(state)) {
            throw new Error(`Shadow ${JSON.stringify(reported)}\nmodel  ${canonicalState(state)}`)
          }
          // Of unchanged reports at the end it is open which one the link tells of.
          const ends = reports.slice(reports.findLastIndex(({ changed }) => changed === undefined))
          const links = ends.map((end) => JSON.stringify([end.at, end.seq, end.gateway, end.interval]))
          const { at, seq, gateway, interval_s } = reported['link'] as Record<string, unknown>
          const link = JSON.stringify([at, seq, gateway, interval_s])
          if (!links.includes(link)) throw new Error(`Link ${link}, not of ${links}`)
        }
      }),
      { numRuns: Number(process.env['PESEBRE_TEST_RUNS'] ?? 400), endOnFailure: false },
    )
    t.pass('every generated history')
  },
)

function recordOf({ thing, seq, at, state, interval, changed }: Made): object {
  return {
    thing,
    type: 'feeder',
    seq,
    at,
    received: at + 1,
    ...(state && { state }),
    ...(changed !== undefined && { changed }),
    ...(interval !== undefined && { link: { interval_s: interval } }),
  }
}
