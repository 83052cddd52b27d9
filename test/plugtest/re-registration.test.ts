/** TD_COAP_OBS_04, the client's side: what takes Max-Age and MAX_LATENCY passes here on a clock that jumps. */
import { METHOD } from '@pesebre/coap/codec/codes'
import { decode, type Message } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { createEndpoint, type Endpoint } from '@pesebre/coap/endpoint/endpoint'
import type { Effect, Peer } from '@pesebre/coap/endpoint/types'
import t from 'tap'
import { createSite } from './site.ts'
import { hex } from './stage.ts'

const SERVER: Peer = { address: '192.0.2.1', port: 5683 }
const CLIENT: Peer = { address: '192.0.2.2', port: 40_000 }
const PERIOD_MS = 5_000

t.test(
  'TD_COAP_OBS_04: the client registers again, with its token, when the server has lost its observers',
  (t) => {
    const site = createSite({ separateMs: 0, periodS: PERIOD_MS / 1_000 })
    const client = createEndpoint({ seed: new Uint8Array(16).fill(1) })
    let server = serverOf(1)
    let now = 0
    const shown: { at: number; text: string }[] = []
    const asked: { at: number; message: Message }[] = []

    function serverOf(seed: number): Endpoint {
      return createEndpoint({ seed: new Uint8Array(16).fill(seed) })
    }

    function atClient(effects: readonly Effect[]): void {
      for (const effect of effects) {
        if (effect.kind === 'send') {
          const decoded = decode(effect.bytes)
          if (decoded.ok && decoded.message.code === METHOD.GET)
            asked.push({ at: now, message: decoded.message })
          atServer(server.receive(effect.bytes, CLIENT, now))
        } else if (effect.kind === 'response') {
          shown.push({ at: now, text: Buffer.from(effect.response.payload).toString() })
        }
      }
    }

    function atServer(effects: readonly Effect[]): void {
      for (const effect of effects) {
        if (effect.kind === 'send') atClient(client.receive(effect.bytes, SERVER, now))
        else if (effect.kind === 'request')
          atServer(server.respond(effect.exchange, site.answer(effect.request), now))
      }
    }

    function run(until: number): void {
      while (now < until) {
        const tick = (Math.floor(now / PERIOD_MS) + 1) * PERIOD_MS
        now = Math.min(tick, client.nextDeadline(), server.nextDeadline(), until)
        atClient(client.advance(now))
        atServer(server.advance(now))
        if (now !== tick) continue
        for (const { resource, response } of site.tick()) atServer(server.notify(resource, response, now))
      }
    }

    const { effects } = client.request(
      { peer: SERVER, method: METHOD.GET, path: ['obs'], observe: true },
      now,
    )
    atClient(effects)
    run(21_000)
    t.same(
      shown.map(({ text }) => text),
      ['State 0', 'State 1', 'State 2', 'State 3', 'State 4'],
    )
    server = serverOf(2)
    run(119_000)
    t.equal(shown.length, 5, 'no word from a server that was rebooted')
    t.equal(asked.length, 1)
    run(131_000)
    t.match(
      asked.map(({ at }) => at),
      [0, 20_000 + 5_000 + 100_000],
      'Max-Age and MAX_LATENCY after the last notification',
    )
    const [first, again] = asked
    t.equal(hex(again!.message.token), hex(first!.message.token))
    t.equal(again!.message.options.find(({ number }) => number === OPTION.OBSERVE)?.value.length, 0)
    t.same(
      shown.slice(5).map(({ text }) => text),
      ['State 24', 'State 25', 'State 26'],
      'and is told of changes again',
    )
    t.end()
  },
)

t.end()
