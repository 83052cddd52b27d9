import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { OPTION } from '@pesebre/coap/codec/options'
import { protectRequest, verifyResponse } from '@pesebre/coap/oscore/client'
import { challengeOf, Recovery } from '@pesebre/coap/oscore/recovery'
import { protectChallenge } from '@pesebre/coap/oscore/server'
import t from 'tap'
import { bytes, fields, hex, outcome, pairOf, path, sendOf, sendWith, verify } from './harness.ts'

const echo = bytes('a0a1a2a3a4a5a6a7')
const uplink = fields(METHOD.POST, path('u'), 'body')
const echoed = (value: Uint8Array) => ({ ...uplink, options: [...path('u'), { number: OPTION.ECHO, value }] })

t.test(
  'Recovery: the first request after a loss gets 4.01 and Echo under our own Partial IV, the second is taken',
  (t) => {
    const pair = pairOf()
    const recovery = new Recovery(echo)
    const recipient = { ...pair.recipient, replayWindow: recovery }
    const first = sendOf(pair, uplink)
    const verification = verify(first.request, recipient)
    t.equal(verification.kind, 'unproven')
    if (verification.kind !== 'unproven') return t.end()
    t.notOk('nonce' in verification, 'there is no way to answer under the nonce of the request')
    t.notOk('request' in verification, 'nor anything to act on')
    const challenge = protectChallenge(recovery.echo, verification.binding, pair.serverSequence)
    if (!challenge.ok) throw new Error(challenge.reason)
    t.equal(hex(challenge.response.options[0]?.value), '0100', 'the Partial IV is sent')
    const answer = verifyResponse(challenge.response, first.sent)
    t.same(answer.ok && answer.response, fields(CODE.UNAUTHORIZED, [{ number: OPTION.ECHO, value: echo }]))
    const value = answer.ok ? challengeOf(answer.response) : undefined
    t.equal(hex(value), hex(echo))
    t.equal(recovery.window, undefined)
    const second = verify(sendOf(pair, echoed(value!)).request, recipient)
    t.equal(second.kind, 'verified')
    t.equal(recovery.window?.highest, 1)
    return t.end()
  },
)

t.test('Recovery takes nothing that is older than what proved to be fresh', (t) => {
  const pair = pairOf()
  const recovery = new Recovery(echo)
  const recipient = { ...pair.recipient, replayWindow: recovery }
  const told = (number: number, request = uplink) =>
    outcome(verify(sendWith(pair, number, request), recipient))
  t.equal(told(50), 'unproven')
  t.equal(told(50), 'unproven', 'a replay is answered with the same value, and proves nothing')
  t.equal(told(40, echoed(bytes('a0a1a2a3a4a5a6a8'))), 'unproven', 'a value of an earlier loss')
  t.equal(told(40, echoed(bytes('a0'))), 'unproven')
  t.equal(told(60, echoed(echo)), 'verified')
  t.same(
    [60, 59, 50, 0].map((number) => told(number)),
    ['replayed', 'replayed', 'replayed', 'replayed'],
  )
  t.equal(told(59, echoed(echo)), 'replayed', 'with the value, but late')
  t.same(
    [62, 61, 61].map((number) => told(number)),
    ['verified', 'verified', 'replayed'],
  )
  t.end()
})

t.test('Recovery looks at the Echo inside only', (t) => {
  const pair = pairOf()
  const recipient = { ...pair.recipient, replayWindow: new Recovery(echo) }
  const { request } = sendOf(pair, uplink)
  const options = [...request.options, { number: OPTION.ECHO, value: echo }]
  t.equal(outcome(verify({ ...request, options }, recipient)), 'unproven')
  t.end()
})

t.test('Recovery is not moved by a forgery', (t) => {
  const pair = pairOf()
  const recovery = new Recovery(echo)
  const { request } = sendOf(pair, echoed(echo))
  const payload = request.payload.map((byte, at) => (at === 3 ? byte ^ 1 : byte))
  t.equal(
    outcome(verify({ ...request, payload }, { ...pair.recipient, replayWindow: recovery })),
    'decryption-failed',
  )
  t.equal(recovery.window, undefined)
  t.end()
})

t.test('protectChallenge() needs a number of our own', (t) => {
  const pair = pairOf()
  const verification = verify(sendOf(pair, uplink).request, {
    ...pair.recipient,
    replayWindow: new Recovery(echo),
  })
  if (verification.kind !== 'unproven') throw new Error(verification.kind)
  pair.serverSequence.reserve(2 ** 40)
  const challenge = () => protectChallenge(echo, verification.binding, pair.serverSequence)
  const numbers = [challenge(), challenge()].map((result) => result.ok && result.partialIv)
  t.same(numbers, [0, 1])
  t.end()
})

t.test('challengeOf() finds Echo in a 4.01 only', (t) => {
  const options = [{ number: OPTION.ECHO, value: echo }]
  t.equal(hex(challengeOf(fields(CODE.UNAUTHORIZED, options))), hex(echo))
  t.equal(challengeOf(fields(CODE.CONTENT, options)), undefined)
  t.equal(challengeOf(fields(CODE.UNAUTHORIZED)), undefined)
  t.end()
})

t.test('Recovery refuses values that are too short to be fresh, and what no Echo option can hold', (t) => {
  for (const length of [0, 7, 41])
    t.throws(() => new Recovery(new Uint8Array(length)), RangeError, `${length}`)
  t.throws(() => new Recovery(echo, 65), RangeError, 'a width that no window can have')
  t.doesNotThrow(() => new Recovery(new Uint8Array(40), 128))
  t.end()
})

t.test('protectRequest() with Echo is a new request under a new number', (t) => {
  const { client: context, sequence } = pairOf()
  const first = protectRequest(uplink, { context, sequence })
  const second = protectRequest(echoed(echo), { context, sequence })
  t.same([first.ok && first.sent.partialIv, second.ok && second.sent.partialIv], [0, 1])
  t.end()
})
