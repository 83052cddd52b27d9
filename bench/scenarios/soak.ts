import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { capacity } from '../capacity.ts'
import type { Findings } from '../figures.ts'
import { load } from '../load.ts'
import { type Plan, PORTS, progress } from '../plan.ts'
import { BUILD } from '../processes.ts'
import { type Gateway, startGateway, type Tally } from '../servers.ts'

const ANSWERS = `${BUILD}soak-answers`
const ARRIVED = `${BUILD}soak-arrived`

/** Half of the maximum for a minute: everything answered, and everything answered comes out of the queue. */
export async function soak(plan: Plan): Promise<Findings> {
  const rate = (await capacity(plan, { forward: true })) / 2
  const server = await startGateway({ forward: true, tallyFile: ARRIVED })
  try {
    const result = await load({
      mode: 'open',
      port: server.port,
      path: server.path,
      pid: server.pid,
      seconds: plan.soakSeconds,
      ports: PORTS,
      rate,
      answersFile: ANSWERS,
    })
    const tally = await untilQuiet(server)
    await server.stopQueue()
    const { answered, lost } = compare(readFileSync(ANSWERS), readFileSync(ARRIVED))
    return {
      name: 'soak',
      title: 'No loss',
      how: `Open loop at ${Math.round(rate)} confirmable requests/s for ${plan.soakSeconds} s, half of the maximum, all forwarded. Each report carries a number of its own; the numbers answered are compared with those that came out of the queue.`,
      rows: [
        { what: 'answered 2.xx', unit: 'reports', values: [answered] },
        { what: 'came out of the queue', unit: 'reports', values: [tally.records] },
        { what: 'of these, more than once', unit: 'reports', values: [tally.repeats] },
        { what: 'SQS messages', unit: 'messages', values: [tally.messages] },
        { what: 'mean size of a message', unit: 'bytes', values: [tally.bytes / tally.messages] },
        { what: 'p99 of the answers', unit: 'ms', values: [result.p99_us / 1000] },
        { what: 'resident at the end', unit: 'MB', values: [result.rss_mb] },
      ],
      goals: [
        { what: 'answered', unit: '%', values: [result.success_pct], at: 'least', target: 100 },
        { what: 'answered and lost', unit: 'reports', values: [lost], at: 'most', target: 0 },
      ],
      notes: [],
    }
  } finally {
    await server.stop()
  }
}

/** Waits until nothing more has come to the queue for three seconds, at most two minutes. */
async function untilQuiet(server: Gateway): Promise<Tally> {
  if (!server.tally) throw new Error('Could not count what was forwarded: this gateway has no queue')
  let last = await server.tally()
  for (let i = 0; i < 40; i++) {
    await sleep(3000)
    const now = await server.tally()
    if (now.records === last.records) return now
    progress(`the queue has got ${now.records} reports`)
    last = now
  }
  return last
}

/** Counts the bits of `answers`, and those of them that are not in `arrived`. */
function compare(answers: Uint8Array, arrived: Uint8Array): { answered: number; lost: number } {
  let answered = 0
  let lost = 0
  for (const [i, byte] of answers.entries()) {
    answered += ones(byte)
    lost += ones(byte & ~(arrived[i] ?? 0))
  }
  return { answered, lost }
}

function ones(byte: number): number {
  let count = 0
  for (let rest = byte; rest !== 0; rest &= rest - 1) count++
  return count
}
