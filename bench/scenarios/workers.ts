import { type Findings, ratios } from '../figures.ts'
import { load } from '../load.ts'
import { closedLoop, type Plan, progress } from '../plan.ts'
import { LOAD_CORE, SERVER_CORE } from '../processes.ts'
import { startGateway } from '../servers.ts'

/** More than elsewhere: the worker that shares its core must not run dry while the generator sleeps. */
const OUTSTANDING = 1024
const BOTH = `${SERVER_CORE},${LOAD_CORE}`

/** Two workers on both cores against one worker on one core. The generator has to live beside the second one. */
export async function workers(plan: Plan): Promise<Findings> {
  const rates: Record<number, number[]> = { 1: [], 2: [] }
  const answered: number[] = []
  for (let round = 1; round <= plan.rounds; round++) {
    for (const count of [1, 2]) {
      progress(`round ${round} of ${plan.rounds}: ${count} worker${count === 1 ? '' : 's'}`)
      const server = await startGateway({ workers: count, cores: count === 1 ? SERVER_CORE : BOTH })
      try {
        const result = await load({ ...closedLoop(plan, server), outstanding: OUTSTANDING, core: LOAD_CORE })
        rates[count]?.push(result.rps)
        answered.push(result.success_pct)
      } finally {
        await server.stop()
      }
    }
  }
  const [one, two] = [rates[1] ?? [], rates[2] ?? []]
  return {
    name: 'workers',
    title: 'Two workers against one',
    how:
      `Closed loop, ${OUTSTANDING} outstanding over 64 source ports. One worker has core 0 and the generator core 1; ` +
      'two workers have both, so that one of them shares its core with the generator.',
    rows: [
      { what: 'one worker', unit: 'requests/s', values: one },
      { what: 'two workers', unit: 'requests/s', values: two },
    ],
    goals: [
      { what: 'two / one', values: ratios(two, one), at: 'least', target: 1.5 },
      { what: 'answered 2.xx', unit: '%', values: answered, at: 'least', target: 100 },
    ],
    notes: [],
  }
}
