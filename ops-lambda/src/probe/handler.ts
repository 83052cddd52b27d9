import {
  GetThingShadowCommand,
  IoTDataPlaneClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-iot-data-plane'
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { nodeCrypto } from '@pesebre/coap/node-crypto'
import type { DeviceIdentity } from '@pesebre/contract/identity'
import { readProbeConfig } from '../config.ts'
import { checkIn } from './check-in.ts'
import { exchangeWith } from './udp.ts'

/** A gateway, as the schedule names it. */
export type ProbeEvent = { readonly id: string; readonly host: string; readonly port: number }

const SHADOW_PATIENCE_MS = 30_000
const SHADOW_PAUSE_MS = 500

const config = readProbeConfig(process.env)
const store = new SSMClient({ region: config.region })
const iot = new IoTDataPlaneClient({ region: config.region, endpoint: config.iotEndpoint })
const identities = new Map<string, DeviceIdentity>()

/**
 * What the schedule calls: a check-in with one gateway, and whether the report comes out in its shadow. The result is a metric,
 * `ProbeOk` with 1 or 0, in the log (CloudWatch embedded metric format), and beside it why not.
 */
export async function handler({ id, host, port }: ProbeEvent): Promise<{ ok: boolean; broken?: string }> {
  const began = Date.now()
  let broken: string | undefined
  let answerMs = 0
  try {
    const identity = await identityOf(id)
    const seq = await checkIn({
      identity,
      gateway: id,
      now: began,
      crypto: nodeCrypto,
      exchange: exchangeWith(host, port),
    })
    answerMs = Date.now() - began
    await inShadow(identity.thing, seq)
  } catch (error) {
    broken = (error as Error).message
  }
  const ok = broken === undefined
  report({ gateway: id, ok, answerMs, wholeMs: Date.now() - began, broken })
  return ok ? { ok } : { ok, broken: broken! }
}

async function identityOf(id: string): Promise<DeviceIdentity> {
  const known = identities.get(id)
  if (known !== undefined) return known
  const command = new GetParameterCommand({ Name: `${config.parameter}/${id}`, WithDecryption: true })
  const { Parameter } = await store.send(command)
  const identity = JSON.parse(Parameter?.Value ?? '{}') as DeviceIdentity
  identities.set(id, identity)
  return identity
}

/** Resolves when the shadow shows this report, or a newer one. Throws when it does not in time. */
async function inShadow(thing: string, seq: number): Promise<void> {
  const until = Date.now() + SHADOW_PATIENCE_MS
  while (Date.now() < until) {
    if ((await shownSeq(thing)) >= seq) return
    await new Promise((resolve) => setTimeout(resolve, SHADOW_PAUSE_MS))
  }
  throw new Error(
    `The report was answered, and is not in its shadow after ${SHADOW_PATIENCE_MS / 1000} s: queue or bridge`,
  )
}

async function shownSeq(thing: string): Promise<number> {
  try {
    const { payload } = await iot.send(new GetThingShadowCommand({ thingName: thing }))
    const document = JSON.parse(new TextDecoder().decode(payload)) as {
      state?: { reported?: { link?: { seq?: unknown } } }
    }
    const seq = document.state?.reported?.link?.seq
    return typeof seq === 'number' ? seq : -1
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return -1
    throw error
  }
}

type Result = { gateway: string; ok: boolean; answerMs: number; wholeMs: number; broken: string | undefined }

/** CloudWatch embedded metric format, specification 0.0.1: the log line is the metric. */
function report({ gateway, ok, answerMs, wholeMs, broken }: Result): void {
  const metrics = [{ Name: 'ProbeOk' }]
  const aws = {
    Timestamp: Date.now(),
    CloudWatchMetrics: [
      { Namespace: 'Pesebre', Dimensions: [['Installation', 'Gateway']], Metrics: metrics },
    ],
  }
  const facts = { answer_ms: answerMs, whole_ms: wholeMs, ...(broken !== undefined && { broken }) }
  const line = {
    _aws: aws,
    Installation: config.installation,
    Gateway: gateway,
    ProbeOk: ok ? 1 : 0,
    ...facts,
  }
  console.log(JSON.stringify(line))
}
