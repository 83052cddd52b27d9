import { type Findings, ratios } from '../figures.ts'
import { type LoadResult, load } from '../load.ts'
import { MANY_PORTS, type Plan, PORTS } from '../plan.ts'
import type { Server } from '../servers.ts'
import { ABSENT_LIBCOAP, type Contender, pick, takeTurns } from '../turns.ts'

const names: Contender[] = ['npm coap', 'libcoap', 'gateway']

/** What it costs to be spoken to by a fleet: every request from the next of 64, then of 10,000 source ports. */
export async function ports(plan: Plan): Promise<Findings> {
  const turns = await takeTurns(plan, names, async (server) => ({
    few: await walk(plan, server, PORTS),
    many: await walk(plan, server, MANY_PORTS),
  }))
  const few = (name: Contender) => turns[name].map((both) => both.few)
  const many = (name: Contender) => turns[name].map((both) => both.many)
  const present = names.filter((name) => turns[name].length > 0)
  return {
    name: 'ports',
    title: `${MANY_PORTS.toLocaleString('en-US')} source ports against ${PORTS}`,
    how:
      `Closed loop, ${plan.outstanding} outstanding, each request from the next source port, first of ${PORTS}, then of ` +
      `${MANY_PORTS}, to the same process; at the gateway every port is a device of its own.`,
    rows: present.flatMap((name) => [
      { what: `${name}, ${PORTS} ports`, unit: 'requests/s', values: pick(few(name), 'rps') },
      { what: `${name}, ${MANY_PORTS} ports`, unit: 'requests/s', values: pick(many(name), 'rps') },
      { what: `${name}, ${MANY_PORTS} ports: resident`, unit: 'MB', values: pick(many(name), 'rss_mb') },
    ]),
    goals: [
      {
        what: 'gateway, many / few',
        values: ratios(pick(many('gateway'), 'rps'), pick(few('gateway'), 'rps')),
        at: 'least',
        target: 0.85,
      },
    ],
    notes: [...ABSENT_LIBCOAP],
  }
}

function walk(plan: Plan, server: Server, sourcePorts: number): Promise<LoadResult> {
  return load({
    mode: 'ramp',
    port: server.port,
    path: server.path,
    pid: server.pid,
    seconds: plan.seconds,
    warmup: plan.warmup,
    outstanding: plan.outstanding,
    ports: sourcePorts,
  })
}
