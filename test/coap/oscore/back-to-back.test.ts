import { blockBytes, blockOf } from '@pesebre/coap/codec/block'
import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { decode, type Message, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { readUint } from '@pesebre/coap/codec/uint'
import { protectRequest, verifyResponse } from '@pesebre/coap/oscore/client'
import type { MessageFields } from '@pesebre/coap/oscore/plaintext'
import { challengeOf, Recovery } from '@pesebre/coap/oscore/recovery'
import type { ReplayProtection } from '@pesebre/coap/oscore/replay-window'
import { SenderSequence } from '@pesebre/coap/oscore/sender-sequence'
import type { SentRequest } from '@pesebre/coap/oscore/sent-request'
import {
  protectChallenge,
  protectResponse,
  protectResponseWithPartialIv,
  type RequestBinding,
  verifyRequest,
} from '@pesebre/coap/oscore/server'
import t from 'tap'
import { bytes, datagram, fields, type Pair, pairOf, path, uint } from './harness.ts'

/** A client and a server of ours that exchange datagrams, with nothing but the codec between. */

type Application = (request: MessageFields, binding: RequestBinding) => MessageFields

class Server {
  readonly pair: Pair
  replayWindow: ReplayProtection
  readonly #application: Application
  handled = 0

  constructor(pair: Pair, application: Application) {
    this.pair = pair
    this.replayWindow = pair.recipient.replayWindow
    this.#application = application
  }

  receive(data: Uint8Array): Uint8Array {
    const message = messageOf(data)
    const recipient = { context: this.pair.server, replayWindow: this.replayWindow }
    const verification = verifyRequest(message, () => recipient)
    return datagram({ ...message, type: TYPE.ACK }, this.#answer(verification))
  }

  #answer(verification: ReturnType<typeof verifyRequest>): MessageFields {
    if (verification.kind === 'refused') return verification.refusal.response
    if (verification.kind === 'unproven') {
      const { echo } = this.replayWindow as Recovery
      const challenge = protectChallenge(echo, verification.binding, this.pair.serverSequence)
      if (!challenge.ok) throw new Error(challenge.reason)
      return challenge.response
    }
    this.handled++
    return protectResponse(this.#application(verification.request, verification.binding), verification.nonce)
  }

  notify(header: Message, binding: RequestBinding, response: MessageFields): Uint8Array {
    const result = protectResponseWithPartialIv(response, binding, this.pair.serverSequence)
    if (!result.ok) throw new Error(result.reason)
    return datagram(header, result.response)
  }
}

function messageOf(data: Uint8Array): Message {
  const decoded = decode(data)
  if (!decoded.ok) throw new Error(`Failed to decode: ${decoded.reason}`)
  return decoded.message
}

function ask(
  { client: context, sequence }: Pair,
  request: MessageFields,
): { data: Uint8Array; sent: SentRequest } {
  const result = protectRequest(request, { context, sequence })
  if (!result.ok) throw new Error(result.reason)
  const header = { type: TYPE.CON, messageId: sequence.next & 0xffff, token: bytes('ab'), ...request }
  return { data: datagram(header, result.request), sent: result.sent }
}

function answered(data: Uint8Array, sent: SentRequest): MessageFields {
  const result = verifyResponse(messageOf(data), sent)
  if (!result.ok) throw new Error(`Failed to verify a response: ${result.reason}`)
  return result.response
}

t.test('A check-in of 31 bytes of body is 61 bytes of CoAP, and its empty answer 16', (t) => {
  const pair = { ...pairOf(), sequence: new SenderSequence(1_000_000, 1_000_001) }
  const server = new Server(pair, () => fields(CODE.CHANGED))
  const { data, sent } = ask(
    pair,
    fields(METHOD.POST, [...path('u'), uint(OPTION.CONTENT_FORMAT, 60)], 'x'.repeat(31)),
  )
  t.equal(data.length, 61)
  const answer = server.receive(data)
  t.equal(answer.length, 16)
  t.same(answered(answer, sent), fields(CODE.CHANGED))
  t.end()
})

t.test('A body goes block by block inside', (t) => {
  const body = Uint8Array.from({ length: 150 }, (_, at) => at)
  const taken: number[] = []
  const server = new Server(pairOf(), ({ options, payload }) => {
    taken.push(...payload)
    const block1 = options.find(({ number }) => number === OPTION.BLOCK1)!
    const { more } = blockOf(readUint(block1.value, 0, block1.value.length))
    return fields(more ? CODE.CONTINUE : CODE.CHANGED, [block1])
  })
  for (let num = 0; num * 64 < body.length; num++) {
    const more = (num + 1) * 64 < body.length
    const block1 = { number: OPTION.BLOCK1, value: blockBytes({ num, more, szx: 2 }) }
    const payload = body.subarray(num * 64, (num + 1) * 64)
    const { data, sent } = ask(server.pair, { code: METHOD.POST, options: [...path('u'), block1], payload })
    t.notOk(
      messageOf(data).options.some(({ number }) => number === OPTION.BLOCK1),
      'nobody sees that it is a block',
    )
    t.equal(answered(server.receive(data), sent).code, more ? CODE.CONTINUE : CODE.CHANGED)
  }
  t.same(taken, [...body])
  t.end()
})

t.test('An observation goes on under one request', (t) => {
  let binding: RequestBinding | undefined
  const state = (text: string) => fields(CODE.CONTENT, [uint(OPTION.OBSERVE, 9)], text)
  const server = new Server(pairOf(), (_, given) => {
    binding = given
    return state('one')
  })
  const { data, sent } = ask(server.pair, fields(METHOD.GET, [uint(OPTION.OBSERVE, 0), ...path('commands')]))
  const first = server.receive(data)
  const texts = [first]
  for (const text of ['two', 'three']) texts.push(server.notify(messageOf(first), binding!, state(text)))
  t.same(
    texts.map((data) => Buffer.from(answered(data, sent).payload).toString()),
    ['one', 'two', 'three'],
  )
  t.notOk(sent.isOver)
  const end = server.notify(messageOf(first), binding!, fields(CODE.NOT_FOUND))
  t.equal(answered(end, sent).code, CODE.NOT_FOUND)
  t.ok(sent.isOver)
  t.end()
})

t.test('A server that has lost its windows takes nothing old, and the device after one more message', (t) => {
  const server = new Server(pairOf(), () => fields(CODE.CHANGED))
  const uplink = fields(METHOD.POST, path('u'), 'body')
  const recorded = Array.from({ length: 5 }, () => ask(server.pair, uplink).data)
  for (const data of recorded) server.receive(data)
  t.equal(server.handled, 5)

  server.replayWindow = new Recovery(bytes('00112233445566778899'))
  for (const data of recorded) server.receive(data)
  t.equal(server.handled, 5, 'replays before the device has come back')

  const { data, sent } = ask(server.pair, uplink)
  const challenge = challengeOf(answered(server.receive(data), sent))
  t.equal(server.handled, 5)
  const again = ask(server.pair, {
    ...uplink,
    options: [...uplink.options, { number: OPTION.ECHO, value: challenge! }],
  })
  t.equal(answered(server.receive(again.data), again.sent).code, CODE.CHANGED)
  t.equal(server.handled, 6)

  for (const old of [...recorded, data, again.data]) server.receive(old)
  t.equal(server.handled, 6, 'replays after it')
  t.end()
})

t.test('A refusal comes unprotected, and the request may still get its answer', (t) => {
  const server = new Server(pairOf(), () => fields(CODE.CHANGED))
  const { data, sent } = ask(server.pair, fields(METHOD.POST, path('u'), 'body'))
  const answer = server.receive(data)
  const refusal = server.receive(data)
  t.equal(messageOf(refusal).code, CODE.UNAUTHORIZED)
  t.same(verifyResponse(messageOf(refusal), sent), { ok: false, reason: 'not-protected' })
  t.equal(answered(answer, sent).code, CODE.CHANGED)
  t.end()
})
