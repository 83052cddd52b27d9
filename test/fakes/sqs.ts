import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { buildApp } from 'fauxqs'
import { until } from './until.ts'

export type Sqs = {
  readonly url: string
  readonly client: SQSClient
  readonly queueUrl: string
  readonly dlqUrl: string
  createQueue(name: string, attributes?: Record<string, string>): Promise<string>
  send(body: string): Promise<void>
  /** Messages in a queue, seen or not. */
  count(queueUrl: string): Promise<number>
  /** What lies in the dead-letter queue, taken out of sight. */
  letters(): Promise<{ body: string; reason: string | undefined }[]>
  close(): Promise<void>
}

/** SQS in this process, on loopback, with the two queues of the product. `attributes` are those of the first. */
export async function startSqs(attributes: Record<string, string> = {}): Promise<Sqs> {
  const app = buildApp({ logger: false, defaultRegion: 'us-east-1' })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const client = new SQSClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    useQueueUrlAsEndpoint: false,
  })
  const createQueue = async (name: string, Attributes: Record<string, string> = {}) => {
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: name, Attributes }))
    return QueueUrl!
  }
  const dlqUrl = await createQueue('pesebre-reports-dlq')
  const deadLetterTargetArn = 'arn:aws:sqs:us-east-1:000000000000:pesebre-reports-dlq'
  const queueUrl = await createQueue('pesebre-reports', {
    VisibilityTimeout: '30',
    RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 50 }),
    ...attributes,
  })
  return {
    url,
    client,
    queueUrl,
    dlqUrl,
    createQueue,
    async count(QueueUrl) {
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
      )
      return (
        Number(Attributes?.['ApproximateNumberOfMessages']) +
        Number(Attributes?.['ApproximateNumberOfMessagesNotVisible']) +
        Number(Attributes?.['ApproximateNumberOfMessagesDelayed'])
      )
    },
    async send(body) {
      await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }))
    },
    async letters() {
      const letters: { body: string; reason: string | undefined }[] = []
      for (;;) {
        const { Messages } = await client.send(
          new ReceiveMessageCommand({
            QueueUrl: dlqUrl,
            MaxNumberOfMessages: 10,
            MessageAttributeNames: ['All'],
          }),
        )
        if (!Messages?.length) return letters
        letters.push(
          ...Messages.map(({ Body, MessageAttributes }) => ({
            body: Body ?? '',
            reason: MessageAttributes?.['reason']?.StringValue,
          })),
        )
      }
    },
    async close() {
      client.destroy()
      await app.close()
    },
  }
}

/** Waits until there are so many dead letters. */
export async function letters({ count, dlqUrl }: Sqs, expected: number): Promise<void> {
  let there = 0
  const look = async () => {
    there = await count(dlqUrl)
    return there >= expected
  }
  await until(`${expected} dead letters`, look, () => there)
}
