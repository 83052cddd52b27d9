import fc from 'fast-check'
import t from 'tap'
import { payloadMax, sendBatchPayload } from '../../../gateway/src/adapters/sqs-payload.ts'

const QUEUE_URL = 'https://sqs.eu-west-1.amazonaws.com/123456789012/pesebre-reports'

t.test(
  'sendBatchPayload() is what JSON.stringify would make of the call, for every body of JSON',
  async (t) => {
    const bodies = fc.array(fc.json({ stringUnit: 'binary' }), { maxLength: 10 })
    const property = fc.property(bodies, (given) => {
      const bytes = given.map((body) => Buffer.from(body))
      const payload = sendBatchPayload(QUEUE_URL, bytes, Buffer.alloc(payloadMax(QUEUE_URL, bytes)))
      const input = {
        QueueUrl: QUEUE_URL,
        Entries: given.map((body, i) => ({ Id: String(i), MessageBody: body.toWellFormed() })),
      }
      return payload.toString() === JSON.stringify(input)
    })
    const { failed, counterexample } = fc.check(property)
    t.notOk(failed, JSON.stringify(counterexample))
  },
)
