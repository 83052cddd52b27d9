import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { queueNote, stuckNote } from '@pesebre/contract/hops'
import { type Look, lookAt } from './looks.ts'

/** Looks at a queue without touching its messages: how many nobody has taken, and how many were taken and not deleted. */
export type QueueDepth = (url: string) => Promise<{ waiting: number; inFlight: number }>

export type Queues = {
  /** The hops queue, bridge and dead-letters. */
  look(): Promise<Look[]>
}

/** A message that waits for so long is an alarm (design/operations.md), milliseconds. */
const STUCK_MS = 120_000

/**
 * SQS tells nobody how old its oldest message is, but by a metric of CloudWatch. It is no older than the last moment at which
 * the queue was seen empty: that is what is shown.
 */
export function watchQueues(
  { queue, deadLetters }: { queue: string | undefined; deadLetters: string | undefined },
  { depth, now }: { depth: QueueDepth; now: () => number },
): Queues {
  let emptyAt: number | undefined

  async function lookAtQueue(url: string): Promise<Look[]> {
    let state = { waiting: 0, inFlight: 0 }
    const look = await lookAt('queue', async () => {
      state = await depth(url)
      // The first look: what was before, nobody knows.
      if (state.waiting + state.inFlight === 0 || emptyAt === undefined) emptyAt = now()
      const age = now() - emptyAt
      return {
        note: queueNote(state.waiting),
        depth: state.waiting,
        age,
        state: age > STUCK_MS ? 'slow' : 'ok',
      }
    })
    if (look.state === 'broken')
      return [look, { hop: 'bridge', id: '', state: 'unknown', note: 'the queue cannot be asked' }]
    const stuck = stuckNote(state)
    const isStuck = stuck !== undefined && now() - (emptyAt ?? now()) > STUCK_MS
    const bridge: Look = {
      hop: 'bridge',
      id: '',
      state: isStuck ? 'broken' : 'ok',
      note: isStuck ? stuck : stuck === undefined ? 'nothing waits for it' : 'is at work',
    }
    return [look, bridge]
  }

  function lookAtDeadLetters(url: string): Promise<Look> {
    return lookAt('dead-letters', async () => {
      const { waiting } = await depth(url)
      if (waiting === 0) return { note: 'none', depth: 0 }
      return {
        state: 'slow',
        depth: waiting,
        note: `${waiting} messages could not be brought into a shadow: see npx pesebre dlq list`,
      }
    })
  }

  return {
    async look() {
      const looks = await Promise.all([
        queue === undefined ? [unset('queue'), unset('bridge')] : lookAtQueue(queue),
        deadLetters === undefined ? [unset('dead-letters')] : lookAtDeadLetters(deadLetters),
      ])
      return looks.flat()
    },
  }
}

function unset(hop: Look['hop']): Look {
  return { hop, id: '', state: 'unknown', note: 'not set up' }
}

/** Queues of SQS. */
export function openQueueDepth(): { depth: QueueDepth; close(): void } {
  const client = new SQSClient({
    // Or the client follows the host of the queue's address, also where an endpoint was set.
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 2000, requestTimeout: 3000, throwOnRequestTimeout: true },
  })
  return {
    depth: async (url) => {
      const { Attributes = {} } = await client.send(
        new GetQueueAttributesCommand({
          QueueUrl: url,
          AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
        }),
      )
      return {
        waiting: Number(Attributes['ApproximateNumberOfMessages'] ?? 0),
        inFlight: Number(Attributes['ApproximateNumberOfMessagesNotVisible'] ?? 0),
      }
    },
    close: () => client.destroy(),
  }
}
