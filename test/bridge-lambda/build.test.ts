import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inflateRawSync } from 'node:zlib'
import t from 'tap'
import { buildLambda } from '../../bridge-lambda/build.ts'
import { zip } from '../../bridge-lambda/zip.ts'
import { startIotHttp } from '../fakes/iot-http.ts'
import { startSqs } from '../fakes/sqs.ts'

/** Calls a handler from a file of its own process, as Lambda would, and prints its answer. */
const CALL = `
const { handler } = require(process.argv[1])
const { Records } = JSON.parse(process.argv[2])
handler({ Records }, { getRemainingTimeInMillis: () => 20_000 }).then((answer) => {
  process.stdout.write('answer ' + JSON.stringify(answer))
  process.exit(0)
})`

t.test(
  'buildLambda: the bundle runs by itself, and its bytes do not depend on when it is built',
  async (t) => {
    // Below the checkout, where the SDK is found as in Lambda's runtime.
    const directory = fileURLToPath(new URL(`../../bridge-lambda/dist/test-${process.pid}/`, import.meta.url))
    t.teardown(() =>
      import('node:fs/promises').then(({ rm }) => rm(directory, { recursive: true, force: true })),
    )
    const sizes = await buildLambda(directory)
    const archive = readFileSync(join(directory, 'bridge.zip'))
    const bundle = readFileSync(join(directory, 'handler.cjs'))
    t.strictSame(sizes, { zipBytes: archive.length, bundleBytes: bundle.length })
    t.notOk(bundle.includes(fileURLToPath(new URL('../..', import.meta.url))), 'no path of this machine')
    t.ok(archive.length < 250_000, `${archive.length} B`)
    await buildLambda(directory)
    t.ok(readFileSync(join(directory, 'bridge.zip')).equals(archive))

    const iot = await startIotHttp()
    const sqs = await startSqs()
    t.teardown(() => Promise.all([iot.close(), sqs.close()]))
    const records = [
      { thing: 'bella', type: 'feeder', seq: 1, at: 1, received: 1, state: { a: 1 } },
      { poison: true },
    ]
    const body = JSON.stringify({ v: 1, gateway: 'a', batch: '01JD0000000000000000000000', records })
    const { execFile } = await import('node:child_process')
    const output = await new Promise<string>((resolve, reject) => {
      const args = [
        '-e',
        CALL,
        join(directory, 'handler.cjs'),
        JSON.stringify({ Records: [{ messageId: 'm1', body }] }),
      ]
      const env = {
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'x',
        AWS_SECRET_ACCESS_KEY: 'x',
        AWS_ENDPOINT_URL_IOT: iot.url,
        AWS_ENDPOINT_URL_IOT_DATA_PLANE: iot.url,
        AWS_ENDPOINT_URL_SQS: sqs.url,
        PESEBRE_DLQ_URL: sqs.dlqUrl,
      }
      execFile(process.execPath, args, { env }, (error, stdout) => (error ? reject(error) : resolve(stdout)))
    })
    t.match(output, /answer \{"batchItemFailures":\[\]\}$/)
    t.match(JSON.parse(output.split('\n')[0]!), {
      level: 40,
      name: 'bridge',
      msg: 'Record set aside',
      message: 'm1',
    })
    t.match(iot.shadows.reported('bella'), { a: 1 })
    t.equal((await sqs.letters()).length, 1)
  },
)

t.test('buildLambda with the SDK: the bundle needs no packages', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'pesebre-bridge-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  await buildLambda(directory, { withSdk: true })
  const load = `process.stdout.write(Object.keys(require('./handler.cjs')).join())`
  const env = { AWS_REGION: 'us-east-1', PESEBRE_DLQ_URL: 'http://127.0.0.1:1/000000000000/dlq' }
  t.equal(execFileSync(process.execPath, ['-e', load], { cwd: directory, env, encoding: 'utf8' }), 'handler')
})

t.test('handler: missing settings stop it at load, with all that is wrong', async (t) => {
  const handler = fileURLToPath(new URL('../../bridge-lambda/src/handler.ts', import.meta.url))
  const { status, stderr } = spawnSync(process.execPath, [handler], {
    env: { PESEBRE_LOG_LEVEL: 'loud' },
    encoding: 'utf8',
  })
  t.equal(status, 1)
  t.match(stderr, /PESEBRE_DLQ_URL is missing/)
  t.match(stderr, /PESEBRE_LOG_LEVEL is "loud"/)
})

t.test('zip: an archive that others can read', async (t) => {
  const entries = [
    { name: 'a.txt', content: Buffer.from('hello '.repeat(100)) },
    { name: 'dir/b.bin', content: Buffer.from([0, 255, 128]) },
    { name: 'empty', content: Buffer.alloc(0) },
  ]
  const archive = zip(entries)
  const directory = t.testdir({ 'x.zip': archive })
  const list = `
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
print([(i.filename, i.file_size, oct(i.external_attr >> 16), i.date_time[:3]) for i in z.infolist()])`
  let listed: string
  try {
    listed = execFileSync('python3', ['-c', list, join(directory, 'x.zip')], { encoding: 'utf8' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    t.comment('python3 is not here: the archive is read by our own eyes only')
    listed = ''
  }
  if (listed !== '') {
    t.equal(
      listed.trim(),
      "[('a.txt', 600, '0o100644', (1980, 1, 1)), ('dir/b.bin', 3, '0o100644', (1980, 1, 1)), ('empty', 0, '0o100644', (1980, 1, 1))]",
    )
  }
  t.equal(inflateRawSync(archive.subarray(30 + 'a.txt'.length)).toString(), 'hello '.repeat(100))
})
