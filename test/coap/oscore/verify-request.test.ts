import { METHOD } from '@pesebre/coap/codec/codes'
import { OPTION } from '@pesebre/coap/codec/options'
import { nodeCrypto } from '@pesebre/coap/node-crypto'
import { protectRequest } from '@pesebre/coap/oscore/client'
import { deriveSecurityContext } from '@pesebre/coap/oscore/context'
import type { CryptoPrimitives } from '@pesebre/coap/oscore/crypto'
import { encodeOscoreOption } from '@pesebre/coap/oscore/option'
import type { MessageFields } from '@pesebre/coap/oscore/plaintext'
import { ReplayWindow } from '@pesebre/coap/oscore/replay-window'
import { verifyRequest } from '@pesebre/coap/oscore/server'
import t from 'tap'
import {
  bytes,
  fields,
  hex,
  outcome,
  pairOf,
  path,
  randomOf,
  sendOf,
  sendWith,
  uint,
  verified,
  verify,
  withOscore,
} from './harness.ts'

const uplink = fields(METHOD.POST, [...path('u'), uint(OPTION.CONTENT_FORMAT, 60)], 'body')

t.test('verifyRequest() answers as section 8.2 asks, unprotected and small', (t) => {
  const pair = pairOf()
  const { request } = sendOf(pair, uplink)
  const damaged = { ...request, payload: request.payload.map((byte) => byte ^ 1) }
  const found = () => pair.recipient
  const none = () => undefined
  verify(request, pair.recipient)
  const cases: readonly [reason: string, answer: string, verification: ReturnType<typeof verify>][] = [
    ['not-protected', '4.01 ', verifyRequest(uplink, found)],
    ['cose-malformed', '4.02 Failed to decode COSE', verifyRequest(withOscore(request, bytes('ff')), found)],
    ['context-not-found', '4.01 Security context not found', verifyRequest(request, none)],
    ['replayed', '4.01 Replay detected', verifyRequest(request, found)],
    ['decryption-failed', '4.00 Decryption failed', verifyRequest(withOscore(damaged, numbered(1)), found)],
  ]
  for (const [reason, answer, verification] of cases) {
    t.equal(outcome(verification), reason)
    if (verification.kind !== 'refused') continue
    const { code, options, payload } = verification.refusal.response
    t.equal(`${code >> 5}.0${code & 31} ${Buffer.from(payload)}`, answer, reason)
    t.same(options, [{ number: OPTION.MAX_AGE, value: bytes('') }], 'no proxy keeps it')
  }
  t.end()
})

/** The OSCORE option of the device's request with a number. */
function numbered(partialIv: number): Uint8Array {
  return encodeOscoreOption({ partialIv, kid: bytes('1011121314') })
}

t.test('verifyRequest() refuses what is not enough for a request', (t) => {
  const pair = pairOf()
  const { request } = sendOf(pair, uplink)
  const oscore = request.options[0]!
  const cases: readonly [name: string, request: MessageFields, reason: string][] = [
    ['an empty option', withOscore(request, bytes('')), 'cose-malformed'],
    ['no kid', withOscore(request, bytes('0100')), 'cose-malformed'],
    ['no Partial IV', withOscore(request, bytes('081011121314')), 'cose-malformed'],
    ['two OSCORE options', { ...request, options: [oscore, oscore] }, 'cose-malformed'],
    ['no payload', { ...request, payload: bytes('') }, 'cose-malformed'],
    [
      'a payload of a tag alone',
      { ...request, payload: request.payload.subarray(0, 8) },
      'decryption-failed',
    ],
    ['a kid of 8 bytes', withOscore(request, bytes('09000102030405060708')), 'context-not-found'],
    [
      'another kid context',
      withOscore(
        request,
        encodeOscoreOption({ partialIv: 0, kidContext: bytes('99'), kid: bytes('1011121314') }),
      ),
      'context-not-found',
    ],
    [
      'an empty kid context',
      withOscore(
        request,
        encodeOscoreOption({ partialIv: 0, kidContext: bytes(''), kid: bytes('1011121314') }),
      ),
      'context-not-found',
    ],
    [
      'another kid',
      withOscore(request, encodeOscoreOption({ partialIv: 0, kid: bytes('1011121315') })),
      'decryption-failed',
    ],
    ['another Partial IV', withOscore(request, numbered(1)), 'decryption-failed'],
  ]
  for (const [name, changed, reason] of cases) t.equal(outcome(verify(changed, pair.recipient)), reason, name)
  t.equal(pair.recipient.replayWindow.highest, -1, 'and moves no window')
  t.equal(outcome(verify(request, pair.recipient)), 'verified')
  t.end()
})

t.test('verifyRequest() refuses every flipped bit and every truncation, and moves no window', (t) => {
  const pair = pairOf()
  const { request } = sendOf(pair, uplink)
  const value = request.options[0]!.value
  let refused = 0
  const refuse = (changed: MessageFields) => {
    if (outcome(verify(changed, pair.recipient)) !== 'verified') refused++
  }
  let tried = 0
  for (let bit = 0; bit < 8 * (value.length + request.payload.length); bit++) {
    const inOption = bit < 8 * value.length
    const data = (inOption ? value : request.payload).slice()
    data[(inOption ? bit : bit - 8 * value.length) >> 3]! ^= 1 << (bit & 7)
    refuse(inOption ? withOscore(request, data) : { ...request, payload: data })
    tried++
  }
  for (let length = 0; length < request.payload.length; length++, tried++)
    refuse({ ...request, payload: request.payload.subarray(0, length) })
  for (let length = 0; length < value.length; length++, tried++)
    refuse(withOscore(request, value.subarray(0, length)))
  t.equal(refused, tried)
  t.equal(pair.recipient.replayWindow.highest, -1)
  t.equal(outcome(verify(request, pair.recipient)), 'verified')
  t.end()
})

t.test('verifyRequest() takes what is late once, and burns no number for a forgery', (t) => {
  const pair = pairOf()
  const at = (number: number) => sendWith(pair, number, uplink)
  const forged = (number: number) => withOscore(at(0), numbered(number))
  const told = (...requests: readonly MessageFields[]) =>
    requests.map((request) => outcome(verify(request, pair.recipient)))
  t.same(told(at(5), at(3), at(5), at(4)), ['verified', 'verified', 'replayed', 'verified'])
  t.same(told(forged(2 ** 40 - 1), forged(6), at(6), at(2)), [
    'decryption-failed',
    'decryption-failed',
    'verified',
    'verified',
  ])
  t.same(told(at(1_000), at(936), at(937), at(6)), ['verified', 'replayed', 'verified', 'replayed'])
  t.same(told(at(2 ** 40 - 1), at(2 ** 40 - 1), at(2 ** 40 - 2)), ['verified', 'replayed', 'verified'])
  t.end()
})

t.test(
  'verifyRequest() does not decrypt what was seen, and believes the window when another was faster',
  (t) => {
    let opened = 0
    const open: CryptoPrimitives['open'] = (input) => {
      opened++
      return nodeCrypto.open(input)
    }
    const pair = pairOf({ ...nodeCrypto, open })
    const { request } = sendOf(pair, uplink)
    t.same([outcome(verify(request, pair.recipient)), opened], ['verified', 1])
    t.same([outcome(verify(request, pair.recipient)), opened], ['replayed', 1])
    const slower = {
      context: pair.server,
      replayWindow: { check: () => true, commit: () => 'replayed' as const },
    }
    t.same([outcome(verify(request, slower)), opened], ['replayed', 2])
    t.end()
  },
)

t.test('verifyRequest() serves the real device after ten thousand forgeries under its kid', (t) => {
  const pair = pairOf()
  const { request } = sendOf(pair, uplink)
  for (let i = 0; i < 10_000; i++) verify(withOscore(request, numbered(1 + i)), pair.recipient)
  t.equal(outcome(verify(request, pair.recipient)), 'verified')
  t.end()
})

t.test('verifyRequest() discards what anyone could have put outside, and keeps what is for proxies', (t) => {
  const pair = pairOf()
  const { request } = sendOf(pair, uplink)
  const evil = [
    ...path('other'),
    uint(OPTION.OBSERVE, 0),
    uint(OPTION.BLOCK1, 8),
    uint(OPTION.NO_RESPONSE, 26),
    uint(OPTION.MAX_AGE, 0),
    { number: OPTION.ECHO, value: bytes('aa') },
    { number: 65_001, value: bytes('aa') },
  ]
  const host = { number: OPTION.URI_HOST, value: bytes('61') }
  const received = { ...request, code: METHOD.DELETE, options: [host, ...evil, ...request.options] }
  t.same(verified(received, pair.recipient).request, { ...uplink, options: [host, ...uplink.options] })
  t.end()
})

t.test('verifyRequest() refuses what only the holder of the key can have made, but is no request', (t) => {
  const pair = pairOf()
  const made: readonly [name: string, plaintext: string][] = [
    ['a response', '45'],
    ['an empty message', '00'],
    ['a reserved code', 'e1'],
    ['an option past the end', '01b9'],
    ['a payload marker without payload', '01ff'],
    ['OSCORE inside OSCORE', '0190ff00'],
    ['33 options', `01${'00'.repeat(33)}`],
  ]
  let number = 0
  for (const [name, plaintext] of made) {
    const { request, sent } = sendOf(pair, uplink)
    const payload = pair.client.encrypt({ partialIv: number++, madeBy: 'sender' }, sent.aad, bytes(plaintext))
    t.equal(outcome(verify({ ...request, payload }, pair.recipient)), 'plaintext-malformed', name)
  }
  t.end()
})

t.test('verifyRequest() asks for the kid and kid context that came', (t) => {
  const pair = pairOf()
  const result = protectRequest(uplink, {
    context: pair.client,
    sequence: pair.sequence,
    sendsIdContext: true,
  })
  const asked: string[] = []
  verifyRequest(result.ok ? result.request : uplink, (kid, kidContext) => {
    asked.push(`${hex(kid)} ${hex(kidContext)}`)
    return undefined
  })
  t.same(asked, [`1011121314 ${hex(pair.client.idContext)}`])
  t.end()
})

t.test(
  'verifyRequest() refuses a device that speaks with the kid of another, and a message for another gateway',
  (t) => {
    const pair = pairOf()
    const derive = (secret: number, idContext: string) => ({
      context: deriveSecurityContext(
        {
          masterSecret: new Uint8Array(16).fill(secret),
          senderId: bytes('01'),
          recipientId: bytes('1011121314'),
          idContext: Buffer.from(idContext),
        },
        nodeCrypto,
      ),
      replayWindow: new ReplayWindow(),
    })
    const { request } = sendOf(pair, uplink)
    t.equal(outcome(verify(request, derive(8, 'gw-a'))), 'decryption-failed')
    t.equal(outcome(verify(request, derive(7, 'gw-b'))), 'decryption-failed')
    t.equal(outcome(verify(request, derive(7, 'gw-a'))), 'verified')
    t.end()
  },
)

t.test('verifyRequest() never throws', (t) => {
  const pair = pairOf()
  const draw = randomOf(8613)
  const random = () => draw(256)
  for (let i = 0; i < 3_000; i++) {
    const value = Uint8Array.from({ length: draw(14) }, random)
    const payload = Uint8Array.from({ length: draw(30) }, random)
    const { kind } = verify({ code: 2, options: [{ number: OPTION.OSCORE, value }], payload }, pair.recipient)
    if (kind !== 'refused') t.fail(`took ${hex(value)} ${hex(payload)}`)
  }
  t.equal(pair.recipient.replayWindow.highest, -1)
  t.end()
})
