import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { DescribeThingCommand, IoTClient } from '@aws-sdk/client-iot'
import { DeleteThingShadowCommand, IoTDataPlaneClient } from '@aws-sdk/client-iot-data-plane'
import t from 'tap'
import { startIot } from '../../../local/src/iot/start.ts'
import { letters, startSqs } from '../../fakes/sqs.ts'
import { until } from '../../fakes/until.ts'

t.setTimeout(120_000)

/** Queue -> poller -> bridge -> the local AWS IoT, each real; only the queue and AWS IoT stand in this process. */

const MAIN = fileURLToPath(new URL('../../../local/src/lambda-main.ts', import.meta.url))

const sqs = await startSqs()
const iot = await startIot({ dir: t.testdir(), restPort: 0, mqttPort: 0 })
const endpoint = `http://127.0.0.1:${iot.restPort}`
const options = { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } }
const [control, data] = [new IoTClient(options), new IoTDataPlaneClient(options)]
const poller = spawn(process.execPath, [MAIN], {
  env: {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
    AWS_ENDPOINT_URL_SQS: sqs.url,
    AWS_ENDPOINT_URL_IOT: endpoint,
    AWS_ENDPOINT_URL_IOT_DATA_PLANE: endpoint,
    PESEBRE_QUEUE_URL: sqs.queueUrl,
    PESEBRE_DLQ_URL: sqs.dlqUrl,
    PESEBRE_LOG_LEVEL: 'warn',
  },
  stdio: ['ignore', 'inherit', 'inherit'],
})
t.teardown(async () => {
  poller.kill('SIGKILL')
  control.destroy()
  data.destroy()
  await Promise.all([sqs.close(), iot.close()])
})

function batch(...records: object[]): string {
  return JSON.stringify({ v: 1, gateway: 'a', batch: '01JD0000000000000000000000', records })
}

function record(thing: string, seq: number, state: object, more: object = {}): object {
  return {
    thing,
    type: 'feeder',
    seq,
    at: 1_790_000_000_000 + seq,
    received: 1_790_000_000_000 + seq,
    state,
    ...more,
  }
}

async function reported(thing: string, seq: number): Promise<Record<string, unknown>> {
  let document: { state?: { reported?: { link?: { seq: number } } } } = {}
  const look = async () => {
    const answer = await fetch(`${endpoint}/things/${thing}/shadow`)
    document = (await answer.json()) as typeof document
    return document.state?.reported?.link?.seq === seq && document.state.reported
  }
  return until(`report ${seq} of ${thing}`, look, () => document)
}

t.test('the local stack: a report makes type, thing and shadow', async (t) => {
  await sqs.send(
    batch(
      record(
        'bella',
        1,
        { hopper_pct: 62, nested: { a: 1, b: { c: [1, 2] } } },
        { link: { interval_s: 300 } },
      ),
    ),
  )
  t.strictSame(await reported('bella', 1), {
    hopper_pct: 62,
    nested: { a: 1, b: { c: [1, 2] } },
    link: { at: 1_790_000_000_001, seq: 1, gateway: 'a', interval_s: 300 },
  })
  const thing = await control.send(new DescribeThingCommand({ thingName: 'bella' }))
  t.equal(thing.thingTypeName, 'feeder')
})

t.test(
  'the local stack: values are replaced whole, keys are removed, late reports change nothing newer',
  async (t) => {
    await sqs.send(
      batch(
        record('bella', 3, { nested: { b: {} }, hopper_pct: null }),
        record('bella', 2, { hopper_pct: 1, door: 'open' }),
      ),
    )
    t.strictSame(await reported('bella', 3), {
      nested: { b: {} },
      door: 'open',
      link: { at: 1_790_000_000_003, seq: 3, gateway: 'a', older: { door: 2, hopper_pct: 3, nested: 3 } },
    })
  },
)

t.test('the local stack: poison alone goes to the dead-letter queue', async (t) => {
  await sqs.send(
    batch(
      record('luna', 1, { a: 1 }),
      record('luna', 2, { list: [null] }),
      { thing: 'luna' },
      record('luna', 3, { b: 1 }),
    ),
  )
  t.match(await reported('luna', 3), { a: 1, b: 1 })
  await letters(sqs, 2)
  const reasons = (await sqs.letters()).map(({ reason }) => reason).sort()
  t.match(reasons[0], /^Read record: /)
  t.match(reasons[1], /^Update shadow of luna: /)
})

t.test('the local stack: a deleted shadow begins anew', async (t) => {
  await data.send(new DeleteThingShadowCommand({ thingName: 'luna' }))
  await sqs.send(batch(record('luna', 4, { c: 1 })))
  t.strictSame(await reported('luna', 4), { c: 1, link: { at: 1_790_000_000_004, seq: 4, gateway: 'a' } })
})

t.test('the local stack: odd keys and numbers arrive as they were sent', async (t) => {
  const state = JSON.parse(
    '{"__proto__":{"x":1},"constructor":{"prototype":2},"toString":"x","n":[1e21,0.1,-1],"ü":"€"}',
  )
  await sqs.send(batch(record('odd', 1, state)))
  const { link, ...shown } = await reported('odd', 1)
  t.equal(JSON.stringify(shown, Object.keys(shown).sort()), JSON.stringify(state, Object.keys(state).sort()))
  t.ok(Object.hasOwn(shown, '__proto__'))
})
