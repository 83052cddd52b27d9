import type { Report } from '@pesebre/contract/report'
import t from 'tap'
import { startFlakyProxy, type Weather } from '../fakes/flaky-proxy.ts'
import { forwarded, startGateway } from '../fakes/gateway-process.ts'
import { startReporters } from '../fakes/reporters.ts'
import { startSqs } from '../fakes/sqs.ts'
import { until } from '../fakes/until.ts'
import { drainQueue, nameOf } from './queue-contents.ts'

// Of the whole file: tap's own limit would be 30 seconds.
t.setTimeout(180_000)

/** How long each fault lasts. Longer than the client's own time limit, so that it is reached. */
const FAULTS: [Weather, seconds: number][] = [
  ['refuse', 3],
  ['hang', 12],
  ['slow', 3],
  ['cut', 3],
]

// D2: devices notice nothing until the journal's limit; what was taken is delivered, oldest first.
t.test(
  'SQS away, hanging, slow, cutting: devices notice nothing, and everything arrives in order',
  { timeout: 120_000 },
  async (t) => {
    const sqs = await startSqs()
    const proxy = await startFlakyProxy(Number(new URL(sqs.url).port))
    const gateway = await startGateway({
      env: {
        AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${proxy.port}`,
        PESEBRE_QUEUE_URL: sqs.queueUrl,
        PESEBRE_DEVICE_RATE: '100',
      },
    })
    const reporters = startReporters({ devices: 10, port: gateway.coapPort })
    t.teardown(async () => {
      reporters.close()
      await gateway.kill()
      await proxy.close()
      await sqs.close()
    })
    for (const [weather, seconds] of FAULTS) {
      proxy.set(weather)
      const before = reporters.acknowledged.size
      await sleep(seconds * 1000)
      t.ok(
        reporters.acknowledged.size > before + 100,
        `reports are taken while SQS is in weather "${weather}"`,
      )
    }
    t.ok((await gateway.metrics())['pesebre_forward_failures_total']! > 0, 'the faults were real')
    proxy.set('pass')
    reporters.pause()
    await forwarded(gateway)
    t.equal((await gateway.admin('/readyz')).status, 200)

    const reports = await drainQueue(sqs)
    const delivered = new Set(reports.map(nameOf))
    t.same(
      [...reporters.acknowledged].filter((name) => !delivered.has(name)),
      [],
      `all ${reporters.acknowledged.size} acknowledged reports arrived`,
    )
    t.same(
      Object.keys(reporters.codes).filter((code) => code !== '2.04' && code !== '4.29'),
      [],
      'no device saw a fault',
    )
    t.same(outOfOrder(reports), [], 'a device’s reports come oldest first')
  },
)

t.test(
  'SQS away beyond the limit of the journal: 5.03 with Max-Age, and nothing acknowledged is lost',
  { timeout: 120_000 },
  async (t) => {
    const sqs = await startSqs()
    const proxy = await startFlakyProxy(Number(new URL(sqs.url).port))
    proxy.set('refuse')
    const gateway = await startGateway({
      env: {
        AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${proxy.port}`,
        PESEBRE_QUEUE_URL: sqs.queueUrl,
        PESEBRE_DEVICE_RATE: '100000',
        PESEBRE_ADDRESS_RATE: '100000',
        PESEBRE_JOURNAL_MAX_BYTES: String(1024 * 1024),
        PESEBRE_JOURNAL_SEGMENT_BYTES: '65536',
      },
    })
    const reporters = startReporters({ devices: 16, port: gateway.coapPort, pad: 900 })
    t.teardown(async () => {
      reporters.close()
      await gateway.kill()
      await proxy.close()
      await sqs.close()
    })
    await until(
      '50 refused',
      () => (reporters.codes['5.03'] ?? 0) > 50,
      () => reporters.codes,
    )
    t.ok(reporters.maxAge()! >= 2, `Max-Age ${reporters.maxAge()} s`)
    t.ok((await gateway.metrics())['pesebre_journal_backlog_bytes']! <= 1024 * 1024)
    const refused = reporters.codes['5.03']!
    proxy.set('pass')
    const taken = reporters.acknowledged.size
    await until(
      '500 more acknowledged',
      () => reporters.acknowledged.size > taken + 500,
      () => reporters.codes,
    )
    reporters.pause()
    await forwarded(gateway)
    const delivered = new Set((await drainQueue(sqs)).map(nameOf))
    t.same(
      [...reporters.acknowledged].filter((name) => !delivered.has(name)),
      [],
    )
    t.ok(refused > 0)
  },
)

/** Reports that came for the first time after a later one of the same device. Repeats are allowed to. */
function outOfOrder(reports: readonly Report[]): string[] {
  const newest = new Map<string, number>()
  const seen = new Set<string>()
  return reports.flatMap((report) => {
    const name = nameOf(report)
    if (seen.has(name)) return []
    seen.add(name)
    const isLate = report.seq < (newest.get(report.thing) ?? 0)
    newest.set(report.thing, Math.max(report.seq, newest.get(report.thing) ?? 0))
    return isLate ? [name] : []
  })
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
