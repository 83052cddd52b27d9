import { blockOf } from '@pesebre/coap/codec/block'
import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { encode, type Message, type Option, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import type { Endpoint } from '@pesebre/coap/endpoint/endpoint'
import type { Effect } from '@pesebre/coap/endpoint/types'
import t from 'tap'
import { endpointOf, hex, optionOf, peer, sent, told, uint } from '../harness.ts'

/** Answers a request of ours piggybacked. */
function answer(
  endpoint: Endpoint,
  { messageId, token }: Message,
  { code = CODE.CONTENT, options = [], size = 1, now = 0 }: Draft,
): readonly Effect[] {
  const payload = new Uint8Array(size).fill(0x61)
  return endpoint.receive(encode({ type: TYPE.ACK, code, messageId, token, options, payload }), peer, now)
}
type Draft = { code?: number; options?: Option[]; size?: number; now?: number }

function block2(message: Message): ReturnType<typeof blockOf> | undefined {
  const value = optionOf(message, OPTION.BLOCK2)
  return value === undefined ? undefined : blockOf(value)
}

t.test(
  'request(): a Block2 option of the caller is the size that all blocks are asked for in, once each',
  (t) => {
    const endpoint = endpointOf()
    const { effects } = endpoint.request({ peer, method: METHOD.GET, options: [uint(OPTION.BLOCK2, 2)] }, 0)
    const [first] = sent(effects)
    t.same(block2(first!), { num: 0, more: false, szx: 2 })
    const [second] = sent(answer(endpoint, first!, { options: [uint(OPTION.BLOCK2, 8 | 2)], size: 64 }))
    t.equal(second?.options.filter(({ number }) => number === OPTION.BLOCK2).length, 1)
    t.same(block2(second!), { num: 1, more: false, szx: 2 })
    t.same(told(answer(endpoint, second!, { options: [uint(OPTION.BLOCK2, 16 | 2)], size: 6 })), [
      'response 45',
    ])
    t.end()
  },
)

t.test('request(): goes on in smaller blocks than the server began with, where the first one ended', (t) => {
  const endpoint = endpointOf({ blockSizeMax: 256 })
  const [first] = sent(endpoint.request({ peer, method: METHOD.GET }, 0).effects)
  const [second] = sent(answer(endpoint, first!, { options: [uint(OPTION.BLOCK2, 8 | 6)], size: 1024 }))
  t.same(block2(second!), { num: 4, more: false, szx: 4 })
  const options = [uint(OPTION.BLOCK2, (4 << 4) | 4)]
  const [end] = answer(endpoint, second!, { options, size: 10 })
  t.equal(end?.kind === 'response' && end.response.payload.length, 1034)
  t.end()
})

t.test('an observation without news is registered again, with its token, after Max-Age and 100 s', (t) => {
  const endpoint = endpointOf()
  const { effects, call } = endpoint.request({ peer, method: METHOD.GET, path: ['t'], observe: true }, 0)
  const [first] = sent(effects)
  const options = [uint(OPTION.OBSERVE, 900), uint(OPTION.MAX_AGE, 5)]
  t.same(told(answer(endpoint, first!, { options, now: 1_000 })), ['response 45 more'])
  t.equal(endpoint.nextDeadline(), 106_000)
  t.same(sent(endpoint.advance(105_999)), [])
  const [again] = sent(endpoint.advance(106_000))
  t.equal(hex(again!.token), hex(first!.token))
  t.not(again?.messageId, first?.messageId)
  t.equal(optionOf(again!, OPTION.OBSERVE), 0)
  // A server that has started anew counts from the beginning.
  const renewed = answer(endpoint, again!, { options: [uint(OPTION.OBSERVE, 1)], now: 106_010 })
  t.same(told(renewed), ['response 45 more'])
  t.equal(endpoint.nextDeadline(), 106_010 + 60_000 + 100_000, 'Max-Age is 60 s where none is said')
  t.equal(optionOf(sent(endpoint.cancel(call, 107_000))[0]!, OPTION.OBSERVE), 1)
  t.end()
})

t.test('an observation that cannot be registered again fails; a Max-Age of years waits for a day', (t) => {
  const endpoint = endpointOf({ maxRetransmit: 0 })
  const [first] = sent(endpoint.request({ peer, method: METHOD.GET, observe: true }, 0).effects)
  answer(endpoint, first!, { options: [uint(OPTION.OBSERVE, 1), uint(OPTION.MAX_AGE, 0xffff_ffff)] })
  t.equal(endpoint.nextDeadline(), 24 * 3_600_000 + 100_000)
  endpoint.advance(endpoint.nextDeadline())
  t.same(told(endpoint.advance(endpoint.nextDeadline())), ['failure timeout'])
  t.equal(endpoint.sizes().calls, 0)
  t.equal(endpoint.nextDeadline(), Infinity)
  t.end()
})
