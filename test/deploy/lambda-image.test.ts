import t from 'tap'
import { sqsEvent } from '../../local/src/event-source/event.ts'
import { startIotHttp } from '../fakes/iot-http.ts'
import { startLambdaRuntimeApi } from '../fakes/lambda-runtime-api.ts'
import { startSqs } from '../fakes/sqs.ts'
import { openContainers, skipContainers as skip, USER } from './containers.ts'

t.setTimeout(400_000)

t.test(
  'the image of the bridge answers invocations, as AWS Lambda makes them',
  { skip, timeout: 390_000 },
  async (t) => {
    const containers = await openContainers('lambda')
    t.teardown(() => containers.close())
    const iot = await startIotHttp()
    const sqs = await startSqs()
    t.teardown(() => Promise.all([iot.close(), sqs.close()]))
    const lambda = await startLambdaRuntimeApi()
    t.teardown(() => lambda.close())

    const settings = {
      AWS_LAMBDA_RUNTIME_API: lambda.address,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_IOT: iot.url,
      AWS_ENDPOINT_URL_IOT_DATA_PLANE: iot.url,
      AWS_ENDPOINT_URL_SQS: sqs.url,
      PESEBRE_DLQ_URL: sqs.dlqUrl,
    }
    const name = `bridge-${process.pid}`
    const env = Object.entries(settings).flatMap(([key, value]) => ['--env', `${key}=${value}`])
    // As in AWS Lambda: only /tmp can be written.
    const safe = ['--read-only', '--tmpfs', '/tmp', '--network', 'host', '--memory', '256m']
    await containers.run('podman', 'run', '--detach', '--name', name, ...safe, ...env, 'pesebre-lambda')
    t.teardown(() => containers.run('podman', 'rm', '--force', '--time', '1', name))

    const report = '{"thing":"bella","type":"feeder","seq":1,"at":1,"received":1,"state":{"hopper_pct":62}}'
    const answer = await lambda.invoke(
      eventOf([`{"v":1,"gateway":"a","batch":"01JD0000000000000000000000","records":[${report}]}`, 'torn']),
    )
    t.match(answer, { kind: 'response', body: { batchItemFailures: [] } })
    t.match(iot.shadows.reported('bella'), { hopper_pct: 62 }, 'the report is in the shadow')
    t.equal(iot.things.get('bella'), 'feeder')
    t.match(await sqs.letters(), [{ body: 'torn', reason: /^Read batch as JSON: / }], 'poison is put aside')

    iot.fault = () => ({ status: 500, error: 'InternalFailureException' })
    const failed = await lambda.invoke(
      eventOf([
        `{"v":1,"gateway":"a","batch":"01JD0000000000000000000001","records":[${report.replace('"seq":1', '"seq":2')}]}`,
      ]),
    )
    t.strictSame(failed.body, { batchItemFailures: [{ itemIdentifier: 'm0' }] }, 'what failed comes again')
    t.match(await lambda.invoke({}), { kind: 'error', errorType: 'TypeError' }, 'what throws is told')
  },
)

t.test(
  'the image of the bridge holds Node and two files, and tells why it cannot start',
  { skip, timeout: 390_000 },
  async (t) => {
    const containers = await openContainers('lambda')
    t.teardown(() => containers.close())
    const [image] = JSON.parse(await containers.run('podman', 'image', 'inspect', 'pesebre-lambda')) as {
      Size: number
      Config: { User: string; Labels: Record<string, string> }
    }[]
    t.match(image, { Config: { User: `${USER}:${USER}` } })
    t.equal(image!.Config.Labels['org.opencontainers.image.licenses'], 'Apache-2.0')
    t.ok(image!.Size < 160e6, `${Math.round(image!.Size / 1e6)} MB`)
    const list =
      "const fs = require('fs'); console.log(fs.readdirSync('/app') + ' ' + fs.readdirSync('/usr/bin'))"
    t.equal(
      await containers.run(
        'podman',
        'run',
        '--rm',
        '--entrypoint',
        '/usr/bin/node',
        'pesebre-lambda',
        '-e',
        list,
      ),
      'LICENSE,handler.cjs,runtime.mjs node',
    )

    for (const [handler, errorType, errorMessage] of [
      ['missing.handler', 'Error', /^Cannot find module '\/app\/missing\.cjs'/],
      ['handler.handler', 'Error', /PESEBRE_DLQ_URL is missing/],
    ] as const) {
      const lambda = await startLambdaRuntimeApi()
      t.teardown(() => lambda.close())
      const env = ['--network', 'host', '--env', `AWS_LAMBDA_RUNTIME_API=${lambda.address}`]
      const run = containers.run('podman', 'run', '--rm', ...env, 'pesebre-lambda', handler)
      await t.rejects(run, { code: 1 }, 'it ends')
      t.match(await lambda.initError, { errorType, body: { errorMessage } }, handler)
    }
  },
)

/** As SQS hands messages to a function. */
function eventOf(bodies: readonly string[]): object {
  const messages = bodies.map((Body, index) => ({ MessageId: `m${index}`, ReceiptHandle: `r${index}`, Body }))
  return sqsEvent(messages, {
    queueArn: 'arn:aws:sqs:us-east-1:000000000000:pesebre-reports',
    region: 'us-east-1',
  })
}
