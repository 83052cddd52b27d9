import { encode } from '@pesebre/coap/codec/message'
import t from 'tap'
import { createSqs } from './failing-sqs.ts'
import { startGateway } from './gateway-process.ts'
import { createUdpPeer } from './udp-peer.ts'
import { until } from './until.ts'

t.setTimeout(120_000)

const utf8 = new TextEncoder()

function report(messageId: number, state: object): Uint8Array {
  const path = ['feeder', 'bella'].map((segment) => ({ number: 11, value: utf8.encode(segment) }))
  const payload = utf8.encode(JSON.stringify(state))
  return encode({ type: 0, code: 2, messageId, token: new Uint8Array(0), options: path, payload })
}

t.test(
  'startGateway() and createSqs(): a report goes through, waits while the queue is away, and follows',
  async (t) => {
    const sqs = await createSqs()
    const gateway = await startGateway({ env: sqs.env })
    const peer = await createUdpPeer({ to: gateway.coapPort })
    t.teardown(() => Promise.all([peer.close(), sqs.stop()]))

    let id = 0
    const sent: number[] = []
    for (const outage of [undefined, 'refused', 'unavailable', 'forgetful', 'silent'] as const) {
      if (outage) await sqs.pause(outage)
      sent.push(++id)
      t.equal(
        (await peer.ask(report(id, { n: id })))[1],
        0x44,
        `2.04 while the queue is ${outage ?? 'there'}`,
      )
      if (outage === 'forgetful') await sqs.waitFor(id)
      await sqs.resume()
      // Not by their number: what a forgetful queue took comes once more.
      await until(
        `report ${id}`,
        () => sqs.received().some(({ state }) => state?.['n'] === id),
        () => sqs.received().map(({ state }) => state),
      )
    }
    const seen = sqs.received().map(({ state }) => state?.['n'])
    t.same([...new Set(seen)], sent, 'all, in order; after a lost answer once more')
    t.equal((await gateway.admin('/readyz')).status, 200)
    t.ok((await gateway.metrics())['pesebre_reports_kept_total']! >= 5)
    t.ok(gateway.rss() > 10_000_000)
    t.equal(await gateway.stop(), 0)
    t.notOk(gateway.alive())
  },
)

t.test('startGateway() rejects with the reason when the gateway cannot start', async (t) => {
  await t.rejects(startGateway({ env: { PESEBRE_WORKERS: 'many' } }), /PESEBRE_WORKERS/)
})
