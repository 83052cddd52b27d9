import { setTimeout as sleep } from 'node:timers/promises'
import type { Findings } from '../figures.ts'
import { DEVICES, writeFleetKeys, writeProtected } from '../fleet.ts'
import { type LoadResult, load } from '../load.ts'
import { closedLoop, type Plan, progress } from '../plan.ts'
import { residentMb } from '../processes.ts'
import { startGateway } from '../servers.ts'

const FLEET = 100_000
/** The contexts are kept in two generations of half as many, and none may go while they are counted. */
const CONTEXTS_MAX = 4 * FLEET
/** For what was under way when the generator ended, and for the gateway's gauges, which it sets now and then. */
const SETTLE_MS = 2000
/** As long as it takes: the datagrams end a run. */
const SECONDS_MAX = 120

/** Resident memory in MB after each phase. */
type Round = {
  start: number
  few: number
  before: number
  after: number
  contexts: number
  again: LoadResult
  firsts: LoadResult
}

/** What the security contexts of a whole fleet take in memory, and a device's first contact in time. */
export async function contexts(plan: Plan): Promise<Findings> {
  progress(`${3 * FLEET} check-ins are being made`)
  const fleetKeys = writeFleetKeys()
  const files = {
    few: writeProtected({ name: 'few-devices', devices: DEVICES, count: FLEET }),
    again: writeProtected({ name: 'few-again', devices: DEVICES, count: FLEET, made: FLEET / DEVICES }),
    fleet: writeProtected({ name: 'fleet', devices: FLEET, first: DEVICES, count: FLEET }),
  }
  const rounds: Round[] = []
  for (let round = 1; round <= plan.rounds; round++) {
    progress(`round ${round} of ${plan.rounds}`)
    const server = await startGateway({ fleetKeys, contextsMax: CONTEXTS_MAX })
    const send = async (datagramsFile: string): Promise<LoadResult> => {
      const result = await load({
        ...closedLoop(plan, server),
        seconds: SECONDS_MAX,
        warmup: 0,
        datagramsFile,
      })
      await sleep(SETTLE_MS)
      return result
    }
    try {
      const start = residentMb(server.pid)
      await send(files.few)
      const few = residentMb(server.pid)
      const again = await send(files.again)
      const before = residentMb(server.pid)
      const firsts = await send(files.fleet)
      const after = residentMb(server.pid)
      const held = (await server.metrics()).get('pesebre_contexts') ?? Number.NaN
      rounds.push({ start, few, before, after, contexts: held, again, firsts })
    } finally {
      await server.stop()
    }
  }
  const of = (figure: (round: Round) => number): number[] => rounds.map(figure)
  const microseconds = of(({ firsts }) => firsts.srv_us_per_req)
  return {
    name: 'contexts',
    title: `First contact of ${FLEET.toLocaleString('en-US')} registered devices`,
    how:
      `One gateway, one core. Twice ${FLEET.toLocaleString('en-US')} protected check-ins of ${DEVICES.toLocaleString('en-US')} devices, ` +
      'then as many of which each is of another device that the gateway has not seen; all journalled.',
    rows: [
      { what: 'resident at the start', unit: 'MB', values: of(({ start }) => start) },
      { what: 'resident after the few devices', unit: 'MB', values: of(({ few }) => few) },
      { what: 'resident after them again', unit: 'MB', values: of(({ before }) => before) },
      { what: 'resident after the whole fleet', unit: 'MB', values: of(({ after }) => after) },
      { what: 'contexts held at the end', unit: 'contexts', values: of((round) => round.contexts) },
      {
        what: 'processor time per check-in, few devices',
        unit: 'µs',
        values: of(({ again }) => again.srv_us_per_req),
      },
      { what: 'processor time per first contact', unit: 'µs', values: microseconds },
    ],
    goals: [
      {
        what: 'the fleet in memory',
        unit: 'MB',
        values: of(({ before, after }) => after - before),
        at: 'most',
        target: 100,
      },
      {
        what: 'processor time per first contact',
        unit: 'ms',
        values: microseconds.map((us) => us / 1000),
        at: 'most',
        target: 1,
      },
      {
        what: 'answered 2.xx',
        unit: '%',
        values: rounds.flatMap(({ again, firsts }) => [again.success_pct, firsts.success_pct]),
        at: 'least',
        target: 100,
      },
    ],
    notes: [
      'The fleet in memory is what it adds to the few devices: its contexts, but also windows, rate limits and what is kept of each exchange.',
    ],
  }
}
