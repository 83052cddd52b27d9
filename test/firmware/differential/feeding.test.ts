/**
 * The firmware's feeding machine (firmware/core/feed.c, schedule.c) against a model that was written from the design: the same lives by
 * chance through both, and after each step the same decisions, the same outcomes, and a record in the store that says the same.
 * PESEBRE_DIFFERENTIAL_RUNS: how many lives, PESEBRE_DIFFERENTIAL_SEED: the first one.
 */
import { crc32 } from 'node:zlib'
import { OUTCOME_STATES, REFUSE_REASONS } from '@pesebre/contract/check-in'
import t from 'tap'
import { missing, onPath } from '../../fakes/needs.ts'
import { chanceOf } from './chance.ts'
import { buildDriver, OUTCOME, RECORD, STEP } from './driver.ts'
import type { Outcome } from './model.ts'
import { type Step, writeScript } from './script.ts'

const RUNS = Number(process.env['PESEBRE_DIFFERENTIAL_RUNS'] ?? 60)
const SEED = Number(process.env['PESEBRE_DIFFERENTIAL_SEED'] ?? 1)
const AT_ONCE = 25
const IS_MEAL = 0x80
const IS_CONFIRMED = 0x40
const HAS_GRAMS = 0x20
const HOURS = 25
t.setTimeout(60_000 + 100 * RUNS)

t.test(
  'feed.c and schedule.c do as the design says, step by step',
  { skip: missing('gcc', () => onPath('gcc')), timeout: 60_000 + 100 * RUNS },
  async (t) => {
    const drive = buildDriver(t.testdir())
    const seen = new Set<string>()
    for (let first = SEED; first < SEED + RUNS; first += AT_ONCE) {
      const seeds = Array.from({ length: Math.min(AT_ONCE, SEED + RUNS - first) }, (_, i) => first + i)
      const scripts = seeds.map((seed) => writeScript(chanceOf(seed)))
      const output = drive(scripts.flatMap((steps) => steps.map(({ line }) => line)))
      let at = 0
      for (const [index, steps] of scripts.entries()) {
        for (const [step, { line, state }] of steps.entries()) {
          const problem = differenceOf(steps[step]!, output.subarray(at, at + STEP))
          at += STEP
          for (const { state: end, reason } of state.outcomes) seen.add(reason ?? end)
          if (problem === undefined) continue
          const before = steps.slice(Math.max(0, step - 12), step).map(({ line }) => line)
          t.fail(`seed ${seeds[index]}, step ${step}, "${line}": ${problem}`, { before })
          return
        }
      }
    }
    t.comment(`${RUNS} lives from seed ${SEED} on`)
    const ways = ['done', 'partial', 'jammed', 'interrupted', 'expired']
    const reasons = ['latched', 'no_time', 'portion', 'daily', 'gap', 'battery']
    t.strictSame(
      [...ways, ...reasons].filter((one) => !seen.has(one)),
      [],
      'all ends came about',
    )
  },
)

/** What the machine says otherwise than the model; undefined: nothing. */
function differenceOf({ result, gramsOfDay, told, state }: Step, bytes: Buffer): string | undefined {
  if (bytes.length < STEP) return 'the driver has stopped'
  const record = bytes.subarray(STEP - RECORD)
  const { active } = state
  const hours = new Array<number>(HOURS).fill(0)
  for (const [hour, grams] of state.hours) hours[hour % HOURS] = grams
  const pairs: Record<string, [actual: unknown, expected: unknown]> = {
    result: [bytes.readInt32LE(0), result],
    'grams of the day': [bytes.readUInt32LE(4), gramsOfDay],
    told: [
      readTold(bytes, told.length),
      told.map(({ id, state, isMeal }) => `${isMeal ? 'meal ' : ''}${id} ${state}`),
    ],
    version: [record[0], 1],
    latched: [record[2], Number(state.isLatched)],
    active: [
      record[1],
      active === undefined ? 0 : OUTCOME_STATES[active.state] | (active.isMeal ? IS_MEAL : 0),
    ],
    ...(active && {
      order: [
        [record.readUInt16LE(4), ...[60, 64, 68].map((at) => record.readUInt32LE(at))],
        [active.grams, active.id, active.notAfter, active.at],
      ],
    }),
    hours: [Array.from(hours, (_, place) => record.readUInt16LE(6 + 2 * place)), hours],
    'newest hour': [record.readUInt32LE(56), state.newestHour],
    'high water, last meal, last portion, runs, jams': [
      [72, 76, 80, 84, 88].map((at) => record.readUInt32LE(at)),
      [state.highWater, state.lastOccurrence, state.lastAt, state.runs, state.jams],
    ],
    outcomes: [
      Array.from({ length: record[3]! }, (_, i) => readOutcome(record.subarray(92 + OUTCOME * i))),
      state.outcomes.map(outcomeBytes),
    ],
    crc: [record.readUInt32LE(RECORD - 4), crc32(record.subarray(0, RECORD - 4))],
  }
  const wrong = Object.entries(pairs).find(
    ([, [actual, expected]]) => JSON.stringify(actual) !== JSON.stringify(expected),
  )
  return (
    wrong && `${wrong[0]}: ${JSON.stringify(wrong[1][0])}, and the model says ${JSON.stringify(wrong[1][1])}`
  )
}

function readTold(bytes: Buffer, count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const at = 8 + OUTCOME * i
    const state = bytes[at + 10]!
    const name = Object.entries(OUTCOME_STATES).find(([, number]) => number === (state & 0x0f))?.[0]
    return `${state & IS_MEAL ? 'meal ' : ''}${bytes.readUInt32LE(at)} ${name}`
  })
}

/** `id`, `at`, `grams`, `state`, `reason`, as they lie in the store. */
function readOutcome(bytes: Buffer): number[] {
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4), bytes.readUInt16LE(8), bytes[10]!, bytes[11]!]
}

function outcomeBytes({ id, at, grams, state, isMeal, isConfirmed, reason }: Outcome): number[] {
  const flags =
    (isMeal ? IS_MEAL : 0) | (isConfirmed ? IS_CONFIRMED : 0) | (grams === undefined ? 0 : HAS_GRAMS)
  return [
    id,
    at,
    grams ?? 0,
    flags | OUTCOME_STATES[state],
    reason === undefined ? 0 : REFUSE_REASONS[reason],
  ]
}
