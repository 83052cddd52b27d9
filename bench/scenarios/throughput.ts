import { type Findings, median, type Row, ratios } from '../figures.ts'
import { type LoadResult, load } from '../load.ts'
import { closedLoop, type Plan, PORTS } from '../plan.ts'
import type { Server } from '../servers.ts'
import { ABSENT_LIBCOAP, type Contender, pick, takeTurns } from '../turns.ts'

const names: Contender[] = ['raw Node UDP echo', 'npm coap', 'libcoap', 'gateway', 'gateway, forwarding']

/** Most confirmable requests per second on one core, every server in turn. */
export async function throughput(plan: Plan): Promise<Findings> {
  const shares: number[] = []
  const turns = await takeTurns(plan, names, async (server, name) => {
    const result = await load(closedLoop(plan, server))
    if (name === 'gateway, forwarding') shares.push(await forwardedShare(server))
    return result
  })
  const rps = (name: Contender) => pick(turns[name], 'rps')
  const answered = [
    ...pick(turns.gateway, 'success_pct'),
    ...pick(turns['gateway, forwarding'], 'success_pct'),
  ]
  const others = names.filter((name) => name !== 'gateway, forwarding')
  const otherCpu = median(others.flatMap((name) => pick(turns[name], 'other_cpu')))
  return {
    name: 'throughput',
    title: 'Most confirmable requests per second, one core',
    how:
      `Closed loop, ${plan.outstanding} outstanding over ${PORTS} source ports, 80-byte CBOR reading. ` +
      `${plan.rounds} rounds of all servers in turn, each started afresh; ${plan.seconds} s after ${plan.warmup} s of warm-up.`,
    rows: [
      ...names.flatMap((name) => rowsOf(name, turns[name])),
      {
        what: 'gateway, forwarding: reports that the queue had when the load ended',
        unit: '%',
        values: shares,
      },
    ],
    goals: [
      {
        what: 'gateway / npm coap',
        values: ratios(rps('gateway'), rps('npm coap')),
        at: 'least',
        target: 2.2,
      },
      { what: 'gateway / libcoap', values: ratios(rps('gateway'), rps('libcoap')), at: 'least', target: 0.8 },
      {
        what: 'gateway, forwarding / libcoap',
        values: ratios(rps('gateway, forwarding'), rps('libcoap')),
        at: 'least',
        target: 0.65,
      },
      { what: 'answered 2.xx by the gateway', unit: '%', values: answered, at: 'least', target: 100 },
    ],
    notes: [
      'The gateway de-duplicates, decodes and has every report on disk before it answers; the others answer and forget.',
      'The queue it forwards to (fauxqs in memory) is a process of its own on core 1, beside the generator.',
      `Others on this machine took ${otherCpu.toFixed(0)} % of one core meanwhile (median).`,
      ...ABSENT_LIBCOAP,
    ],
  }
}

/** Percent of the reports kept so far that the queue has: a forwarder that falls behind would make the rate worthless. */
async function forwardedShare(server: Server): Promise<number> {
  const metrics = await server.metrics?.()
  const kept = metrics?.get('pesebre_reports_kept_total') ?? Number.NaN
  return (100 * (metrics?.get('pesebre_forwarded_records_total') ?? Number.NaN)) / kept
}

function rowsOf(name: string, results: LoadResult[]): Row[] {
  if (results.length === 0) return []
  return [
    { what: name, unit: 'requests/s', values: pick(results, 'rps') },
    { what: `${name}: p99`, unit: 'ms', values: pick(results, 'p99_us').map((us) => us / 1000) },
    { what: `${name}: processor time per request`, unit: 'µs', values: pick(results, 'srv_us_per_req') },
    { what: `${name}: resident`, unit: 'MB', values: pick(results, 'rss_mb') },
  ]
}
