import { setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { IoTClient } from '@aws-sdk/client-iot'
import { IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import { SQSClient } from '@aws-sdk/client-sqs'
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { pino } from 'pino'
import { createThingTypeWith, createThingWith } from './adapters/iot.ts'
import { getControlWith, getShadowWith, updateControlWith, updateShadowWith } from './adapters/iot-data.ts'
import { sendToDlqWith } from './adapters/sqs.ts'
import { createBridge } from './bridge.ts'
import { readConfig } from './config.ts'

const config = readConfig(process.env)

/**
 * The bridge repeats calls by itself, within the time that an invocation has left: no retries by the SDK.
 * A connection that Lambda froze may be dead when it thaws; such a call must end soon.
 */
const clientOptions = {
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true },
}
const iot = new IoTClient(clientOptions)
const iotData = new IoTDataPlaneClient(clientOptions)
// The client would follow the host of the queue's URL instead of its endpoint.
const sqs = new SQSClient({ ...clientOptions, useQueueUrlAsEndpoint: false })

const bridge = createBridge(
  {
    getShadow: getShadowWith(iotData),
    updateShadow: updateShadowWith(iotData),
    getControl: getControlWith(iotData),
    updateControl: updateControlWith(iotData),
    createThing: createThingWith(iot),
    createThingType: createThingTypeWith(iot),
    sendToDlq: sendToDlqWith(sqs, config.dlqUrl),
    clock: { now: () => performance.now(), sleep, random: Math.random, signalIn },
    // Written at once: Lambda freezes the process as soon as the handler has answered.
    log: pino(
      { level: config.logLevel, base: { name: 'bridge' } },
      pino.destination({ dest: 1, sync: true }),
    ),
  },
  config,
)

/**
 * What AWS Lambda calls with messages of the queue. Answers with those that must come again (ReportBatchItemFailures
 * has to be set on the event source).
 */
export async function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const messages = event.Records.map(({ messageId, body }) => ({ id: messageId, body }))
  const failed = await bridge(messages, context.getRemainingTimeInMillis())
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) }
}

function signalIn(ms: number): AbortSignal {
  const signal = AbortSignal.timeout(Math.max(0, Math.floor(ms)))
  // Every call that is out listens to it: more than ten is no leak.
  setMaxListeners(0, signal)
  return signal
}
