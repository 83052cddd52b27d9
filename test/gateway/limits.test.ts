import { formatCode } from '@pesebre/coap/codec/codes'
import { decode } from '@pesebre/coap/codec/message'
import t, { type Test } from 'tap'
import { createSqs } from '../fakes/failing-sqs.ts'
import { type GatewayProcess, startGateway } from '../fakes/gateway-process.ts'
import { until } from '../fakes/until.ts'
import { hex } from './app/fixtures.ts'
import { type Attack, ask, attack } from './attack.ts'

/** The real gateway with the limits that it has when nobody sets any: 10/s and 20 at once per device, 1000/s and 2000 per address. */
async function gatewayOf(
  t: Test,
  env: Record<string, string> = {},
): Promise<{ gateway: GatewayProcess; crowd: Attack }> {
  // There is no SQS here to wait for at the end.
  const gateway = await startGateway({ env: { PESEBRE_STOP_TIMEOUT_MS: '100', ...env } })
  t.teardown(gateway.stop)
  return { gateway, crowd: attack(gateway) }
}

const BODY = '{"a":1}'
const UNLIMITED_ADDRESS = { PESEBRE_ADDRESS_RATE: '1e9', PESEBRE_ADDRESS_BURST: '1000000000' }
const UNLIMITED_DEVICE = { PESEBRE_DEVICE_RATE: '1e9', PESEBRE_DEVICE_BURST: '1000000000' }

function codeOf(bytes: Uint8Array): string {
  return formatCode(bytes[1]!)
}

/** Max-Age of an answer, seconds; undefined without one. */
function maxAgeOf(bytes: Buffer): number | undefined {
  const decoded = decode(bytes)
  const option = decoded.ok ? decoded.message.options.find(({ number }) => number === 14) : undefined
  return option && Number.parseInt(Buffer.from(option.value).toString('hex') || '0', 16)
}

t.setTimeout(120_000)

t.test('a device may report 20 times at once; then it is told to wait, and others are served', async (t) => {
  const sqs = await createSqs()
  t.teardown(sqs.stop)
  const { gateway, crowd } = await gatewayOf(t, sqs.env)
  const peer = await crowd.peer()
  // Under the same number and bytes nothing is a second report.
  const repeated = ask({ path: ['feeder', 'busy'], body: BODY })
  const answers = [await peer.ask(repeated)]
  for (let i = 0; i < 30; i++) await peer.ask(repeated)
  const began = performance.now()
  for (let i = 0; i < 60; i++)
    answers.push(await peer.ask(ask({ path: ['feeder', 'busy'], body: `{"a":${i}}` })))
  const most = 20 + 1 + (performance.now() - began) / 100
  const taken = answers.filter((answer) => codeOf(answer) === '2.04').length
  t.ok(taken >= 20 && taken <= most, `${taken} taken`)
  const refused = answers.filter((answer) => codeOf(answer) === '4.29')
  t.equal(refused.length, 61 - taken)
  const waits = [...new Set(refused.map(maxAgeOf))]
  t.ok(
    waits.every((seconds) => seconds === 1 || seconds === 2 || seconds === 3),
    `told to wait ${waits} s, since the queue is short`,
  )
  t.equal(codeOf(await peer.ask(ask({ path: ['feeder', 'calm'], body: BODY }))), '2.04', 'another device')
  let later = refused[0]!
  const isServed = async () => {
    later = await peer.ask(ask({ path: ['feeder', 'busy'], body: BODY }))
    return codeOf(later) === '2.04'
  }
  await until('served again', isServed, () => codeOf(later))
  t.pass('and then it is served again')
  const metrics = await gateway.metrics()
  t.ok(metrics['pesebre_refusals_total{reason="device_rate"}']! >= refused.length)
  await crowd.account(t)
})

t.test(
  'an address may send 2,000 at once; what is above gets silence, and other addresses are served',
  async (t) => {
    const { gateway, crowd } = await gatewayOf(t)
    const loud = await crowd.peer({ address: '127.0.0.9' })
    const calm = await crowd.peer({ address: '127.0.0.10' })
    const count = 6000
    const began = performance.now()
    // In batches, so that no datagram is lost in the kernel; a ping of the other address says that a batch was taken.
    for (let i = 0; i < count; i++) {
      await loud.send(Uint8Array.of(0x40, 0, i >> 8, i & 0xff))
      if (i % 200 === 199) await calm.provoke()
    }
    const most = 2000 + performance.now() - began + 1
    const refused = (await gateway.metrics())['pesebre_refusals_total{reason="address_rate"}']!
    const answered = count - refused
    await until(
      `${answered} answers`,
      () => loud.inbox.length >= answered,
      () => loud.inbox.length,
    )
    t.equal(loud.inbox.length, answered, 'the others got silence')
    t.ok(answered >= 2000 && answered <= most, `${answered} answered`)
    t.equal(codeOf(await calm.ask(ask({ path: ['feeder', 'calm'], body: BODY }))), '2.04', 'another address')
    await new Promise((resolve) => setTimeout(resolve, 100))
    loud.inbox.length = 0
    t.equal(
      codeOf(await loud.ask(ask({ path: ['feeder', 'loud'], body: BODY }))),
      '2.04',
      'and later it is served',
    )
    await crowd.account(t)
  },
)

t.test('10,000 failures from one address lock nobody out, not even in whose name they came', async (t) => {
  const { crowd } = await gatewayOf(t)
  const bad = await crowd.peer({ address: '127.0.0.66' })
  const watch = await crowd.peer({ address: '127.0.0.67' })
  for (let i = 0; i < 10_000; i++) {
    const kinds = [
      ask({ path: ['feeder', 'bella'], body: '{' }),
      ask({ path: ['feeder', 'bella'], body: hex('a1616101'), options: [[12, hex('2a')]] }),
      hex('4f020001'),
    ]
    await bad.send(kinds[i % kinds.length]!)
    if (i % 200 === 199) await watch.provoke()
  }
  const good = await crowd.peer({ address: '127.0.0.68' })
  t.equal(codeOf(await good.ask(ask({ path: ['feeder', 'bella'], body: BODY }))), '2.04')
  await crowd.account(t)
})

t.test(
  '10,000 failures from its own address lock a device out for no longer than the limit says',
  async (t) => {
    const { crowd } = await gatewayOf(t, UNLIMITED_ADDRESS)
    const peer = await crowd.peer()
    const datagram = () => ask({ path: ['feeder', 'bella'], body: '{' })
    const codes = await crowd.flood({ count: 10_000, peers: [peer], answered: true, datagram })
    t.strictSame([...codes], [[0x80, 10_000]])
    t.equal(codeOf(await peer.ask(ask({ path: ['feeder', 'bella'], body: BODY }))), '2.04')
    await crowd.account(t)
  },
)

t.test(
  'with the answer only after SQS: a request and its repeats wait, and one answer comes, piggybacked',
  async (t) => {
    const sqs = await createSqs()
    t.teardown(sqs.stop)
    const { crowd } = await gatewayOf(t, { ...sqs.env, PESEBRE_ACK_AFTER: 'queue' })
    await sqs.pause('unavailable')
    const peer = await crowd.peer()
    const bytes = ask({ path: ['feeder', 'waits'], token: hex('0a'), body: BODY })
    t.strictSame(
      await peer.provoke(bytes, bytes, bytes),
      [],
      'nothing of our own accord to an unproven address',
    )
    await sqs.resume()
    const answer = await peer.next()
    t.strictSame(
      answer,
      Buffer.from([0x61, 0x44, bytes[2]!, bytes[3]!, 0x0a]),
      'an ACK with 2.04 and the token',
    )
    t.strictSame(await peer.ask(bytes), answer, 'a late repeat gets the same bytes')
    t.equal((await sqs.waitFor(1)).length, 1, 'one effect')
    await crowd.account(t)
  },
)

t.test('with the answer only after SQS: no more requests wait than there is room for', async (t) => {
  const sqs = await createSqs()
  t.teardown(sqs.stop)
  const env = { ...UNLIMITED_ADDRESS, ...UNLIMITED_DEVICE, ...sqs.env, PESEBRE_ACK_AFTER: 'queue' }
  const { gateway, crowd } = await gatewayOf(t, env)
  await sqs.pause('unavailable')
  const peers = await Promise.all(Array.from({ length: 20 }, () => crowd.peer()))
  const room = 16_384
  const before = gateway.rss()
  const waiting = (i: number) =>
    ask({ type: 1, id: i, token: hex('0b'), path: ['feeder', `w-${i}`], body: BODY })
  await crowd.flood({ count: room, peers, answered: false, datagram: waiting })
  const more = (i: number) => ask({ id: i, token: hex('0c'), path: ['feeder', 'more'], body: BODY })
  const refused = await crowd.flood({ count: 1000, peers, answered: true, datagram: more })
  t.strictSame([...refused], [[0xa3, 1000]])
  const answer = await peers[0]!.ask(more(5000))
  t.ok(maxAgeOf(answer)! >= 6 && maxAgeOf(answer)! <= 10, `Max-Age ${maxAgeOf(answer)}`)
  t.ok(gateway.rss() - before < 100_000_000, 'memory is bounded')
  await sqs.resume()
  await sqs.waitFor(room)
  t.equal(
    codeOf(await peers[0]!.ask(ask({ token: hex('0d'), path: ['feeder', 'after'], body: BODY }))),
    '2.04',
  )
  await crowd.account(t)
})
