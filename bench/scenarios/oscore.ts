import { setTimeout as sleep } from 'node:timers/promises'
import { type Findings, type Row, ratios } from '../figures.ts'
import { DEVICES, PER_SECOND_MAX, writeFleetKeys, writeOpen, writeProtected } from '../fleet.ts'
import { type LoadResult, load } from '../load.ts'
import { closedLoop, type Plan, progress } from '../plan.ts'
import { startGateway } from '../servers.ts'
import { pick } from '../turns.ts'

/** For what was under way when the generator ended. */
const SETTLE_MS = 500

/** Protected check-ins against the open form, on gateways of the same settings, in turns. */
export async function oscore(plan: Plan): Promise<Findings> {
  const count = PER_SECOND_MAX * (plan.warmup + plan.seconds)
  progress(`${count} check-ins are being made`)
  const fleetKeys = writeFleetKeys()
  const files = {
    protected: writeProtected({ name: 'check-ins', devices: DEVICES, count }),
    open: writeOpen({ name: 'open-reports', devices: DEVICES, count }),
  }
  const kept: number[] = []
  const results: Record<keyof typeof files, LoadResult[]> = { protected: [], open: [] }
  for (let round = 1; round <= plan.rounds; round++) {
    for (const form of ['open', 'protected'] as const) {
      progress(`round ${round} of ${plan.rounds}: ${form}`)
      const server = await startGateway({ fleetKeys })
      try {
        const result = await load({ ...closedLoop(plan, server), datagramsFile: files[form] })
        results[form].push(result)
        await sleep(SETTLE_MS)
        kept.push((100 * ((await server.metrics()).get('pesebre_reports_kept_total') ?? 0)) / result.next_seq)
      } finally {
        await server.stop()
      }
    }
  }
  return {
    name: 'oscore',
    title: 'Protected check-ins, one core',
    how:
      `Closed loop, ${plan.outstanding} outstanding over 64 source ports, ${DEVICES.toLocaleString('en-US')} devices in turn, all journalled. ` +
      'Protected: POST /u, the ordinary check-in under OSCORE, answered under OSCORE. Open: the same state, its fields by name, to POST /load/x.',
    rows: [...rowsOf('open form', results.open), ...rowsOf('OSCORE check-in', results.protected)],
    goals: [
      {
        what: 'OSCORE check-in / open form',
        values: ratios(pick(results.protected, 'rps'), pick(results.open, 'rps')),
        at: 'least',
        target: 0.6,
      },
      {
        what: 'answered 2.xx, both forms',
        unit: '%',
        values: [...pick(results.protected, 'success_pct'), ...pick(results.open, 'success_pct')],
        at: 'least',
        target: 100,
      },
      {
        what: 'in the journal of what was sent, both forms',
        unit: '%',
        values: kept,
        at: 'least',
        target: 100,
      },
    ],
    notes: ['No MQTT is set: the gateway asks nobody for a mailbox, and every answer is empty.'],
  }
}

function rowsOf(name: string, results: readonly LoadResult[]): Row[] {
  return [
    { what: name, unit: 'requests/s', values: pick(results, 'rps') },
    { what: `${name}: p99`, unit: 'ms', values: pick(results, 'p99_us').map((us) => us / 1000) },
    { what: `${name}: processor time per request`, unit: 'µs', values: pick(results, 'srv_us_per_req') },
    { what: `${name}: resident`, unit: 'MB', values: pick(results, 'rss_mb') },
  ]
}
