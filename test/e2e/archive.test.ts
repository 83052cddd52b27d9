import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { segmentBases } from '../../gateway/src/journal/segments.ts'
import { type Bucket, makeBucket } from '../fakes/bucket.ts'
import { startFlakyProxy } from '../fakes/flaky-proxy.ts'
import { startGateway } from '../fakes/gateway-process.ts'
import { startReporters } from '../fakes/reporters.ts'
import { startSqs } from '../fakes/sqs.ts'
import { until } from '../fakes/until.ts'

// Of the whole file: tap's own limit would be 30 seconds.
t.setTimeout(180_000)

const KILLS = 8
const LIFE_MAX_MS = 1500

/** Small and quick ones, so that many kills fall into the making of an object. */
const SETTINGS = {
  PESEBRE_DEVICE_RATE: '100000',
  PESEBRE_ADDRESS_RATE: '100000',
  PESEBRE_JOURNAL_SEGMENT_BYTES: '65536',
  PESEBRE_ARCHIVE_BUCKET: 'pesebre',
  PESEBRE_ARCHIVE_ROTATE_S: '1',
  PESEBRE_ARCHIVE_OBJECT_BYTES: '65536',
}

// T1: every raw report is archived.
t.test(
  'kill -9 at random instants: every acknowledged report is archived, once after de-duplication',
  { timeout: 120_000 },
  async (t) => {
    const sqs = await startSqs()
    const bucket = await makeBucket(sqs.url)
    const journalDir = mkdtempSync(join(tmpdir(), 'pesebre-archive-'))
    const endpoints = { AWS_ENDPOINT_URL_SQS: sqs.url, AWS_ENDPOINT_URL_S3: sqs.url }
    const env = {
      ...SETTINGS,
      ...endpoints,
      PESEBRE_QUEUE_URL: sqs.queueUrl,
      PESEBRE_WORKERS: '2',
      PESEBRE_STOP_TIMEOUT_MS: '15000',
    }
    let gateway = await startGateway({ env, journalDir })
    const reporters = startReporters({ devices: 8, port: gateway.coapPort })
    t.teardown(async () => {
      reporters.close()
      await gateway.kill()
      bucket.close()
      await sqs.close()
      rmSync(journalDir, { recursive: true, force: true })
    })
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(Math.random() * LIFE_MAX_MS)
      await gateway.kill()
      gateway = await startGateway({ env, journalDir })
      reporters.aim(gateway.coapPort)
    }
    await sleep(LIFE_MAX_MS)
    reporters.pause()
    await sleep(300)
    t.equal(await gateway.stop(), 0, 'a stop archives what is left')

    const rows = await bucket.rows()
    const archived = new Set(rows.map(nameOf))
    t.same(
      [...reporters.acknowledged].filter((name) => !archived.has(name)),
      [],
      `all ${reporters.acknowledged.size} acknowledged reports`,
    )
    t.equal(new Set(rows.map(({ thing, seq }) => `${thing}:${seq}`)).size, rows.length, 'no repeats at all')
    t.ok(rows.length > KILLS * 8, 'there was load')
  },
)

t.test(
  'S3 away: devices and SQS notice nothing, segments wait, and all is archived when it is back',
  async (t) => {
    const sqs = await startSqs()
    const bucket = await makeBucket(sqs.url)
    const proxy = await startFlakyProxy(Number(new URL(sqs.url).port))
    proxy.set('refuse')
    const gateway = await startGateway({
      env: {
        ...SETTINGS,
        AWS_ENDPOINT_URL_SQS: sqs.url,
        AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${proxy.port}`,
        PESEBRE_QUEUE_URL: sqs.queueUrl,
      },
    })
    const reporters = startReporters({ devices: 8, port: gateway.coapPort })
    t.teardown(async () => {
      reporters.close()
      await gateway.kill()
      await proxy.close()
      bucket.close()
      await sqs.close()
    })
    const metric = async (name: string): Promise<number> => (await gateway.metrics())[`pesebre_${name}`]!
    await until(
      'failures, and 300 kB that wait',
      async () =>
        (await metric('archive_failures_total')) > 1 && (await metric('archive_lag_bytes')) > 300_000,
      () => gateway.logs().slice(-5),
    )
    t.equal((await gateway.admin('/readyz')).status, 200)
    t.ok((await metric('forwarded_records_total')) > 100)
    t.same(Object.keys(reporters.codes), ['2.04'])
    proxy.set('pass')
    reporters.pause()
    await until(
      'all archived',
      async () => (await metric('archive_lag_bytes')) === 0,
      () => gateway.logs().slice(-5),
    )
    const archived = new Set((await bucket.rows()).map(nameOf))
    t.same(
      [...reporters.acknowledged].filter((name) => !archived.has(name)),
      [],
    )
    t.equal(await metric('archive_missing_bytes_total'), 0)
  },
)

t.test(
  'S3 away beyond the bound: the oldest go unarchived and are counted, and no device is refused',
  async (t) => {
    const sqs = await startSqs()
    const gateway = await startGateway({
      env: {
        ...SETTINGS,
        AWS_ENDPOINT_URL_SQS: sqs.url,
        AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
        PESEBRE_QUEUE_URL: sqs.queueUrl,
        PESEBRE_ARCHIVE_MAX_BYTES: String(1024 * 1024),
      },
    })
    const reporters = startReporters({ devices: 16, port: gateway.coapPort, pad: 900 })
    t.teardown(async () => {
      reporters.close()
      await gateway.kill()
      await sqs.close()
    })
    const metric = async (name: string): Promise<number> => (await gateway.metrics())[`pesebre_${name}`]!
    await until(
      'bytes that go unarchived',
      async () => (await metric('archive_missing_bytes_total')) > 0,
      () => gateway.logs().slice(-5),
    )
    reporters.pause()
    // 1 MB are 16 segments of 64 kB, and one is written to. While reports come, there are those of the moment besides.
    const segments = () => segmentBases(join(gateway.journalDir, '0')).length
    await until('18 segments', () => segments() <= 18, segments)
    t.pass(`${segments()} segments are kept`)
    t.same(Object.keys(reporters.codes), ['2.04'])
  },
)

function nameOf(row: Awaited<ReturnType<Bucket['rows']>>[number]): string {
  return `${String(row['thing'])}:${(JSON.parse(String(row['state'])) as { n: number }).n}`
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
