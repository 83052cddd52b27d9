import { capacity } from '../capacity.ts'
import type { Findings, Row } from '../figures.ts'
import { type LoadResult, load } from '../load.ts'
import { type Plan, PORTS } from '../plan.ts'
import { ABSENT_LIBCOAP, type Contender, pick, takeTurns } from '../turns.ts'

const names: Contender[] = ['npm coap', 'libcoap', 'gateway', 'gateway, forwarding']

/** How long an answer takes at half of the gateway's maximum rate, requests sent on a schedule. */
export async function latency(plan: Plan): Promise<Findings> {
  const rate = (await capacity(plan, { forward: false })) / 2
  const turns = await takeTurns(plan, names, (server) =>
    load({
      mode: 'open',
      port: server.port,
      path: server.path,
      pid: server.pid,
      seconds: plan.seconds,
      warmup: plan.warmup,
      ports: PORTS,
      rate,
    }),
  )
  return {
    name: 'latency',
    title: 'Time to the answer at half of the maximum rate',
    how:
      `Open loop, ${Math.round(rate)} confirmable requests/s to every server; counted from the scheduled moment of sending, ` +
      'so that a stall is charged for all that it delays.',
    rows: names.flatMap((name) => rowsOf(name, turns[name])),
    goals: [
      {
        what: 'p99, gateway',
        unit: 'ms',
        values: pick(turns.gateway, 'p99_us').map(ms),
        at: 'most',
        target: 6,
      },
      {
        what: 'answered 2.xx, gateway',
        unit: '%',
        values: pick(turns.gateway, 'success_pct'),
        at: 'least',
        target: 100,
      },
    ],
    notes: [...ABSENT_LIBCOAP],
  }
}

function rowsOf(name: string, results: LoadResult[]): Row[] {
  if (results.length === 0) return []
  return [
    { what: `${name}: p50`, unit: 'ms', values: pick(results, 'p50_us').map(ms) },
    { what: `${name}: p99`, unit: 'ms', values: pick(results, 'p99_us').map(ms) },
    { what: `${name}: p99.9`, unit: 'ms', values: pick(results, 'p999_us').map(ms) },
    { what: `${name}: answered`, unit: '%', values: pick(results, 'success_pct') },
  ]
}

function ms(us: number): number {
  return us / 1000
}
