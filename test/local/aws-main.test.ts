import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import t from 'tap'
import { endOf, environment, startProcess } from './iot/process.ts'
import { temporaryDir } from './iot/support.ts'

t.setTimeout(120_000)

const MAIN = 'local/src/aws-main.ts'

function client(port: number): SQSClient {
  return new SQSClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    useQueueUrlAsEndpoint: false,
  })
}

t.test('aws-main: messages are there after a restart; SIGTERM ends it with code 0', async (t) => {
  const home = await temporaryDir(t)
  const first = await startProcess(t, MAIN, home)
  const sqs = client(first.ports.aws)
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'reports' }))
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'kept' }))
  t.equal(await first.end('SIGTERM'), 0)

  const second = await startProcess(t, MAIN, home)
  const { Messages = [] } = await client(second.ports.aws).send(new ReceiveMessageCommand({ QueueUrl }))
  t.same(
    Messages.map(({ Body }) => Body),
    ['kept'],
  )

  const again = await endOf(MAIN, { ...environment(second.ports), PESEBRE_HOME: await temporaryDir(t) })
  t.equal(again.code, 1)
  t.equal(again.output.trim().split('\n').length, 1, again.output)
  t.match(
    again.output,
    new RegExp(`TCP port ${second.ports.aws} for SQS and S3 is taken: .* set PESEBRE_AWS_PORT `),
  )
})
