import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { startIotHttp } from '../../fakes/iot-http.ts'
import { startSqs } from '../../fakes/sqs.ts'
import { until, within } from '../../fakes/until.ts'

t.setTimeout(120_000)

const MAIN = fileURLToPath(new URL('../../../local/src/lambda-main.ts', import.meta.url))

/** Starts the process; lines are its log, `code` its end. */
function start(t: Test, env: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN], {
    env: { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: Record<string, unknown>[] = []
  let errors = ''
  createInterface(child.stdout).on('line', (line) => lines.push(JSON.parse(line)))
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  t.teardown(() => child.kill('SIGKILL'))
  const code = () => within('an end', exited, () => [lines, errors])
  return { child, lines, code, errors: () => errors }
}

t.test('lambda-main: runs the bridge on the queue, tells that it is ready, and stops cleanly', async (t) => {
  const iot = await startIotHttp()
  const sqs = await startSqs()
  t.teardown(() => Promise.all([iot.close(), sqs.close()]))
  const { child, lines, code } = start(t, {
    PESEBRE_QUEUE_URL: sqs.queueUrl,
    PESEBRE_DLQ_URL: sqs.dlqUrl,
    PESEBRE_LAMBDA_PORT: '0',
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ENDPOINT_URL_IOT: iot.url,
    AWS_ENDPOINT_URL_IOT_DATA_PLANE: iot.url,
  })
  const record = { thing: 'bella', type: 'feeder', seq: 1, at: 1, received: 1, state: { hopper_pct: 62 } }
  await sqs.send(
    JSON.stringify({ v: 1, gateway: 'a', batch: '01JD0000000000000000000000', records: [record, 'poison'] }),
  )
  const url = await until(
    'where it says that it is ready',
    () => lines.find(({ msg }) => msg === 'Readiness served')?.['readyz'],
    () => lines,
  )
  let answer: Record<string, unknown> = {}
  await until(
    '1 deleted',
    async () => {
      answer = (await (await fetch(`${url}`)).json()) as Record<string, unknown>
      return answer['deleted'] === 1
    },
    () => answer,
  )
  t.strictSame(answer, { ready: true, invocations: 1, received: 1, deleted: 1, returned: 0 })
  t.match(iot.shadows.reported('bella'), { hopper_pct: 62, link: { seq: 1 } })
  t.equal(iot.things.get('bella'), 'feeder')
  t.match(await sqs.letters(), [{ reason: 'Read record: / must be object' }])
  child.kill('SIGTERM')
  t.equal(await code(), 0)
})

t.test('lambda-main: bad settings end it, all of them told', async (t) => {
  const { code, errors } = start(t, { PESEBRE_LAMBDA_BATCH: '0' })
  t.equal(await code(), 1)
  t.match(errors(), /PESEBRE_QUEUE_URL is missing/)
  t.match(errors(), /PESEBRE_LAMBDA_BATCH is "0"/)
})

t.test('lambda-main: a module without a handler ends it', async (t) => {
  const PESEBRE_HANDLER = fileURLToPath(new URL('../../fakes/clock.ts', import.meta.url))
  const { code, errors } = start(t, { PESEBRE_QUEUE_URL: 'http://127.0.0.1:9/0/q', PESEBRE_HANDLER })
  t.equal(await code(), 1)
  t.match(errors(), /Load handler: no function "handler" in .*clock\.ts/)
})
