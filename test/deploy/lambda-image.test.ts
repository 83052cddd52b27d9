import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { SQSBatchResponse } from 'aws-lambda'
import t from 'tap'
import { sqsEvent } from '../../local/src/event-source/event.ts'
import { startIotHttp } from '../fakes/iot-http.ts'
import { startSqs } from '../fakes/sqs.ts'
import { openContainers, skipContainers as skip } from './containers.ts'

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
    const lambda = await startRuntimeApi()
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
    const safe = [
      '--read-only',
      '--tmpfs',
      '/tmp',
      '--network',
      'host',
      '--user',
      '65532',
      '--memory',
      '256m',
    ]
    await containers.run('podman', 'run', '--detach', '--name', name, ...safe, ...env, 'pesebre-lambda')
    t.teardown(() => containers.run('podman', 'rm', '--force', '--time', '1', name))

    const report = '{"thing":"bella","type":"feeder","seq":1,"at":1,"received":1,"state":{"hopper_pct":62}}'
    const answer = await lambda.invoke([
      `{"v":1,"gateway":"a","batch":"01JD0000000000000000000000","records":[${report}]}`,
      'torn',
    ])
    t.strictSame(answer, { batchItemFailures: [] })
    t.match(iot.shadows.reported('bella'), { hopper_pct: 62 }, 'the report is in the shadow')
    t.equal(iot.things.get('bella'), 'feeder')
    t.match(await sqs.letters(), [{ body: 'torn', reason: /^Read batch as JSON: / }], 'poison is put aside')

    iot.fault = () => ({ status: 500, error: 'InternalFailureException' })
    const failed = await lambda.invoke([
      `{"v":1,"gateway":"a","batch":"01JD0000000000000000000001","records":[${report.replace('"seq":1', '"seq":2')}]}`,
    ])
    t.strictSame(failed, { batchItemFailures: [{ itemIdentifier: 'm0' }] }, 'what failed comes again')
  },
)

/** What a function asks for its invocations: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html */
async function startRuntimeApi() {
  const asked: ((event: object) => void)[] = []
  const waiting: object[] = []
  let answered = (_answer: SQSBatchResponse): void => {}
  const server = createServer((request, response) => {
    if (request.url?.endsWith('/invocation/next')) {
      const give = (event: object): void => {
        const headers = {
          'lambda-runtime-aws-request-id': '1',
          'lambda-runtime-deadline-ms': `${Date.now() + 5000}`,
        }
        response.writeHead(200, headers).end(JSON.stringify(event))
      }
      const event = waiting.shift()
      if (event) give(event)
      else asked.push(give)
      return
    }
    let text = ''
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    request.on('end', () => {
      response.writeHead(202).end()
      answered(JSON.parse(text) as SQSBatchResponse)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async invoke(bodies: readonly string[]): Promise<SQSBatchResponse> {
      const messages = bodies.map((Body, index) => ({
        MessageId: `m${index}`,
        ReceiptHandle: `r${index}`,
        Body,
      }))
      const source = { queueArn: 'arn:aws:sqs:us-east-1:000000000000:pesebre-reports', region: 'us-east-1' }
      const answer = new Promise<SQSBatchResponse>((resolve, reject) => {
        answered = resolve
        setTimeout(() => reject(new Error('No answer of the function in 20 s')), 20_000).unref()
      })
      const event = sqsEvent(messages, source)
      const give = asked.shift()
      if (give) give(event)
      else waiting.push(event)
      return answer
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
