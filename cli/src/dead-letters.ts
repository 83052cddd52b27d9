import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { awsFailure, isMissing } from './aws-error.ts'
import { Failure } from './command.ts'
import type { Target } from './target.ts'

/** How long messages stay hidden from others while we look at them, seconds. */
const HOLD_S = 120
/**
 * How long messages that we let go of stay hidden, seconds. Not 0: fauxqs 2.4.1, the local stand-in, fails on that when
 * it keeps its data on disk, and the message stays hidden.
 */
const RELEASED_S = 1
/** Long polling asks all of SQS's servers, so one empty answer means that all is read. Longer than RELEASED_S. */
const WAIT_S = 2
const PER_CALL = 10

/** A message of the dead-letter queue. */
export type DeadLetter = {
  /** SQS's message id. */
  readonly id: string
  readonly body: string
  /** What the bridge said was wrong; undefined for a message that was given up after too many deliveries. */
  readonly reason: string | undefined
  /** When it was sent, milliseconds since 1970. */
  readonly sent: number
  readonly receipt: string
}

/** A queue and its dead-letter queue. All functions throw a Failure that says what to do. */
export type DeadLetters = {
  readonly name: string
  /** Takes up to `limit` messages; nobody else sees them for two minutes, or until `release`. */
  take(limit: number, isLast?: (letter: DeadLetter) => boolean): Promise<DeadLetter[]>
  /** What cannot be let go of comes back by itself after two minutes. */
  release(letters: readonly DeadLetter[]): Promise<void>
  /** Sends a message to the queue once more, as it was, and deletes it here: in this order, so that none is lost. */
  redrive(letter: DeadLetter): Promise<void>
}

/**
 * Finds the dead-letter queue that belongs to a queue.
 * @param queue the name of the queue
 */
export async function openDeadLetters(target: Target, queue: string): Promise<DeadLetters> {
  const sqs = new SQSClient(target.sqs)
  const place = { name: target.sqsPlace, isLocal: target.isLocal }
  const failing = async <T>(action: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await call()
    } catch (error) {
      if (error instanceof Failure) throw error
      if (isMissing(error))
        throw new Failure(`No such queue in ${place.name}: give the right one with --queue: ${queue}`)
      throw awsFailure(error, action, place)
    }
  }

  const urls = await failing(`Cannot find the queue ${queue}`, () => findUrls(sqs, queue))

  return {
    name: urls.deadName,
    take: (limit, isLast = () => false) =>
      failing(`Cannot read ${urls.deadName}`, async () => {
        const taken = new Map<string, DeadLetter>()
        while (taken.size < limit) {
          const messages = await receive(sqs, urls.dead, Math.min(PER_CALL, limit - taken.size))
          for (const letter of messages) taken.set(letter.id, letter)
          if (messages.length === 0 || messages.some(isLast)) break
        }
        return [...taken.values()]
      }),
    release: (letters) =>
      failing(`Cannot let go of ${urls.deadName}`, async () => {
        for (let from = 0; from < letters.length; from += PER_CALL) {
          const Entries = letters.slice(from, from + PER_CALL).map(({ receipt }, index) => ({
            Id: `${index}`,
            ReceiptHandle: receipt,
            VisibilityTimeout: RELEASED_S,
          }))
          await sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: urls.dead, Entries }))
        }
      }),
    redrive: (letter) =>
      failing(`Cannot put back ${letter.id}`, async () => {
        await sqs.send(new SendMessageCommand({ QueueUrl: urls.main, MessageBody: letter.body }))
        await sqs.send(new DeleteMessageCommand({ QueueUrl: urls.dead, ReceiptHandle: letter.receipt }))
      }),
  }
}

async function findUrls(sqs: SQSClient, queue: string) {
  const { QueueUrl: main } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue }))
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: main, AttributeNames: ['RedrivePolicy'] }),
  )
  const policy = JSON.parse(Attributes?.['RedrivePolicy'] ?? '{}') as { deadLetterTargetArn?: string }
  const deadName = policy.deadLetterTargetArn?.split(':').at(-1)
  if (deadName === undefined)
    throw new Failure(`The queue has no dead-letter queue: give another with --queue: ${queue}`)
  const { QueueUrl: dead } = await sqs.send(new GetQueueUrlCommand({ QueueName: deadName }))
  return { main, dead, deadName }
}

async function receive(sqs: SQSClient, url: string | undefined, count: number): Promise<DeadLetter[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: count,
      VisibilityTimeout: HOLD_S,
      WaitTimeSeconds: WAIT_S,
      MessageSystemAttributeNames: ['SentTimestamp'],
      MessageAttributeNames: ['reason'],
    }),
  )
  return Messages.map(toLetter)
}

function toLetter(message: Message): DeadLetter {
  return {
    id: message.MessageId ?? '',
    body: message.Body ?? '',
    reason: message.MessageAttributes?.['reason']?.StringValue,
    sent: Number(message.Attributes?.['SentTimestamp'] ?? 0),
    receipt: message.ReceiptHandle ?? '',
  }
}
