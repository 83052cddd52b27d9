import t from 'tap'
import { failedIds, lambdaContext, sqsEvent } from '../../../local/src/event-source/event.ts'

const source = { queueArn: 'arn:aws:sqs:us-east-1:000000000000:q', region: 'us-east-1' }

t.test('sqsEvent: the shape that Lambda documents', async (t) => {
  const event = sqsEvent(
    [
      {
        MessageId: 'm1',
        ReceiptHandle: 'r1',
        Body: 'hello',
        MD5OfBody: '5d41402abc4b2a76b9719d911017c592',
        Attributes: {
          ApproximateReceiveCount: '2',
          SentTimestamp: '1523232000000',
          SenderId: '123456789012',
          ApproximateFirstReceiveTimestamp: '1523232000001',
        },
        MessageAttributes: {
          reason: { DataType: 'String', StringValue: 'why' },
          raw: { DataType: 'Binary', BinaryValue: new Uint8Array([1, 2, 255]) },
        },
      },
    ],
    source,
  )
  t.strictSame(event, {
    Records: [
      {
        messageId: 'm1',
        receiptHandle: 'r1',
        body: 'hello',
        attributes: {
          ApproximateReceiveCount: '2',
          SentTimestamp: '1523232000000',
          SenderId: '123456789012',
          ApproximateFirstReceiveTimestamp: '1523232000001',
        },
        messageAttributes: {
          reason: { stringValue: 'why', stringListValues: [], binaryListValues: [], dataType: 'String' },
          raw: { binaryValue: 'AQL/', stringListValues: [], binaryListValues: [], dataType: 'Binary' },
        },
        md5OfBody: '5d41402abc4b2a76b9719d911017c592',
        eventSource: 'aws:sqs',
        eventSourceARN: source.queueArn,
        awsRegion: 'us-east-1',
      },
    ],
  })
})

t.test('lambdaContext: the time that is left, never below zero', async (t) => {
  let left = 12.7
  const context = lambdaContext('bridge', source, () => left)
  t.equal(context.getRemainingTimeInMillis(), 12)
  left = -5
  t.equal(context.getRemainingTimeInMillis(), 0)
  t.match(context, { functionName: 'bridge', functionVersion: '$LATEST', awsRequestId: /^[\da-f-]{36}$/ })
})

t.test('failedIds: what AWS takes for success, for a partial failure, and for none of both', async (t) => {
  const ids = new Set(['a', 'b'])
  const cases: [why: string, answer: unknown, failed: string[]][] = [
    ['nothing', undefined, []],
    ['null', null, []],
    ['an empty answer', {}, []],
    ['no list', { batchItemFailures: null }, []],
    ['an empty list', { batchItemFailures: [] }, []],
    ['one', { batchItemFailures: [{ itemIdentifier: 'b' }] }, ['b']],
    ['the same twice', { batchItemFailures: [{ itemIdentifier: 'b' }, { itemIdentifier: 'b' }] }, ['b']],
    ['all', { batchItemFailures: [{ itemIdentifier: 'b' }, { itemIdentifier: 'a' }] }, ['b', 'a']],
    ['an id of no message', { batchItemFailures: [{ itemIdentifier: 'x' }] }, ['a', 'b']],
    ['an empty id', { batchItemFailures: [{ itemIdentifier: '' }] }, ['a', 'b']],
    ['a null id', { batchItemFailures: [{ itemIdentifier: null }] }, ['a', 'b']],
    ['a wrong key', { batchItemFailures: [{ messageId: 'a' }] }, ['a', 'b']],
    ['a null item', { batchItemFailures: [null] }, ['a', 'b']],
    ['no object', 'done', ['a', 'b']],
    ['no list but something else', { batchItemFailures: 'a' }, ['a', 'b']],
  ]
  for (const [why, answer, failed] of cases) t.strictSame([...failedIds(answer, ids)], failed, why)
})
