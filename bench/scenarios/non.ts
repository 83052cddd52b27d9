import { capacity } from '../capacity.ts'
import type { Findings } from '../figures.ts'
import { type LoadResult, load } from '../load.ts'
import { type Plan, PORTS, progress } from '../plan.ts'
import { type Gateway, startGateway } from '../servers.ts'

/** Growth from trial to trial on the way up, and where the search ends between the last good and the first bad rate. */
const STEP = 1.1
const CLOSE = 1.03

type Round = { highest: number; atEighty: LoadResult }

/** The highest rate of non-confirmable requests that the gateway takes when nobody wants an answer. */
export async function non(plan: Plan): Promise<Findings> {
  const con = await capacity(plan, { forward: false })
  const rounds: Round[] = []
  for (let i = 0; i < plan.rounds; i++) rounds.push(await search(plan, con))
  const highest = rounds.map((round) => round.highest)
  return {
    name: 'non',
    title: 'Non-confirmable requests without an answer, one core',
    how:
      'Open loop, No-Response: 26. The rate rises until the kernel drops a datagram at the socket (its own counter says so), ' +
      'then closes in on the highest without a drop.',
    rows: [
      { what: 'highest rate without a drop', unit: 'requests/s', values: highest },
      { what: 'confirmable, for comparison', unit: 'requests/s', values: [con] },
      {
        what: 'drops at 80 % of it',
        unit: 'datagrams',
        values: rounds.map((round) => round.atEighty.kdrops),
      },
    ],
    goals: [
      {
        what: 'non-confirmable / confirmable',
        values: highest.map((rate) => rate / con),
        at: 'least',
        target: 1.2,
      },
      { what: 'drops at 80 %', values: rounds.map((round) => round.atEighty.kdrops), at: 'most', target: 0 },
    ],
    notes: [],
  }
}

async function search(plan: Plan, con: number): Promise<Round> {
  const server = await startGateway()
  try {
    await flood(plan, server, con / 2)
    let good = con / 2
    let bad = Number.POSITIVE_INFINITY
    for (let rate = con * 0.8; bad / good > CLOSE; rate = bad === Infinity ? rate * STEP : (good + bad) / 2) {
      const result = await flood(plan, server, rate)
      // A generator that cannot send so much says nothing about the gateway.
      const sent = result.sent_rps >= rate * 0.98
      progress(
        `${Math.round(rate)}/s: ${sent ? `${result.kdrops} dropped` : 'more than the generator can send'}`,
      )
      if (result.kdrops === 0 && sent) good = rate
      else bad = rate
      if (!sent) break
    }
    return {
      highest: good,
      atEighty: await flood({ ...plan, seconds: plan.seconds * 2 }, server, good * 0.8),
    }
  } finally {
    await server.stop()
  }
}

function flood(plan: Plan, server: Gateway, rate: number): Promise<LoadResult> {
  return load({
    mode: 'flood',
    port: server.port,
    path: server.path,
    pid: server.pid,
    seconds: plan.seconds,
    ports: PORTS,
    rate,
    noResponse: true,
  })
}
