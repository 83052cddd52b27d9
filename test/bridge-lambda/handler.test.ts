import type { Context, SQSEvent } from 'aws-lambda'
import t from 'tap'
import { startIotHttp } from '../fakes/iot-http.ts'
import { startSqs } from '../fakes/sqs.ts'

/** The handler as Lambda loads it, with the real SDK clients over HTTP. */

const iot = await startIotHttp()
const sqs = await startSqs()
t.teardown(() => Promise.all([iot.close(), sqs.close()]))
Object.assign(process.env, {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_ENDPOINT_URL_IOT: iot.url,
  AWS_ENDPOINT_URL_IOT_DATA_PLANE: iot.url,
  AWS_ENDPOINT_URL_SQS: sqs.url,
  PESEBRE_DLQ_URL: sqs.dlqUrl,
  PESEBRE_LOG_LEVEL: 'silent',
})
const { handler } = await import('../../bridge-lambda/src/handler.ts')

t.beforeEach(() => {
  iot.fault = () => undefined
  iot.loseAnswer = () => false
})

function batch(...records: string[]): string {
  return `{"v":1,"gateway":"a","batch":"01JD0000000000000000000000","records":[${records.join(',')}]}`
}

function record(thing: string, seq: number, state: string, type = 'feeder'): string {
  return `{"thing":"${thing}","type":"${type}","seq":${seq},"at":${seq},"received":${seq},"state":${state}}`
}

/** Ids are m0, m1, ... */
async function handle(bodies: string[], remainingMs = 30_000): Promise<string[]> {
  const event = { Records: bodies.map((body, n) => ({ messageId: `m${n}`, body })) } as SQSEvent
  const { batchItemFailures } = await handler(event, {
    getRemainingTimeInMillis: () => remainingMs,
  } as Context)
  return batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)
}

t.test('handler: a report of a new device makes type, thing and shadow', async (t) => {
  t.strictSame(await handle([batch(record('bella', 1, '{"hopper_pct":62,"__proto__":{"x":1}}'))]), [])
  t.equal(iot.things.get('bella'), 'feeder')
  t.equal(
    JSON.stringify(iot.shadows.reported('bella')),
    '{"hopper_pct":62,"__proto__":{"x":1},"link":{"at":1,"seq":1,"gateway":"a"}}',
  )
  t.strictSame(iot.calls, [
    'GET /things/bella/shadow',
    'POST /thing-types/feeder',
    'POST /things/bella',
    'POST /things/bella/shadow',
    'GET /things/bella/shadow',
    'POST /things/bella/shadow',
  ])
  iot.calls.length = 0
  t.strictSame(await handle([batch(record('bella', 2, '{"hopper_pct":61}'))]), [])
  t.strictSame(iot.calls, ['POST /things/bella/shadow'])
})

t.test('handler: a thing that is there with another type keeps it', async (t) => {
  iot.things.set('old', 'waterer')
  t.strictSame(await handle([batch(record('old', 1, '{"a":1}'))]), [])
  t.equal(iot.things.get('old'), 'waterer')
  t.match(iot.shadows.reported('old'), { a: 1 })
})

t.test(
  'D5: poison in the middle of a batch goes to the dead-letter queue with its reason, and can be put back',
  async (t) => {
    const poison = record('d5-c', 1, '{"n":1e400, "n":1e400}')
    const refused = record('d5-d', 1, '{"list":[1,null]}')
    const bodies = [
      batch(record('d5-a', 1, '{"a":1}'), poison, refused, record('d5-b', 1, '{"b":1}')),
      '\ufffdtorn',
    ]
    t.strictSame(await handle(bodies), [])
    t.match(iot.shadows.reported('d5-a'), { a: 1 })
    t.match(iot.shadows.reported('d5-b'), { b: 1 })
    const letters = await sqs.letters()
    const byBody = new Map(letters.map(({ body, reason }) => [body, reason]))
    t.equal(byBody.get(batch(poison)), 'Read record: number out of range at /state/n')
    t.match(byBody.get(batch(refused)), /^Update shadow of d5-d: State contains an invalid node/)
    t.match(byBody.get('\ufffdtorn'), /^Read batch as JSON: /)
    t.equal(letters.length, 3)
    t.strictSame(
      await handle([batch(poison).replaceAll('1e400', '4'), batch(refused).replace('null', '2')]),
      [],
    )
    t.match(iot.shadows.reported('d5-c'), { n: 4 })
    t.match(iot.shadows.reported('d5-d'), { list: [1, 2] })
  },
)

t.test('handler: throttled, failing and cut off for a while, it gets through by itself', async (t) => {
  let n = 0
  const faults = [
    { status: 429, error: 'ThrottlingException' },
    'cut',
    { status: 503, error: 'ServiceUnavailableException' },
    undefined,
  ] as const
  iot.fault = () => faults[n++ % faults.length]
  t.strictSame(await handle([batch(record('stormy', 1, '{"a":1}', 'kind-2'))]), [])
  t.match(iot.shadows.reported('stormy'), { a: 1 })
  iot.fault = () => undefined
  iot.loseAnswer = () => n++ % 2 === 0
  t.strictSame(await handle([batch(record('stormy', 2, '{"a":2}'))]), [])
  t.match(iot.shadows.reported('stormy'), { a: 2, link: { seq: 2 } })
})

t.test('handler: an outage of one thing fails its messages only, within the time', async (t) => {
  iot.fault = (call) =>
    call.includes('/things/dark') ? { status: 500, error: 'InternalFailureException' } : undefined
  const started = performance.now()
  t.strictSame(
    await handle([batch(record('light', 1, '{}')), batch(record('dark', 1, '{}'), 'null')], 1_500),
    ['m1'],
  )
  t.ok(performance.now() - started < 1_500)
  t.equal((await sqs.letters()).length, 0)
})

t.test('handler: a call that never returns is given up in time', async (t) => {
  iot.shadows.hooks.onUpdate = () => new Promise(() => {})
  const started = performance.now()
  t.strictSame(await handle([batch(record('mute', 1, '{}'))], 1_000), ['m0'])
  t.ok(performance.now() - started < 1_000)
  delete iot.shadows.hooks.onUpdate
})
