import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { archiveKey, HOUR_MS } from '@pesebre/contract/archive'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { toParquet } from '../../../../gateway/src/archive/parquet.ts'
import { readConfig } from '../../../../web/server/src/config.ts'
import { openDatabase } from '../../../../web/server/src/db/database.ts'
import { fleetTotal, numbersOf, openHistory } from '../../../../web/server/src/history/history.ts'
import { makeBucket } from '../../../fakes/bucket.ts'
import { startFlakyProxy } from '../../../fakes/flaky-proxy.ts'
import { startSqs } from '../../../fakes/sqs.ts'

t.setTimeout(120_000)

const MAIN = fileURLToPath(new URL('../../../../web/server/src/history-main.ts', import.meta.url))

/** S3 behind a proxy, a database file, and the settings of a web server that uses both. */
async function setUp(t: Test) {
  const s3 = await startSqs()
  const bucket = await makeBucket(s3.url)
  const proxy = await startFlakyProxy(Number(new URL(s3.url).port))
  const dir = mkdtempSync(join(tmpdir(), 'pesebre-history-'))
  const env = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_MAX_ATTEMPTS: '1',
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${proxy.port}`,
    PESEBRE_WEB_DIR: dir,
    PESEBRE_BUCKET: 'pesebre',
    PESEBRE_HISTORY_POLL_S: '1',
    PESEBRE_LOG_LEVEL: 'silent',
  }
  Object.assign(process.env, env)
  const config = readConfig(env)
  const db = await openDatabase(config.database)
  t.after(async () => {
    await db.close()
    await proxy.close()
    bucket.close()
    await s3.close()
    rmSync(dir, { recursive: true, force: true })
  })
  let first = 0
  const now = Date.now()
  async function archive(seqs: number[]): Promise<void> {
    const report = (seq: number) => ({
      thing: 'feeder-00000001',
      type: 'feeder',
      seq,
      at: now,
      received: now,
    })
    const body = toParquet(seqs.map(report))
    const end = first + seqs.length
    const hour = Math.floor(now / HOUR_MS) * HOUR_MS
    const key = archiveKey({ gateway: 'a', hour, journal: 0, first, end, crc: 1 })
    first = end
    await bucket.client.send(new PutObjectCommand({ Bucket: 'pesebre', Key: key, Body: body }))
  }
  return { archive, config, db, dir, env, proxy }
}

t.test(
  'the index follows the archive, says so, and goes on after S3 was away',
  { timeout: 60_000 },
  async (t) => {
    const { archive, config, db, proxy } = await setUp(t)
    await archive([1, 2, 3])
    const index = openHistory(config, pino({ level: 'silent' }))!
    const heard: number[] = []
    index.onIndexed(({ rows }) => heard.push(rows))
    await until(() => heard.length === 1)
    t.same(heard, [3])
    t.match((await numbersOf(db, ['feeder-00000001'])).get('feeder-00000001'), { reports: 3, seq: 3 })
    await until(() => index.health().lookedAt !== undefined)

    proxy.set('refuse')
    await until(() => index.health().failure !== undefined)
    await archive([3, 4])
    proxy.set('pass')
    await until(() => heard.length === 2)
    await until(() => index.health().failure === undefined)
    t.same(heard, [3, 1], 'what was there before counts once')
    t.equal((await fleetTotal(db)).reports, 4)
    await index.stop()
  },
)

t.test('history-main.ts rebuild makes everything again', { timeout: 60_000 }, async (t) => {
  const { archive, db, env, proxy } = await setUp(t)
  await archive([1, 2, 3])
  await archive([4])
  const noise = { thing: 'x', type: 'y', reports: 99, seq: 1, at: 1, received: 1, gateway: 'a', state: '{}' }
  await db.sql.insertInto('thing_numbers').values(noise).execute()
  const run = await rebuild(env)
  t.equal(run.status, 0, run.stderr)
  t.match(run.stdout, 'History rebuilt: 4 reports of 2 objects; 0 could not be read')
  const total = await fleetTotal(db)
  t.match(total, { reports: 4, things: 1 })
  proxy.set('refuse')
  t.equal((await rebuild(env)).status, 1, 'S3 is away')
  t.same(await fleetTotal(db), total, 'and nothing is gone')
})

t.test('history-main.ts says what is wrong', { timeout: 60_000 }, async (t) => {
  const { env, dir } = await setUp(t)
  t.match(await rebuild({ ...env, PESEBRE_BUCKET: '' }), { status: 1, stderr: /there is no archive/ })
  t.match(await rebuild(env, 'build'), { status: 2, stderr: /rebuild {5}with/ })
  const file = join(dir, 'rules.json')
  writeFileSync(file, '[{"name":"a","rule":"dorp"}]')
  t.match(await rebuild({ ...env, PESEBRE_HISTORY_RULES: file }), {
    status: 1,
    stderr: /rule 1: rule: allowed: drop/,
  })
})

/** Runs the command. S3 is in this process, so nothing here may wait for it without letting go. */
function rebuild(env: Record<string, string>, command = 'rebuild') {
  return new Promise<{ status: unknown; stdout: string; stderr: string }>((resolve) => {
    const options = { env: { PATH: process.env['PATH'], ...env }, timeout: 20_000 }
    execFile(process.execPath, [MAIN, command], options, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : error.code, stdout, stderr }),
    )
  })
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 50))
}
