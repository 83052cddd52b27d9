import { type Findings, ratios } from '../figures.ts'
import { load } from '../load.ts'
import { closedLoop, type Plan, progress } from '../plan.ts'
import { startGateway } from '../servers.ts'

const CORES = '0,1'

/** Two workers against one. On two cores the generator has to live beside them. */
export async function workers(plan: Plan): Promise<Findings> {
  const rates: Record<number, number[]> = { 1: [], 2: [] }
  const answered: number[] = []
  for (let round = 1; round <= plan.rounds; round++) {
    for (const count of [1, 2]) {
      progress(`round ${round} of ${plan.rounds}: ${count} worker${count === 1 ? '' : 's'}`)
      const server = await startGateway({ workers: count, cores: CORES })
      try {
        const result = await load({ ...closedLoop(plan, server), core: CORES })
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
    how: 'Closed loop as for the maximum rate. Gateway and generator share both cores, nothing is pinned: the generator takes its part from the gateway.',
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
