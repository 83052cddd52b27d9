import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs'
import { awsFailure, isMissing } from './aws-error.ts'
import { Failure } from './command.ts'
import type { Target } from './target.ts'

/** How many messages a queue holds, roughly: SQS promises no more. */
export type QueueState = {
  /** Nobody has taken them. */
  readonly waiting: number
  /** Taken, and not yet deleted. */
  readonly inFlight: number
}

/** Looks at a queue without touching its messages. Throws a Failure that says what to do. */
export type QueueWatch = () => Promise<QueueState>

/** Watches the queue of this name. */
export function openQueueWatch(target: Target, name: string): QueueWatch {
  const sqs = new SQSClient(target.sqs)
  let url: string | undefined
  return async () => {
    try {
      url ??= (await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl: url,
          AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
        }),
      )
      return {
        waiting: Number(Attributes['ApproximateNumberOfMessages'] ?? 0),
        inFlight: Number(Attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0),
      }
    } catch (error) {
      if (isMissing(error))
        throw new Failure(`No queue ${name} in ${target.sqsPlace}: give the right one with --queue`)
      throw awsFailure(error, `Cannot look at the queue ${name}`, {
        name: target.sqsPlace,
        isLocal: target.isLocal,
      })
    }
  }
}
