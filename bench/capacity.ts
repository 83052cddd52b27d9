import { median } from './figures.ts'
import { load } from './load.ts'
import { closedLoop, type Plan, progress } from './plan.ts'
import { startGateway } from './servers.ts'

const known = new Map<boolean, number>()

/**
 * The gateway's most confirmable requests per second on one core (median of three), which the scenarios at a part of
 * the maximum are measured against. Found once per run, beside them, since the machine's speed drifts from hour to hour.
 */
export async function capacity(plan: Plan, o: { forward: boolean }): Promise<number> {
  const before = known.get(o.forward)
  if (before !== undefined) return before
  const rates: number[] = []
  for (let i = 0; i < 3; i++) {
    const server = await startGateway({ forward: o.forward })
    try {
      rates.push((await load(closedLoop(plan, server))).rps)
    } finally {
      await server.stop()
    }
  }
  const rate = median(rates)
  progress(`the gateway's maximum${o.forward ? ', forwarding' : ''}: ${Math.round(rate)}/s`)
  known.set(o.forward, rate)
  return rate
}
