import { type Findings, ratios } from '../figures.ts'
import { type LoadResult, load } from '../load.ts'
import { closedLoop, type Plan, progress } from '../plan.ts'
import { LOAD_CORE, SERVER_CORE } from '../processes.ts'
import { startGateway } from '../servers.ts'
import { pick } from '../turns.ts'

/** More than elsewhere: the worker that shares its core must not run dry while the generator sleeps. */
const OUTSTANDING = 1024
const BOTH = `${SERVER_CORE},${LOAD_CORE}`

/** Two workers on both cores against one worker on one core. The generator has to live beside the second one. */
export async function workers(plan: Plan): Promise<Findings> {
  const results: Record<1 | 2, LoadResult[]> = { 1: [], 2: [] }
  for (let round = 1; round <= plan.rounds; round++) {
    for (const count of [1, 2] as const) {
      progress(`round ${round} of ${plan.rounds}: ${count} worker${count === 1 ? '' : 's'}`)
      const server = await startGateway({ workers: count, cores: count === 1 ? SERVER_CORE : BOTH })
      try {
        const options = { ...closedLoop(plan, server), outstanding: OUTSTANDING, core: LOAD_CORE }
        results[count].push(await load(options))
      } finally {
        await server.stop()
      }
    }
  }
  const of = (count: 1 | 2, key: 'rps' | 'srv_us_per_req' | 'gen_cpu') => pick(results[count], key)
  return {
    name: 'workers',
    title: 'Two workers against one',
    how:
      `Closed loop, ${OUTSTANDING} outstanding over 64 source ports. One worker has core 0 and the generator core 1; ` +
      'two workers have both, so that one of them shares its core with the generator.',
    rows: [
      { what: 'one worker', unit: 'requests/s', values: of(1, 'rps') },
      { what: 'one worker: processor time per request', unit: 'µs', values: of(1, 'srv_us_per_req') },
      { what: 'two workers', unit: 'requests/s', values: of(2, 'rps') },
      { what: 'two workers: processor time per request', unit: 'µs', values: of(2, 'srv_us_per_req') },
      {
        what: 'the generator beside two workers',
        unit: '% of a core',
        values: of(2, 'gen_cpu').map((share) => 100 * share),
      },
    ],
    goals: [
      { what: 'two / one', values: ratios(of(2, 'rps'), of(1, 'rps')), at: 'least', target: 1.5 },
      {
        what: 'answered 2.xx',
        unit: '%',
        values: pick([...results[1], ...results[2]], 'success_pct'),
        at: 'least',
        target: 100,
      },
    ],
    notes: [],
  }
}
