import { setTimeout as sleep } from 'node:timers/promises'
import type { SQSEvent } from 'aws-lambda'
import t, { type Test } from 'tap'
import { type Handler, startPoller } from '../../../local/src/event-source/poller.ts'
import { createQueue } from '../../../local/src/event-source/sqs.ts'
import { letters, type Sqs, startSqs } from '../../fakes/sqs.ts'
import { until } from '../../fakes/until.ts'

t.setTimeout(120_000)

type Options = {
  batchSize?: number
  windowMs?: number
  pollers?: number
  timeoutS?: number
  queueUrl?: string
}

function poll(t: Test, sqs: Sqs, handler: Handler, options: Options = {}) {
  const events: string[] = []
  const log = (_fields: object, event: string) => void events.push(event)
  const poller = startPoller({
    queue: createQueue(sqs.client, options.queueUrl ?? sqs.queueUrl),
    handler,
    functionName: 'test',
    region: 'us-east-1',
    batchSize: 10,
    windowMs: 0,
    pollers: 1,
    timeoutS: 5,
    ...options,
    log: { info: log, warn: log, error: log },
  })
  t.teardown(() => poller.stop())
  return { ...poller, events }
}

async function start(t: Test, attributes?: Record<string, string>): Promise<Sqs> {
  const sqs = await startSqs(attributes)
  t.teardown(() => sqs.close())
  return sqs
}

t.test(
  'startPoller: deletes what was done, and lets only what failed come again, until it succeeds',
  async (t) => {
    const sqs = await start(t)
    const seen: string[] = []
    const receives: string[] = []
    const handler = async (event: SQSEvent) => {
      seen.push(...event.Records.map(({ body }) => body))
      const bad = event.Records.filter(
        ({ body, attributes }) => body === 'b' && attributes.ApproximateReceiveCount === '1',
      )
      receives.push(
        ...event.Records.map(({ body, attributes }) => `${body}${attributes.ApproximateReceiveCount}`),
      )
      return { batchItemFailures: bad.map(({ messageId }) => ({ itemIdentifier: messageId })) }
    }
    for (const body of ['a', 'b', 'c']) await sqs.send(body)
    const { state } = poll(t, sqs, handler)
    await until(
      '3 deleted',
      () => state.deleted === 3,
      () => state,
    )
    t.strictSame(seen.sort(), ['a', 'b', 'b', 'c'])
    t.ok(receives.includes('b2'))
    t.equal(state.returned, 1)
    t.equal(await sqs.count(sqs.queueUrl), 0)
  },
)

t.test(
  'startPoller: a handler that throws, or makes no sense, fails the whole batch; the queue gives up at its limit',
  async (t) => {
    const dlq = 'arn:aws:sqs:us-east-1:000000000000:pesebre-reports-dlq'
    const sqs = await start(t, {
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dlq, maxReceiveCount: 2 }),
    })
    let n = 0
    const { state, events } = poll(t, sqs, async () => {
      if (n++ === 0) throw new Error('Boom')
      return { batchItemFailures: [{ itemIdentifier: 'unknown' }] }
    })
    for (const body of ['a', 'b']) await sqs.send(body)
    await letters(sqs, 2)
    t.equal(state.deleted, 0)
    t.ok(events.includes('Invocation failed'))
  },
)

t.test('startPoller: gathers more than ten from several receives, within its window', async (t) => {
  const sqs = await start(t)
  for (let n = 0; n < 37; n++) await sqs.send(`${n}`)
  const sizes: number[] = []
  const { state } = poll(t, sqs, (event) => void sizes.push(event.Records.length), {
    batchSize: 25,
    windowMs: 100,
  })
  await until(
    '37 deleted',
    () => state.deleted === 37,
    () => state,
  )
  t.strictSame(sizes, [25, 12])
})

t.test('startPoller: as many invocations at once as there are pollers', async (t) => {
  const sqs = await start(t)
  let out = 0
  let most = 0
  const { state } = poll(
    t,
    sqs,
    async () => {
      most = Math.max(most, ++out)
      await until(
        '3 at once',
        () => most === 3,
        () => most,
      )
      out--
    },
    { batchSize: 1, pollers: 3 },
  )
  for (let n = 0; n < 6; n++) await sqs.send(`${n}`)
  await until(
    '6 deleted',
    () => state.deleted === 6,
    () => state,
  )
  t.equal(most, 3)
})

t.test('startPoller: a handler that takes too long has failed', async (t) => {
  const sqs = await start(t)
  let n = 0
  const { state, events } = poll(t, sqs, () => (n++ === 0 ? new Promise(() => {}) : undefined), {
    timeoutS: 1,
  })
  await sqs.send('slow')
  await until(
    '1 deleted',
    () => state.deleted === 1,
    () => state,
  )
  t.equal(state.returned, 1)
  t.ok(events.includes('Invocation failed'))
})

t.test(
  'startPoller: tells why it does not poll: no queue yet, or a visibility timeout that AWS would refuse',
  async (t) => {
    const sqs = await start(t, { VisibilityTimeout: '2' })
    const absent = poll(t, sqs, () => {}, { queueUrl: sqs.queueUrl.replace('pesebre-reports', 'later') })
    const refused = poll(t, sqs, () => {})
    await until(
      'problems of both',
      () => absent.state.problem !== 'Not connected yet' && refused.state.problem !== 'Not connected yet',
      () => [absent.state, refused.state],
    )
    t.match(absent.state.problem, /^Find queue: /)
    t.match(
      refused.state.problem,
      /Visibility timeout of the queue is shorter than the function's timeout: 2 s/,
    )
    await sqs.createQueue('later', { VisibilityTimeout: '30' })
    await until(
      'no problem',
      () => absent.state.problem === undefined,
      () => absent.state,
    )
  },
)

t.test('startPoller: stop waits for what runs, and takes nothing more', async (t) => {
  const sqs = await start(t)
  let finish = () => {}
  let isIn = false
  const { state, stop } = poll(t, sqs, async () => {
    isIn = true
    await new Promise<void>((resolve) => {
      finish = resolve
    })
  })
  await sqs.send('running')
  await until(
    'it is in the handler',
    () => isIn,
    () => isIn,
  )
  const stopped = stop()
  await sqs.send('too late')
  finish()
  await stopped
  t.equal(state.deleted, 1)
  t.equal(await sqs.count(sqs.queueUrl), 1)
})

t.test('startPoller: a message that comes while it stops is given back at once', async (t) => {
  const sqs = await start(t)
  const stopped = poll(t, sqs, () => t.fail('not to be handled'))
  await until(
    'no problem',
    () => stopped.state.problem === undefined,
    () => stopped.state,
  )
  await sleep(50)
  const stop = stopped.stop()
  await sqs.send('to be kept')
  await stop
  t.equal(stopped.state.returned, 1)
  const bodies: string[] = []
  const next = poll(t, sqs, (event) => void bodies.push(...event.Records.map(({ body }) => body)))
  await until(
    '1 deleted',
    () => next.state.deleted === 1,
    () => next.state,
  )
  t.strictSame(bodies, ['to be kept'])
})
