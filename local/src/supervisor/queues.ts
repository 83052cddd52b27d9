import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { BUCKET, DEAD_LETTER_QUEUE, LOCAL_REGION, QUEUE } from '@pesebre/contract/local-stack'

/** Failed deliveries before SQS gives a message up. High: an outage of AWS IoT must not fill the dead-letter queue. */
const MAX_RECEIVE_COUNT = 50
/** How long a batch that the bridge took stays hidden, seconds. */
const VISIBILITY_S = 30
/** The longest that SQS keeps a message: 14 days, in seconds. */
const RETENTION_S = 1_209_600

export type QueueUrls = { readonly queue: string; readonly deadLetters: string }

/**
 * Makes the queue and its dead-letter queue if they are missing and sets their attributes, as Terraform does on AWS.
 * Doing it again changes nothing.
 */
export async function ensureQueues(endpoint: string): Promise<QueueUrls> {
  const sqs = new SQSClient({
    endpoint,
    region: LOCAL_REGION,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    // Otherwise the client follows the host in the queue's URL instead of the endpoint.
    useQueueUrlAsEndpoint: false,
  })
  try {
    const deadLetters = await ensure(sqs, DEAD_LETTER_QUEUE, { MessageRetentionPeriod: `${RETENTION_S}` })
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: deadLetters, AttributeNames: ['QueueArn'] }),
    )
    const queue = await ensure(sqs, QUEUE, {
      MessageRetentionPeriod: `${RETENTION_S}`,
      VisibilityTimeout: `${VISIBILITY_S}`,
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: Attributes?.['QueueArn'],
        maxReceiveCount: MAX_RECEIVE_COUNT,
      }),
    })
    return { queue, deadLetters }
  } finally {
    sqs.destroy()
  }
}

/** CreateQueue with other attributes than those of an existing queue is an error; without any it returns that queue. */
async function ensure(sqs: SQSClient, name: string, attributes: Record<string, string>): Promise<string> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }))
  if (QueueUrl === undefined) throw new Error(`Cannot make the queue: ${name}`)
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: attributes }))
  return QueueUrl
}

/** Makes the bucket if it is missing. */
export async function ensureBucket(endpoint: string): Promise<void> {
  const s3 = new S3Client({
    endpoint,
    region: LOCAL_REGION,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    forcePathStyle: true,
  })
  try {
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }))
  } catch (error) {
    const { name } = error as Error
    if (name !== 'BucketAlreadyOwnedByYou' && name !== 'BucketAlreadyExists') throw error
  } finally {
    s3.destroy()
  }
}
