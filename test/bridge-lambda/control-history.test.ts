import { isDeepStrictEqual } from 'node:util'
import type { OutcomeState } from '@pesebre/contract/check-in'
import { MEALS_KEPT, OUTCOMES_KEPT } from '@pesebre/contract/control'
import fc from 'fast-check'
import t from 'tap'
import { createBridge } from '../../bridge-lambda/src/bridge.ts'
import { CallError } from '../../bridge-lambda/src/errors.ts'
import { createFakeClock } from '../fakes/clock.ts'
import { createControls } from '../fakes/iot-controls.ts'
import { createShadows } from '../fakes/iot-shadows.ts'

/** Promise D4 for what devices say about commands, and for the count of their reports that never came. */

const ENDS = ['done', 'partial', 'jammed', 'refused', 'interrupted', 'expired'] as const
const NOT_AFTER = 2_000

const life = fc.record({
  /** How many reports lie between its states, and which end it has. */
  pace: fc.integer({ min: 1, max: 3 }),
  end: fc.constantFrom(...ENDS),
  isBusyFirst: fc.boolean(),
})
const history = fc.record({
  commands: fc.array(life, { minLength: 0, maxLength: 12 }),
  meals: fc.array(life, { minLength: 0, maxLength: 30 }),
  gaps: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 1, maxLength: 30 }),
  tape: fc.infiniteStream(fc.nat({ max: 1_000_000 })),
})

type Life = { pace: number; end: OutcomeState; isBusyFirst: boolean }
type Outcome = { n: number; state: OutcomeState; at: number; grams?: number; reason?: string }
type Made = {
  thing: string
  seq: number
  gateway: string
  outcomes: Outcome[]
  /** `n` is the occurrence. */
  meals: Outcome[]
  sent?: number
  version: number
}

t.test(
  'createBridge: outcomes shuffled, doubled, cut in two, in random batches: the control shadow and the count of lost ones are the model’s',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(history, async ({ commands, meals, gaps, tape }) => {
        const draw = (below: number) => tape.next().value! % below
        const unavailable = () => {
          if (draw(12) === 0) throw new CallError('unavailable', 'Rate exceeded')
        }
        const controls = createControls({
          onGet: unavailable,
          onUpdate: (thing) => {
            unavailable()
            // Somebody gives a command in between.
            if (draw(10) === 0) controls.write(thing, { desired: { next: draw(99) } })
          },
        })
        const shadows = createShadows({ onGet: unavailable, onUpdate: unavailable })
        const thing = 'feeder-1a2b3c4d'
        const queue = commands.map((_, i) => ({
          n: i + 1,
          kind: 'feed',
          grams: 1,
          notAfter: NOT_AFTER / 1000 + i,
          by: 'x',
          at: 0,
        }))
        controls.write(thing, { desired: { enabled: true, queue } })
        const made = reportsOf(thing, { commands, meals }, { gaps, draw })

        const stream = made.flatMap((report) => (draw(4) === 0 ? [report, report] : [report]))
        for (let i = stream.length - 1; i > 0; i--) {
          const j = draw(i + 1)
          ;[stream[i], stream[j]] = [stream[j]!, stream[i]!]
        }
        const messages: { id: string; body: string }[] = []
        while (stream.length > 0) {
          const batch = stream.splice(0, 1 + draw(5))
          for (const gateway of ['a', 'b']) {
            const records = batch.filter((each) => each.gateway === gateway).map(recordOf)
            const body = JSON.stringify({ v: 1, gateway, batch: '01JD0000000000000000000000', records })
            if (records.length > 0) messages.push({ id: `m${messages.length}`, body })
          }
        }

        const clock = createFakeClock()
        const bridges = [1, 100].map((cachedThings) =>
          createBridge(
            {
              getShadow: shadows.getShadow,
              updateShadow: shadows.updateShadow,
              getControl: controls.getControl,
              updateControl: async (...args) => {
                const version = await controls.updateControl(...args)
                if (draw(12) === 0) throw new CallError('unavailable', 'Socket hang up')
                return version
              },
              createThing: async () => {},
              createThingType: async () => {},
              sendToDlq: async ({ reason }) => Promise.reject(new Error(`Nothing here is poison: ${reason}`)),
              clock,
              log: { debug() {}, warn() {} },
            },
            { concurrency: 2, cachedThings, thingsPerSecond: 100, typesPerSecond: 15 },
          ),
        )
        let waiting = messages
        for (let round = 0; waiting.length > 0; round++) {
          if (round > 200) throw new Error('The queue does not run empty')
          const [mine, theirs] = [waiting.splice(0, 1 + draw(3)), waiting.splice(0, draw(3))]
          const failed = (await Promise.all([bridges[0]!(mine, 60_000), bridges[1]!(theirs, 60_000)])).flat()
          waiting = [...waiting, ...[...mine, ...theirs].filter(({ id }) => failed.includes(id))]
        }

        const wanted = modelOf(made)
        const { config, ...rest } = controls.reported(thing) as { config: { version: number } }
        const got = { config: { version: config.version }, ...rest }
        if (!isDeepStrictEqual(got, wanted))
          throw new Error(`Shadow ${JSON.stringify(got)}\nmodel  ${JSON.stringify(wanted)}`)
        const link = shadows.reported(thing)?.['link'] as { lost: number; seq: number }
        const lost = made.at(-1)!.seq - made[0]!.seq + 1 - made.length
        if (link.lost !== lost)
          throw new Error(`Lost ${link.lost}, model ${lost}: ${made.map(({ seq }) => seq)}`)
        if (controls.counts.longest > 1_024) throw new Error(`A write of ${controls.counts.longest} bytes`)
      }),
      { numRuns: Number(process.env['PESEBRE_TEST_RUNS'] ?? 300), endOnFailure: false },
    )
    t.pass('every generated history')
  },
)

/** A device's reports in order: each command lives its life, and is repeated now and then until it is acknowledged. */
function reportsOf(
  thing: string,
  { commands, meals }: { commands: Life[]; meals: Life[] },
  { gaps, draw }: { gaps: number[]; draw: (below: number) => number },
): Made[] {
  let seq = 0
  let version = 0
  const made = gaps.map((gap): Made => {
    seq += gap
    version += draw(2)
    return { thing, seq, gateway: draw(2) === 0 ? 'a' : 'b', outcomes: [], meals: [], version }
  })
  commands.forEach(({ pace, end, isBusyFirst }, i) => {
    const n = i + 1
    const states: OutcomeState[] = [
      ...(isBusyFirst ? (['refused'] as const) : []),
      'accepted',
      'dispensing',
      end,
      end,
    ]
    let index = draw(made.length)
    for (const state of states) {
      const report = made[index]
      if (report === undefined) break
      if (!report.outcomes.some((outcome) => outcome.n === n)) {
        const at = 1_000 + report.seq * 50
        report.outcomes.push({ n, state, at, ...(state === 'done' && { grams: 1 }) })
        report.sent = Math.max(report.sent ?? 0, n)
      }
      index += pace
    }
  })
  meals.forEach(({ pace, end }, i) => {
    let index = draw(made.length)
    for (const state of ['accepted', 'dispensing', end, end] as const) {
      const report = made[index]
      if (report === undefined) break
      if (!report.meals.some(({ n }) => n === 60 * (i + 1)))
        report.meals.push({ n: 60 * (i + 1), state, at: 1_000 + report.seq * 50 })
      index += pace
    }
  })
  for (const report of made) {
    report.outcomes = report.outcomes.slice(0, 8)
    report.meals = report.meals.slice(0, 8 - report.outcomes.length)
  }
  return made
}

/** The model: reports in their order, each word weighed against the one that stands. */
function modelOf(made: Made[]): object {
  const rank = (state: OutcomeState) =>
    state === 'accepted' ? 1 : state === 'dispensing' ? 2 : state === 'refused' || state === 'expired' ? 3 : 4
  const words = new Map<number, Outcome & { late?: boolean; seq: number }>()
  for (const { seq, outcomes } of made) {
    for (const { n, state, grams, at } of outcomes) {
      const stands = words.get(n)
      if (stands !== undefined && rank(stands.state) >= rank(state)) continue
      const isLate = state !== 'refused' && state !== 'expired' && at > NOT_AFTER + (n - 1) * 1000
      words.set(n, { n, state, ...(grams && { grams }), at, ...(isLate && { late: true }), seq })
    }
  }
  const meals = new Map<number, Omit<Outcome, 'n'> & { seq: number }>()
  for (const { seq, meals: named } of made) {
    for (const { n, state, at } of named) {
      const stands = meals.get(n)
      if (stands === undefined || rank(stands.state) < rank(state)) meals.set(n, { state, at, seq })
    }
  }
  const kept = [...meals].sort(([a], [b]) => a - b)
  const items = [...words.values()].sort((a, b) => a.n - b.n)
  const sent = Math.max(0, ...made.map((report) => report.sent ?? 0))
  const newest = made.at(-1)!
  return {
    config: { version: newest.version },
    ...(sent > 0 && { sent }),
    ...(items.length > 0 && { outcomes: { last: items.at(-1)!.n, items: items.slice(-OUTCOMES_KEPT) } }),
    ...(kept.length > 0 && {
      meals: { last: kept.at(-1)![0], items: Object.fromEntries(kept.slice(-MEALS_KEPT)) },
    }),
  }
}

function recordOf({ thing, seq, outcomes: commands, meals, sent, version }: Made): object {
  const outcomes = [...commands, ...meals.map(({ n, ...said }) => ({ occurrence: n, ...said }))]
  return {
    thing,
    type: 'feeder',
    seq,
    at: seq,
    received: seq,
    ...(outcomes.length > 0 && { outcomes }),
    ...(sent !== undefined && { sent }),
    config_version: version,
  }
}
