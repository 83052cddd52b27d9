import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { forwarded, startGateway } from '../fakes/gateway-process.ts'
import { startReporters } from '../fakes/reporters.ts'
import { startSqs } from '../fakes/sqs.ts'
import { drainQueue, nameOf } from './queue-contents.ts'

// Of the whole file: tap's own limit would be 30 seconds.
t.setTimeout(1_800_000)

/** How often the gateway is killed. `.ci/run` asks for 200. */
const KILLS = Number(process.env['PESEBRE_KILLS'] ?? 10)
/** Gateways that are killed side by side, each with devices, journal and queue of its own; one, then two workers. */
const SIDE_BY_SIDE = [1, 2]
const DEVICES = 16
const LIFE_MAX_MS = 300

type Outcome = {
  acknowledged: number
  lost: string[]
  strangers: string[]
  repeats: number
  exitCode: number | null
}

// D1: a 2.04 means that the report is in the journal, flushed.
t.test(
  'kill -9 at random instants under load: acknowledged and lost is 0',
  { timeout: 1_800_000 },
  async (t) => {
    const kills = Math.ceil(KILLS / SIDE_BY_SIDE.length)
    const outcomes = await Promise.all(SIDE_BY_SIDE.map((workers) => killRepeatedly(workers, kills)))
    for (const [i, { acknowledged, lost, strangers, repeats, exitCode }] of outcomes.entries()) {
      t.comment(
        `${SIDE_BY_SIDE[i]} workers, ${kills} kills: ${acknowledged} acknowledged, ${lost.length} lost, ${repeats} repeats`,
      )
      t.same(lost, [])
      t.same(strangers, [], 'no other gateway took its port')
      t.ok(acknowledged > kills * DEVICES, 'there was load')
      t.equal(exitCode, 0, 'the last one stops cleanly')
    }
  },
)

async function killRepeatedly(workers: number, kills: number): Promise<Outcome> {
  const sqs = await startSqs()
  const prefix = `of-${workers}`
  const host = ownAddress(workers)
  const journalDir = mkdtempSync(join(tmpdir(), 'pesebre-kill-'))
  const env: Record<string, string> = {
    AWS_ENDPOINT_URL_SQS: sqs.url,
    PESEBRE_QUEUE_URL: sqs.queueUrl,
    PESEBRE_DEVICE_RATE: '100000',
    PESEBRE_ADDRESS_RATE: '100000',
    PESEBRE_COAP_HOST: host,
    // Small ones, so that many kills fall into the change from one to the next.
    PESEBRE_JOURNAL_SEGMENT_BYTES: '65536',
    PESEBRE_WORKERS: String(workers),
  }
  const delivered = new Set<string>()
  let repeats = 0
  const collect = async (): Promise<void> => {
    for (const report of await drainQueue(sqs)) {
      const name = nameOf(report)
      if (delivered.has(name)) repeats++
      delivered.add(name)
    }
  }

  let gateway = await startGateway({ env, journalDir })
  const reporters = startReporters({ devices: DEVICES, prefix, host, port: gateway.coapPort })
  try {
    for (let kill = 0; kill < kills; kill++) {
      await sleep(Math.random() * LIFE_MAX_MS)
      await gateway.kill()
      gateway = await startGateway({ env, journalDir })
      reporters.aim(gateway.coapPort)
      if (kill % 10 === 9) await collect()
    }
    await sleep(LIFE_MAX_MS)
    reporters.pause()
    // A stop gives up after three seconds and leaves the rest in the journal, which would count as lost here.
    await forwarded(gateway)
    await sleep(500)
    const exitCode = await gateway.stop()
    await collect()
    const lost = [...reporters.acknowledged].filter((name) => !delivered.has(name))
    const strangers = [...delivered].filter((name) => !name.startsWith(`${prefix}-`))
    return { acknowledged: reporters.acknowledged.size, lost, strangers, repeats, exitCode }
  } finally {
    reporters.close()
    await gateway.kill()
    await sqs.close()
    rmSync(journalDir, { recursive: true, force: true })
  }
}

/**
 * A loopback address for one of the gateways alone. While a gateway is dead its devices go on sending to its port, and any
 * other one that happened to be given that port would acknowledge what this test then waits for in vain: that looked like a
 * loss of some hundred reports. Only Linux has all of 127/8.
 */
function ownAddress(workers: number): string {
  if (process.platform !== 'linux') return '127.0.0.1'
  return `127.${1 + (process.pid % 250)}.${Math.floor(process.pid / 250) % 250}.${workers}`
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
