import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Findings } from '../figures.ts'
import type { Plan } from '../plan.ts'

/** What bench/bridge.ts prints, as far as it is shown here. */
type BridgeResult = {
  records_per_s: number
  writes_per_s: number
  things: number
  records_per_body: number
  messages_per_invocation: number
}

const PROGRAM = new URL('../bridge.ts', import.meta.url).pathname
const QUICK_BATCHES = '100'

/** Records that the bridge takes from the queue, folds and writes to the shadows of the local stack. */
export async function bridge(plan: Plan): Promise<Findings> {
  const results: BridgeResult[] = []
  const args = plan.quick ? ['--batches', QUICK_BATCHES] : []
  for (let round = 0; round < plan.rounds; round++) {
    const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM, ...args], { encoding: 'utf8' })
    results.push(JSON.parse(stdout) as BridgeResult)
  }
  const [first] = results
  const rates = results.map((result) => result.records_per_s)
  return {
    name: 'bridge',
    title: 'The bridge',
    how:
      `Packed batches of ${first?.records_per_body} records, ${first?.messages_per_invocation} to an invocation, for ${first?.things} things, ` +
      'from a full queue. Queue, AWS IoT stand-in and the bridge share both cores.',
    rows: [
      { what: 'records taken, folded and written', unit: 'records/s', values: rates },
      { what: 'shadow writes', unit: 'writes/s', values: results.map((result) => result.writes_per_s) },
    ],
    goals: [{ what: 'records', unit: 'per second', values: rates, at: 'least', target: 5000 }],
    notes: [],
  }
}
