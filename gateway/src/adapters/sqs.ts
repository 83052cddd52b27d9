import { SendMessageBatchCommand, type SendMessageBatchCommandInput, SQSClient } from '@aws-sdk/client-sqs'
import type { Refusal } from '../forwarder.ts'
import { payloadMax, sendBatchPayload } from './sqs-payload.ts'

export type Queue = {
  sendBatch: (bodies: Buffer[]) => Promise<Refusal[]>
  close: () => void
}

/** The one queue that the gateway sends to. Retries are the forwarder's, so the client makes none of its own. */
export function openQueue(queueUrl: string): Queue {
  const client = new SQSClient({
    // Otherwise the client sends to the host in the queue's URL, whatever AWS_ENDPOINT_URL_SQS says.
    useQueueUrlAsEndpoint: false,
    // TLS protects the bodies on their way; hashing them all twice more would cost a tenth of the forwarder's time.
    md5: false,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 3000, requestTimeout: 10_000, throwOnRequestTimeout: true },
  })

  // The client's own serializer goes through a body letter by letter, three times the work of everything else that the
  // forwarder does. So the payload is made here, and put in the place of the client's before it is signed.
  const payloads = new WeakMap<object, Buffer>()
  client.middlewareStack.add(
    (next) => (args) => {
      const payload = payloads.get(args.input)
      if (payload) (args.request as { body: unknown }).body = payload
      return next(args)
    },
    { step: 'build', priority: 'high' },
  )

  // Used again from call to call: fresh memory of this size costs more, page by page, than filling it.
  const free: Buffer[] = []

  async function sendBatch(bodies: Buffer[]): Promise<Refusal[]> {
    const most = payloadMax(queueUrl, bodies)
    const last = free.pop()
    const memory = last && last.length >= most ? last : Buffer.allocUnsafeSlow(most)
    const input: SendMessageBatchCommandInput = { QueueUrl: queueUrl, Entries: [] }
    payloads.set(input, sendBatchPayload(queueUrl, bodies, memory))
    const { Failed = [] } = await client.send(new SendMessageBatchCommand(input))
    // Not after a failure: parts of it may still be on their way out.
    free.push(memory)
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
