import { createHash, randomUUID } from 'node:crypto'
import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs'
import type { Context, SQSEvent, SQSMessageAttribute, SQSRecord } from 'aws-lambda'

/** Where the messages come from. */
export type Source = { readonly queueArn: string; readonly region: string }

/** The event that Lambda makes of received messages (AWS Lambda developer guide, "Using Lambda with Amazon SQS"). */
export function sqsEvent(messages: readonly Message[], source: Source): SQSEvent {
  return { Records: messages.map((message) => recordOf(message, source)) }
}

function recordOf(message: Message, { queueArn, region }: Source): SQSRecord {
  const body = message.Body ?? ''
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body,
    attributes: {
      ...message.Attributes,
      ApproximateReceiveCount: message.Attributes?.ApproximateReceiveCount ?? '1',
      SentTimestamp: message.Attributes?.SentTimestamp ?? '',
      SenderId: message.Attributes?.SenderId ?? '',
      ApproximateFirstReceiveTimestamp: message.Attributes?.ApproximateFirstReceiveTimestamp ?? '',
    },
    messageAttributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [name, attributeOf(value)]),
    ),
    md5OfBody: message.MD5OfBody ?? createHash('md5').update(body).digest('hex'),
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: region,
  }
}

function attributeOf({ DataType, StringValue, BinaryValue }: MessageAttributeValue): SQSMessageAttribute {
  return {
    ...(StringValue !== undefined && { stringValue: StringValue }),
    ...(BinaryValue !== undefined && { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
    stringListValues: [] as never[],
    binaryListValues: [] as never[],
    dataType: (DataType ?? 'String') as SQSMessageAttribute['dataType'],
  }
}

/** What a handler gets beside the event. `remainingMs` is asked each time. */
export function lambdaContext(functionName: string, { region }: Source, remainingMs: () => number): Context {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:${region}:000000000000:function:${functionName}`,
    memoryLimitInMB: '256',
    awsRequestId: randomUUID(),
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: 'local',
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(remainingMs())),
    done: () => {},
    fail: () => {},
    succeed: () => {},
  }
}

/**
 * Which of the messages a handler's answer names as failed. As on AWS, an answer that makes no sense fails them all:
 * an item without `itemIdentifier`, an empty one, one that names no message of the batch ("Reporting batch item failures").
 */
export function failedIds(answer: unknown, ids: ReadonlySet<string>): ReadonlySet<string> {
  if (answer === undefined || answer === null) return new Set()
  if (typeof answer !== 'object') return ids
  const failures = (answer as Record<string, unknown>)['batchItemFailures'] ?? []
  if (!Array.isArray(failures)) return ids
  const failed = new Set<string>()
  for (const failure of failures) {
    const id: unknown = failure?.itemIdentifier
    if (typeof id !== 'string' || !ids.has(id)) return ids
    failed.add(id)
  }
  return failed
}
