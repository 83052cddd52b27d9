import t from 'tap'
import { run } from './fixtures/run.ts'

t.setTimeout(120_000)

t.test('demo: numbers that are none, or too large, are refused before anything starts', async (t) => {
  for (const [option, value, allowed] of [
    ['feeders', 'many', '0 to 1000'],
    ['cameras', '51', '0 to 50'],
    ['speed', '0', '1 to 60'],
  ]) {
    const { code, err } = await run(['demo', `--${option}`, `${value}`])
    t.equal(code, 2)
    t.match(err, `--${option} must be a whole number from ${allowed}: "${value}"`)
  }
})

t.test('demo: without a stack that has run there are no keys to register with, so it ends', async (t) => {
  // What it says goes straight to the terminal.
  t.equal((await run(['demo', '--feeders', '1'], { env: { PESEBRE_HOME: t.testdir() } })).code, 1)
})
