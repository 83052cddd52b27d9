/**
 * The firmware's motor control (firmware/core/motor.c) against a model of it: motors that run, stick for a while or for good, strain,
 * run out of feed or of battery. PESEBRE_DIFFERENTIAL_RUNS, PESEBRE_DIFFERENTIAL_SEED: as in feeding.test.ts.
 */
import t from 'tap'
import { missing, onPath } from '../../fakes/needs.ts'
import { chanceOf } from './chance.ts'
import { buildDriver, STEP } from './driver.ts'
import { createMotorModel, MOTOR, type Verdict } from './motor-model.ts'

const RUNS = 5 * Number(process.env['PESEBRE_DIFFERENTIAL_RUNS'] ?? 60)
const SEED = Number(process.env['PESEBRE_DIFFERENTIAL_SEED'] ?? 1)
const READINGS_MAX = 4000
const DIRECTIONS = { off: 0, forward: 1, reverse: 2 }
const ENDS = { done: 3, partial: 4, jammed: 5 }
t.setTimeout(60_000 + 100 * RUNS)

t.test(
  'motor.c does as the design says, look by look',
  { skip: missing('gcc', () => onPath('gcc')), timeout: 60_000 + 100 * RUNS },
  async (t) => {
    const drive = buildDriver(t.testdir())
    const ends = new Map<string, number>()
    let reversals = 0
    for (let seed = SEED; seed < SEED + RUNS; seed++) {
      const { lines, verdicts } = portion(chanceOf(seed))
      const output = drive(lines)
      for (const [step, { direction, end, grams }] of verdicts.entries()) {
        const expected = DIRECTIONS[direction] | ((end === undefined ? 0 : ENDS[end]) << 4) | (grams << 8)
        const actual = output.readInt32LE((step + 1) * STEP)
        if (direction === 'reverse') reversals++
        if (end !== undefined) ends.set(end, (ends.get(end) ?? 0) + 1)
        if (actual === expected) continue
        const before = lines.slice(Math.max(0, step - 12), step + 2)
        t.fail(`seed ${seed}, look ${step}: ${actual}, and the model says ${expected}`, { before })
        return
      }
    }
    t.comment(`${RUNS} portions from seed ${SEED} on: ${JSON.stringify(Object.fromEntries(ends))}`)
    t.ok(ends.size === 3 && reversals > 0, 'all ends came about')
  },
)

/** One portion by chance, to its end: lines for the driver, and what each look has to come to. */
function portion(random: () => number): { lines: string[]; verdicts: Verdict[] } {
  const below = (limit: number) => Math.floor(random() * limit)
  // A clock that wraps while the motor runs is the core's own business: it only takes differences.
  const start = below(1_000_000)
  const grams = 1 + below(400)
  const lines = [`M ${Object.values(MOTOR).join(' ')} ${grams} ${start}`]
  const verdicts: Verdict[] = []
  const look = createMotorModel(grams, start)
  const isSlow = random() < 0.1
  let at = start
  let pulses = 0
  let mood = 'runs'
  while (lines.length < READINGS_MAX && verdicts.at(-1)?.end === undefined) {
    if (random() < 0.03) mood = ['runs', 'runs', 'sticks', 'strains', 'is weak', 'is empty'][below(6)]!
    if (mood === 'is empty' && random() < 0.9) mood = 'runs'
    at += 10 + below(25)
    const isForward = verdicts.at(-1)?.direction !== 'reverse'
    if (isForward && mood !== 'sticks' && random() < (isSlow ? 0.08 : 0.7)) pulses++
    const currentMa = mood === 'strains' ? 4001 : 4000 - below(3000)
    const batteryMv = mood === 'is weak' ? 2999 : 3000 + below(900)
    const reading = { at, pulses, currentMa, batteryMv, isEmpty: mood === 'is empty' }
    lines.push(`R ${at} ${pulses} ${currentMa} ${batteryMv} ${Number(reading.isEmpty)}`)
    verdicts.push(look(reading))
  }
  return { lines, verdicts }
}
