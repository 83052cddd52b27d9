import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs'

/** Most entries that SQS takes or gives in one call. */
export const SQS_BATCH_MAX = 10

/** A message that stays hidden for so many more seconds. */
export type Hidden = { readonly receiptHandle: string; readonly seconds: number }

/** The queue as the poller sees it. All reject with the SDK's errors. */
export type Queue = {
  attributes(signal: AbortSignal): Promise<{ arn: string; visibilityS: number }>
  /** Waits for the first message for at most `waitS` seconds. */
  receive(max: number, waitS: number): Promise<Message[]>
  delete(receiptHandles: readonly string[]): Promise<void>
  hide(messages: readonly Hidden[]): Promise<void>
}

export function createQueue(client: SQSClient, QueueUrl: string): Queue {
  return {
    async attributes(signal) {
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn', 'VisibilityTimeout'] }),
        { abortSignal: signal },
      )
      return { arn: Attributes?.['QueueArn'] ?? '', visibilityS: Number(Attributes?.['VisibilityTimeout']) }
    },
    async receive(max, waitS) {
      const { Messages } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: Math.min(max, SQS_BATCH_MAX),
          WaitTimeSeconds: waitS,
          MessageSystemAttributeNames: ['All'],
          MessageAttributeNames: ['All'],
        }),
      )
      return Messages ?? []
    },
    async delete(receiptHandles) {
      for (const some of inTens(receiptHandles)) {
        const Entries = some.map((ReceiptHandle, n) => ({ Id: `${n}`, ReceiptHandle }))
        const { Failed } = await client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))
        if (Failed?.length) throw new Error(`Delete messages: ${Failed.length} failed: ${Failed[0]?.Code}`)
      }
    },
    async hide(messages) {
      for (const some of inTens(messages)) {
        const Entries = some.map(({ receiptHandle, seconds }, n) => ({
          Id: `${n}`,
          ReceiptHandle: receiptHandle,
          VisibilityTimeout: seconds,
        }))
        const { Failed } = await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }))
        if (Failed?.length) throw new Error(`Hide messages: ${Failed.length} failed: ${Failed[0]?.Code}`)
      }
    },
  }
}

function* inTens<T>(elements: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < elements.length; at += SQS_BATCH_MAX) yield elements.slice(at, at + SQS_BATCH_MAX)
}
