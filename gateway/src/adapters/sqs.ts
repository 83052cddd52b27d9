import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { Refusal } from '../forwarder.ts'

export type Queue = {
  sendBatch: (bodies: string[]) => Promise<Refusal[]>
  close: () => void
}

/** The one queue that the gateway sends to. Retries are the forwarder's, so the client makes none of its own. */
export function openQueue(queueUrl: string): Queue {
  const client = new SQSClient({
    // Otherwise the client sends to the host in the queue's URL, whatever AWS_ENDPOINT_URL_SQS says.
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 3000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  })

  async function sendBatch(bodies: string[]): Promise<Refusal[]> {
    const { Failed = [] } = await client.send(
      new SendMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: bodies.map((body, i) => ({ Id: String(i), MessageBody: body })),
      }),
    )
    return Failed.map(({ Id, SenderFault, Code, Message }) => ({
      index: Number(Id),
      cause: SenderFault && INVALID.has(Code ?? '') ? 'invalid' : 'later',
      message: `${Code}: ${Message ?? ''}`,
    }))
  }

  return { sendBatch, close: () => client.destroy() }
}

/** Faults of the body itself. All others (permissions, a missing queue) are mended by an operator, and then it goes through. */
const INVALID = new Set([
  'InvalidMessageContents',
  'AWS.SimpleQueueService.InvalidMessageContents',
  'InvalidParameterValue',
  'MessageTooLong',
])
