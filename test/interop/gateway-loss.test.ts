/** Lost and doubled datagrams between the real gateway and foreign clients: each report is taken, and taken once. */
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { updateTiming } from 'coap'
import t from 'tap'
import type { Arrived, Fate } from '../fakes/udp-proxy.ts'
import { npmCoapClient } from './clients/npm-coap.ts'
import { CLIENTS, startStage } from './gateway-stage.ts'

t.setTimeout(120_000)
// npm coap does not wait two seconds for an ACK then; libcoap's client and ours do.
updateTiming({ ackTimeout: 0.3 })
const { gateway, path, reports } = await startStage()

/** What happens to the nth datagram of either side of one client. */
type Weather = (from: Arrived['from'], nth: number) => Fate
const WEATHERS: Readonly<Record<string, Weather>> = {
  'lost-request': (from, nth) => (from === 'client' && nth === 0 ? 'lose' : 'pass'),
  'lost-answer': (from, nth) => (from === 'server' && nth === 0 ? 'lose' : 'pass'),
  'doubled-request': (from) => (from === 'client' ? 'double' : 'pass'),
  'doubled-answer': (from) => (from === 'server' ? 'double' : 'pass'),
}
const REPORT = { method: 'post', contentFormat: CONTENT_FORMAT.JSON } as const
/** Things of which one report should arrive. */
const expected: string[] = []

/** Every client gets its weather under a port of its own, so that all can go on at once. */
function brew(): void {
  const counts = new Map<string, number>()
  path.rule(({ from, client, bytes }) => {
    const key = `${from} ${client}`
    const nth = counts.get(key) ?? 0
    counts.set(key, nth + 1)
    const weather = weatherOf.get(client) ?? nameIn(bytes)
    if (weather !== undefined) weatherOf.set(client, weather)
    return weather === undefined ? 'pass' : WEATHERS[weather]!(from, nth)
  })
}
const weatherOf = new Map<number, string>()

/** The weather that the first request of a client names in its path. */
function nameIn(bytes: Buffer): string | undefined {
  return Object.keys(WEATHERS).find((name) => bytes.includes(name))
}

t.test('reports in one datagram and in blocks, with a loss or repetition on the way', async (t) => {
  brew()
  const asked = Object.entries(CLIENTS).flatMap(([name, { skip, open }]) =>
    Object.keys(WEATHERS).flatMap((weather) =>
      [undefined, 256].map(async (blockSize) => {
        const thing = `${name}-${weather}-${blockSize ?? 'whole'}`
        if (skip !== false) return { thing, code: undefined, isSkipped: true }
        const client = await open()
        try {
          const { code = '2.04' } = await client.ask(path.port, {
            ...REPORT,
            path: `feeder/${thing}`,
            payload: JSON.stringify({ note: 'z'.repeat(700) }),
            ...(blockSize !== undefined && { blockSize }),
          })
          return { thing, code, isSkipped: false }
        } finally {
          await client.close()
        }
      }),
    ),
  )
  const answers = (await Promise.all(asked)).filter(({ isSkipped }) => !isSkipped)
  for (const { thing, code } of answers) {
    // npm coap takes a doubled 2.31 for the end of its upload; what it sent arrives all the same.
    const isDeceived = thing.startsWith('npm-doubled') && thing.endsWith('-256')
    if (!isDeceived) t.equal(code, '2.04', thing)
    expected.push(thing)
  }
  const lost = path.trace.filter(({ fate }) => fate === 'lose').length
  t.equal(lost, answers.filter(({ thing }) => thing.includes('lost')).length, 'the losses were real')
})

t.test('npm coap with retrySend: up to three losses of each request and two of each answer', async (t) => {
  const counts = new Map<string, number>()
  path.rule(({ from, bytes }) => {
    const messageId = bytes.readUInt16BE(2)
    const key = `${from} ${messageId}`
    const nth = counts.get(key) ?? 0
    counts.set(key, nth + 1)
    const losses = from === 'client' ? messageId % 4 : (messageId >> 2) % 3
    return nth < losses ? 'lose' : 'pass'
  })
  updateTiming({ ackTimeout: 0.05 })
  const client = npmCoapClient({ retrySend: 6 })
  t.teardown(() => client.close())
  const asked = Array.from({ length: 12 }, (_, n) =>
    client.ask(path.port, { ...REPORT, path: `feeder/npm-retry-${n}`, payload: '{"a":1}' }),
  )
  for (const { code } of await Promise.all(asked)) t.equal(code, '2.04')
  for (let n = 0; n < 12; n++) expected.push(`npm-retry-${n}`)
})

t.test('each report is in the queue, once', async (t) => {
  t.ok((await gateway.metrics())['pesebre_datagrams_total{outcome="repeat"}']! > 0, 'there were repeats')
  const found = await reports()
  t.same(found.map(({ thing }) => thing).toSorted(), expected.toSorted())
})

t.end()
