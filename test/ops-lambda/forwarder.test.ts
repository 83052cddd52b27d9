import { ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import type { SQSEvent } from 'aws-lambda'
import t from 'tap'
import { startSqs } from '../fakes/sqs.ts'

t.test(
  'the forwarder moves bodies as they are, and lets come again what the first region does not take',
  async (t) => {
    const sqs = await startSqs()
    t.teardown(sqs.close)
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_SQS: sqs.url,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      PESEBRE_HOME_QUEUE_URL: sqs.queueUrl,
      PESEBRE_HOME_REGION: 'us-east-1',
    })
    const { handler } = await import('../../ops-lambda/src/forwarder/handler.ts')
    const body = '{"v":1,"gateway":"c","batch":"01J","records":[{"thing":"ñ","x":"\\u0001 <&>"}]}'
    const records = [
      { messageId: '1', body },
      // SQS refuses an empty body.
      { messageId: '2', body: '' },
    ]
    const answer = await handler({ Records: records } as unknown as SQSEvent)
    t.strictSame(answer, { batchItemFailures: [{ itemIdentifier: '2' }] })
    const { Messages = [] } = await sqs.client.send(new ReceiveMessageCommand({ QueueUrl: sqs.queueUrl }))
    t.strictSame(
      Messages.map((message) => message.Body),
      [body],
    )
  },
)
