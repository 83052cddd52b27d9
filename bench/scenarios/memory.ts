import type { Findings } from '../figures.ts'
import { load } from '../load.ts'
import { closedLoop, MANY_PORTS, type Plan, progress } from '../plan.ts'
import { residentMb } from '../processes.ts'
import { startGateway } from '../servers.ts'

const STEPS = 10

/** What stays in memory after millions of requests from ten thousand addresses, forwarding all of them. */
export async function memory(plan: Plan): Promise<Findings> {
  const server = await startGateway({ forward: true })
  const resident = [residentMb(server.pid)]
  let firstSeq = 0
  try {
    for (let step = 1; step <= STEPS; step++) {
      const result = await load({
        ...closedLoop(plan, server),
        mode: 'ramp',
        seconds: 600,
        warmup: 0,
        ports: MANY_PORTS,
        addresses: MANY_PORTS,
        stopAfter: plan.memoryRequests / STEPS,
        firstSeq,
      })
      firstSeq = result.next_seq
      resident.push(residentMb(server.pid))
      progress(`${firstSeq} requests: ${resident.at(-1)?.toFixed(0)} MB`)
    }
  } finally {
    await server.stop()
  }
  const last = resident.at(-1) ?? Number.NaN
  const half = resident[STEPS / 2] ?? Number.NaN
  return {
    name: 'memory',
    title: 'Memory',
    how: `${firstSeq.toLocaleString('en-US')} confirmable requests from ${MANY_PORTS.toLocaleString('en-US')} addresses, each a device of its own, at the highest rate, all forwarded.`,
    rows: [{ what: 'resident, after each tenth', unit: 'MB', values: resident.slice(1) }],
    goals: [
      { what: 'resident at the end', unit: 'MB', values: [last], at: 'most', target: 200 },
      { what: 'at the end / half-way', values: [last / half], at: 'most', target: 1.15 },
    ],
    notes: [
      `One after the other: ${resident.map((mb) => mb.toFixed(0)).join(', ')} MB (the first before any request).`,
    ],
  }
}
