/** Stands in for AWS Lambda with an SQS event source: loads a handler by its path, as the Lambda runtime does, and feeds it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { SQSClient } from '@aws-sdk/client-sqs'
import { pino } from 'pino'
import { readConfig } from './event-source/config.ts'
import { type Handler, startPoller } from './event-source/poller.ts'
import { serveReadiness } from './event-source/readiness.ts'
import { createQueue } from './event-source/sqs.ts'

/** How long running invocations may go on after SIGTERM, milliseconds. What they leave comes again. */
const STOP_MS = 2_500

const config = readConfig(process.env)
const log = pino(
  { level: config.logLevel, base: { name: 'lambda' } },
  pino.destination({ dest: 1, sync: true }),
)

const { handler }: { handler?: Handler } = await import(pathToFileURL(config.handler).href)
if (typeof handler !== 'function') throw new Error(`Load handler: no function "handler" in ${config.handler}`)

const region = process.env['AWS_REGION'] ?? 'us-east-1'
// The client would follow the host of the queue's URL instead of its endpoint.
const client = new SQSClient({
  region,
  useQueueUrlAsEndpoint: false,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000, throwOnRequestTimeout: true },
})
const poller = startPoller({
  ...config,
  queue: createQueue(client, config.queueUrl),
  handler,
  functionName: 'pesebre-bridge',
  region,
  log,
})
if (config.port !== undefined) {
  const { port } = await serveReadiness(config.port, poller.state)
  log.info({ readyz: `http://127.0.0.1:${port}/readyz` }, 'Readiness served')
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop())

async function stop(): Promise<never> {
  await Promise.race([poller.stop(), sleep(STOP_MS)])
  // Explicitly: kept-alive connections of the handler's clients would hold the process for seconds.
  process.exit(0)
}
