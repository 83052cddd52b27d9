import { setTimeout as sleep } from 'node:timers/promises'
import type { Message } from '@aws-sdk/client-sqs'
import type { Context, SQSEvent } from 'aws-lambda'
import { failedIds, lambdaContext, type Source, sqsEvent } from './event.ts'
import type { Queue } from './sqs.ts'

/** How long one receive waits for a message. On AWS it is 20 s; here it is also how long stopping may take. */
const LONG_POLL_S = 1
/** Between two tries to reach a queue that is not there, milliseconds. */
const QUEUE_RETRY_MS = 500
/** Between two looks for more messages of one batch, milliseconds. */
const WINDOW_STEP_MS = 50
/** A message that failed comes again after 1, 2, 4 ... seconds. AWS waits for the visibility timeout; here somebody is watching. */
const RETURN_MAX_S = 20

export type Handler = (event: SQSEvent, context: Context) => unknown

export type PollerOptions = {
  readonly queue: Queue
  readonly handler: Handler
  readonly functionName: string
  readonly region: string
  readonly batchSize: number
  readonly windowMs: number
  readonly pollers: number
  readonly timeoutS: number
  readonly log: Record<'info' | 'warn' | 'error', (fields: object, event: string) => void>
}

/** What the poller has done, in messages; and why it is not ready, if it is not. */
export type PollerState = {
  invocations: number
  received: number
  deleted: number
  returned: number
  /** Undefined when polling. */
  problem: string | undefined
}

export type Poller = {
  readonly state: Readonly<PollerState>
  /**
   * Begins nothing more; resolves when the running invocations are done and their messages settled. A receive that is
   * out is waited for, and what it brings is given back: cut off, it might still take messages, and nobody would know.
   */
  stop(): Promise<void>
}

/**
 * Does what Lambda's event source mapping does for an SQS queue with ReportBatchItemFailures: receives batches, calls the
 * handler with each, deletes the messages that it did not name as failed, and lets the others come again.
 */
export function startPoller(options: PollerOptions): Poller {
  const { queue, log } = options
  const stopping = new AbortController()
  const state: PollerState = {
    invocations: 0,
    received: 0,
    deleted: 0,
    returned: 0,
    problem: 'Not connected yet',
  }
  const running = run()

  return {
    state,
    stop() {
      stopping.abort()
      return running
    },
  }

  async function run(): Promise<void> {
    const source = await findSource()
    if (source === undefined) return
    log.info({ queue: source.queueArn, pollers: options.pollers }, 'Polling')
    await Promise.all(Array.from({ length: options.pollers }, () => poll(source)))
  }

  /** Waits until the queue is there and its visibility timeout is one that AWS would accept. */
  async function findSource(): Promise<Source | undefined> {
    while (!stopping.signal.aborted) {
      try {
        const { arn, visibilityS } = await queue.attributes(stopping.signal)
        if (visibilityS >= options.timeoutS) {
          problemIs(undefined)
          return { queueArn: arn, region: options.region }
        }
        // CreateEventSourceMapping refuses this: a message would come again while the function still works on it.
        problemIs(`Visibility timeout of the queue is shorter than the function's timeout: ${visibilityS} s`)
      } catch (error) {
        problemIs(`Find queue: ${(error as Error).message}`)
      }
      await pause(QUEUE_RETRY_MS)
    }
    return undefined
  }

  async function poll(source: Source): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const messages = await gather()
        problemIs(undefined)
        if (stopping.signal.aborted) await giveBack(messages, () => 0)
        else if (messages.length > 0) await deliver(messages, source)
      } catch (error) {
        if (stopping.signal.aborted) return
        problemIs(`Poll queue: ${(error as Error).message}`)
        await pause(QUEUE_RETRY_MS)
      }
    }
  }

  async function gather(): Promise<Message[]> {
    const messages = await queue.receive(options.batchSize, LONG_POLL_S)
    const end = performance.now() + options.windowMs
    while (messages.length > 0 && messages.length < options.batchSize && !stopping.signal.aborted) {
      const more = await queue.receive(options.batchSize - messages.length, 0).catch(() => [])
      messages.push(...more)
      if (more.length > 0) continue
      if (performance.now() >= end) break
      await pause(WINDOW_STEP_MS)
    }
    state.received += messages.length
    return messages
  }

  async function deliver(messages: Message[], source: Source): Promise<void> {
    const failed = await invoke(messages, source)
    const isFailed = ({ MessageId }: Message) => failed.has(MessageId ?? '')
    const done = messages.filter((message) => !isFailed(message))
    await queue.delete(done.map(({ ReceiptHandle }) => ReceiptHandle ?? ''))
    state.deleted += done.length
    await giveBack(messages.filter(isFailed), returnAfter)
  }

  async function giveBack(messages: Message[], afterS: (message: Message) => number): Promise<void> {
    await queue.hide(
      messages.map((message) => ({ receiptHandle: message.ReceiptHandle ?? '', seconds: afterS(message) })),
    )
    state.returned += messages.length
  }

  /** Calls the handler; resolves to the ids of the messages that failed. One that throws or is late has failed for all. */
  async function invoke(messages: Message[], source: Source): Promise<ReadonlySet<string>> {
    const ids = new Set(messages.map(({ MessageId }) => MessageId ?? ''))
    const end = performance.now() + options.timeoutS * 1000
    const late = new AbortController()
    state.invocations++
    try {
      const context = lambdaContext(options.functionName, source, () => end - performance.now())
      const answer = await Promise.race([
        Promise.resolve(options.handler(sqsEvent(messages, source), context)),
        sleep(options.timeoutS * 1000, undefined, { signal: late.signal }).then(() => {
          throw new Error(`Task timed out after ${options.timeoutS} seconds`)
        }),
      ])
      return failedIds(answer, ids)
    } catch (err) {
      log.error({ err, messages: ids.size }, 'Invocation failed')
      return ids
    } finally {
      late.abort()
    }
  }

  function problemIs(problem: string | undefined): void {
    if (problem === state.problem) return
    if (problem !== undefined) log.warn({ problem }, 'Not polling')
    else if (state.problem !== 'Not connected yet') log.info({}, 'Polling again')
    state.problem = problem
  }

  async function pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: stopping.signal }).catch(() => {})
  }
}

function returnAfter(message: Message): number {
  const receives = Number(message.Attributes?.ApproximateReceiveCount ?? 1)
  return Math.min(RETURN_MAX_S, 2 ** Math.min(10, receives - 1))
}
