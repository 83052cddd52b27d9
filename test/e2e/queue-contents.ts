import { DeleteMessageBatchCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import type { Batch, Report } from '@pesebre/contract/report'
import type { Sqs } from '../fakes/sqs.ts'

/** Takes everything out of the queue: the reports in it, in the order in which they came. */
export async function drainQueue({ client, queueUrl }: Sqs): Promise<Report[]> {
  const reports: Report[] = []
  for (;;) {
    const { Messages } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
    )
    if (!Messages?.length) return reports
    for (const { Body } of Messages) reports.push(...((JSON.parse(Body ?? '') as Batch).records as Report[]))
    await client.send(
      new DeleteMessageBatchCommand({
        QueueUrl: queueUrl,
        Entries: Messages.map(({ MessageId, ReceiptHandle }) => ({ Id: MessageId, ReceiptHandle })),
      }),
    )
  }
}

/** `thing:n` of a report made by test/fakes/reporters.ts. */
export function nameOf({ thing, state }: Report): string {
  return `${thing}:${String(state?.['n'])}`
}
