import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { callError } from '../errors.ts'
import type { SendToDlq } from '../ports.ts'

/** Longest `reason` that we attach: it counts against the size of the message. */
const REASON_MAX = 500

/** What SQS does not take in text (SQS API, SendMessage): control characters, lone surrogates, U+FFFE and U+FFFF. */
const NOT_SQS_TEXT = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu

/** Sends a body to the dead-letter queue, with the attribute `reason`. Throws CallError. */
export function sendToDlqWith(client: SQSClient, queueUrl: string): SendToDlq {
  return async ({ body, reason }, signal) => {
    const attribute = {
      DataType: 'String',
      StringValue: reason.slice(0, REASON_MAX).replace(NOT_SQS_TEXT, '?'),
    }
    await client
      .send(
        new SendMessageCommand({
          QueueUrl: queueUrl,
          MessageBody: body,
          MessageAttributes: { reason: attribute },
        }),
        { abortSignal: signal },
      )
      .catch((error: unknown) => Promise.reject(callError('Send to dead-letter queue', error)))
  }
}
