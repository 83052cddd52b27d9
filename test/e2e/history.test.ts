import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { readConfig } from '../../web/server/src/config.ts'
import { openDatabase } from '../../web/server/src/db/database.ts'
import { openHistory } from '../../web/server/src/history/history.ts'
import { readHistory } from '../../web/server/src/history/read.ts'
import { makeBucket } from '../fakes/bucket.ts'
import { startGateway } from '../fakes/gateway-process.ts'
import { startReporters } from '../fakes/reporters.ts'
import { startSqs } from '../fakes/sqs.ts'
import { until } from '../fakes/until.ts'
import { openWebApp } from '../fakes/web-app.ts'

t.setTimeout(120_000)

// T1 to T3: from the datagram to the chart, over the real gateway, its archive in S3, and the thread of the index.
t.test('what a device reports is on the chart of its horse', { timeout: 90_000 }, async (t) => {
  const sqs = await startSqs()
  const bucket = await makeBucket(sqs.url)
  const dir = mkdtempSync(join(tmpdir(), 'pesebre-history-'))
  const aws = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL_S3: sqs.url,
  }
  Object.assign(process.env, aws)
  const config = readConfig({
    PESEBRE_WEB_DIR: dir,
    PESEBRE_BUCKET: bucket.name,
    PESEBRE_HISTORY_POLL_S: '1',
    PESEBRE_LOG_LEVEL: 'silent',
  })
  const web = await openWebApp({ db: await openDatabase(config.database) })
  await web.db.sql.updateTable('devices').set({ thing: 'device-0' }).where('thing', '=', web.feeder).execute()
  const history = openHistory(config, pino({ level: 'silent' }))!
  const gateway = await startGateway({
    env: {
      ...aws,
      AWS_ENDPOINT_URL_SQS: sqs.url,
      PESEBRE_QUEUE_URL: sqs.queueUrl,
      PESEBRE_ARCHIVE_BUCKET: bucket.name,
      PESEBRE_ARCHIVE_ROTATE_S: '1',
    },
  })
  const began = Date.now()
  const reporters = startReporters({ devices: 1, port: gateway.coapPort })
  t.after(async () => {
    reporters.close()
    await gateway.kill()
    await history.stop()
    await web.close()
    bucket.close()
    await sqs.close()
    rmSync(dir, { recursive: true, force: true })
  })
  await until(
    '30 acknowledged',
    () => reporters.acknowledged.size >= 30,
    () => reporters.codes,
  )
  reporters.pause()
  await sleep(100)
  await gateway.stop()
  const reports = reporters.acknowledged.size

  const question = {
    horse: web.horse,
    field: 'n',
    from: began - 60_000,
    to: Date.now() + 60_000,
    zone: 'UTC',
  }
  const ask = () => readHistory(web.db, question, Date.now())
  const highest = async (): Promise<number> => Math.max(...(await ask()).points.max.map(Number))
  let shown = 0
  const isShown = async () => {
    shown = await highest()
    return shown >= reports
  }
  await until(`report ${reports}`, isShown, () => shown)
  const { points, resolution } = await ask()
  t.equal(resolution, 'minute')
  t.equal(Math.min(...points.min.map(Number)), 1)
  t.ok(points.last.at(-1)! >= reports, 'the newest is the last')
})

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
