import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { type FauxqsServer, startFauxqs } from 'fauxqs'

export type Sqs = {
  readonly server: FauxqsServer
  readonly url: string
  readonly client: SQSClient
  readonly queueUrl: string
  readonly queueArn: string
  readonly dlqUrl: string
  send(body: string): Promise<void>
  /** What lies in the dead-letter queue, taken out of sight. */
  letters(): Promise<{ body: string; reason: string | undefined }[]>
  close(): Promise<void>
}

/** SQS in this process, with the two queues of the product. */
export async function startSqs(attributes: Record<string, string> = {}): Promise<Sqs> {
  const server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false })
  const url = `http://127.0.0.1:${server.port}`
  const region = 'us-east-1'
  const client = new SQSClient({
    endpoint: url,
    region,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    useQueueUrlAsEndpoint: false,
  })
  const dlq = server.createQueue('pesebre-reports-dlq', { region })
  const queue = server.createQueue('pesebre-reports', {
    region,
    attributes: {
      VisibilityTimeout: '30',
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dlq.queueArn, maxReceiveCount: 50 }),
      ...attributes,
    },
  })
  return {
    server,
    url,
    client,
    queueUrl: queue.queueUrl,
    queueArn: queue.queueArn,
    dlqUrl: dlq.queueUrl,
    async send(body) {
      await client.send(new SendMessageCommand({ QueueUrl: queue.queueUrl, MessageBody: body }))
    },
    async letters() {
      const letters: { body: string; reason: string | undefined }[] = []
      for (;;) {
        const { Messages } = await client.send(
          new ReceiveMessageCommand({
            QueueUrl: dlq.queueUrl,
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
      await server.stop()
    },
  }
}
