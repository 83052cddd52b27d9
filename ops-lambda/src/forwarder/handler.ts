import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { readForwarderConfig } from '../config.ts'

const { queueUrl, region } = readForwarderConfig(process.env)
const home = new SQSClient({
  region,
  maxAttempts: 2,
  // The client would follow the host of the queue's URL instead of its endpoint.
  useQueueUrlAsEndpoint: false,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 8_000, throwOnRequestTimeout: true },
})

/**
 * What AWS Lambda calls with batches of reports of the second region: each goes to the first region's queue as it is, down to the
 * byte, so that whatever is known by its ids is known there, too. Those that it does not take come again.
 */
export async function handler({ Records }: SQSEvent): Promise<SQSBatchResponse> {
  const sent = await Promise.allSettled(
    Records.map(({ body }) => home.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }))),
  )
  const failed = Records.filter((_, index) => sent[index]!.status === 'rejected')
  const first = sent.find((result) => result.status === 'rejected')
  if (first !== undefined) {
    const { name, message } = first.reason as Error
    console.log(
      JSON.stringify({
        msg: 'Reports not moved home: they come again',
        failed: failed.length,
        name,
        message,
      }),
    )
  }
  return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) }
}
