import { CODE, METHOD } from '@pesebre/coap/codec/codes'
import { encode, type Option, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { SECURITY_REASONS } from '@pesebre/coap/endpoint/outcomes'
import type { Effect } from '@pesebre/coap/endpoint/types'
import { aadOf } from '@pesebre/coap/oscore/aad'
import { encodeOscoreOption } from '@pesebre/coap/oscore/option'
import t from 'tap'
import { messageOf, peer, requested, sent, told, total } from '../endpoint/harness.ts'
import { bytes } from './harness.ts'
import { Device, gatewayOf, Keys, type Sent } from './secured.ts'

/** What is refused before anybody has proven that he has a key. */

/** The datagram with another value in its OSCORE option. */
function withOption({ data }: Sent, value: Uint8Array): Uint8Array {
  const message = messageOf(data)
  const options = message.options.map((option): Option => {
    return option.number === OPTION.OSCORE ? { ...option, value } : option
  })
  return encode({ ...message, options })
}

const KID = bytes('1000000000')
const value = (option: Parameters<typeof encodeOscoreOption>[0]): Uint8Array => encodeOscoreOption(option)

const CASES: readonly {
  name: string
  make: (device: Device) => Uint8Array
  reason: (typeof SECURITY_REASONS)[number]
  code: number
}[] = [
  {
    name: 'wrong tag',
    make: (device) => {
      const { data } = device.ask()
      data[data.length - 1]! ^= 0x80
      return data
    },
    reason: 'decryption-failed',
    code: CODE.BAD_REQUEST,
  },
  {
    name: 'wrong kid: that of another device',
    make: (device) => withOption(device.ask(), value({ kid: bytes('1000000001'), partialIv: 0 })),
    reason: 'decryption-failed',
    code: CODE.BAD_REQUEST,
  },
  {
    name: 'wrong kid: of nobody',
    make: (device) => withOption(device.ask(), value({ kid: bytes('10ffffffff'), partialIv: 0 })),
    reason: 'context-not-found',
    code: CODE.UNAUTHORIZED,
  },
  {
    name: 'wrong kid: longer than a nonce has room for',
    make: (device) => withOption(device.ask(), value({ kid: new Uint8Array(8), partialIv: 0 })),
    reason: 'context-not-found',
    code: CODE.UNAUTHORIZED,
  },
  {
    name: 'wrong kid context: that of another gateway',
    make: (device) =>
      withOption(device.ask(), value({ kid: KID, kidContext: Buffer.from('b'), partialIv: 0 })),
    reason: 'context-not-found',
    code: CODE.UNAUTHORIZED,
  },
  {
    name: 'wrong Partial IV',
    make: (device) => withOption(device.ask(), value({ kid: KID, partialIv: 1 })),
    reason: 'decryption-failed',
    code: CODE.BAD_REQUEST,
  },
  ...[
    ['truncated option: in the Partial IV', '0d0102'],
    ['truncated option: before the length of the kid context', '1901'],
    ['truncated option: in the kid context', '190105aa'],
    ['a Partial IV of 6 bytes', '0e000000000001'],
    ['a Partial IV with a leading zero', '0a0001'],
    ['reserved bits', '2900'],
    ['no Partial IV', '081000000000'],
    ['no kid', '0100'],
    ['nothing at all', ''],
  ].map(([name = '', hexadecimal = '']) => ({
    name,
    make: (device: Device) => withOption(device.ask(), bytes(hexadecimal)),
    reason: 'cose-malformed' as const,
    code: CODE.BAD_OPTION,
  })),
  {
    name: 'two OSCORE options',
    make: (device) =>
      device.ask({ outside: [{ number: OPTION.OSCORE, value: value({ kid: KID, partialIv: 0 }) }] }).data,
    reason: 'cose-malformed',
    code: CODE.BAD_OPTION,
  },
  {
    name: 'no ciphertext',
    make: (device) => encode({ ...messageOf(device.ask().data), payload: new Uint8Array(0) }),
    reason: 'cose-malformed',
    code: CODE.BAD_OPTION,
  },
  {
    name: 'a ciphertext of nothing but a tag',
    make: (device) => encode({ ...messageOf(device.ask().data), payload: new Uint8Array(8) }),
    reason: 'decryption-failed',
    code: CODE.BAD_REQUEST,
  },
]

for (const { name, make, reason, code } of CASES) {
  void t.test(`${name}: ${reason}, and the genuine message passes after it`, (t) => {
    const endpoint = gatewayOf(new Keys())
    const device = new Device()
    const data = make(device)
    const [refusal] = sent(endpoint.receive(data, peer, 0))
    t.match(refusal, { type: TYPE.ACK, code })
    t.notOk(refusal!.options.some(({ number }) => number === OPTION.OSCORE))
    t.equal(endpoint.counters[reason], 1)
    requested(endpoint.receive(device.ask({ number: 0 }).data, peer, 1))
    t.end()
  })
}

t.test('a Partial IV of 5 bytes at its end is taken once, and nothing after it wraps around', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  const last = device.ask({ number: 2 ** 40 - 1 })
  requested(endpoint.receive(last.data, peer, 0))
  t.equal(sent(endpoint.receive(last.data, { ...peer, port: 9 }, 0))[0]?.code, CODE.UNAUTHORIZED)
  requested(endpoint.receive(device.ask({ number: 2 ** 40 - 64 }).data, peer, 0))
  for (const number of [0, 1, 2 ** 32, 2 ** 40 - 65]) endpoint.receive(device.ask({ number }).data, peer, 0)
  t.match(endpoint.counters, { request: 2, replayed: 5 })
  t.throws(() => device.ask({ number: 2 ** 40 }), RangeError)
  t.end()
})

t.test('S7: nobody speaks for another: the key decides, not the kid or the address', (t) => {
  const endpoint = gatewayOf(new Keys())
  const [one, other] = [new Device(0), new Device(1)]
  t.equal(requested(endpoint.receive(one.ask().data, peer, 0)).request.principal, 'feeder-0')
  t.equal(requested(endpoint.receive(other.ask().data, peer, 0)).request.principal, 'feeder-1')
  endpoint.receive(withOption(other.ask(), value({ kid: KID, partialIv: 1 })), peer, 0)
  t.match(endpoint.counters, { request: 2, 'decryption-failed': 1 })
  t.end()
})

t.test('made with the key, but no request inside', (t) => {
  const endpoint = gatewayOf(new Keys())
  const { context } = new Device()
  const data = (plaintext: string, partialIv: number): Uint8Array => {
    const option = value({ kid: KID, partialIv })
    // What the library itself would never make.
    const aad = aadOf({ kid: KID, partialIv })
    const payload = context.encrypt({ partialIv, madeBy: 'sender' }, aad, bytes(plaintext))
    const options = [{ number: OPTION.OSCORE, value: option }]
    return encode({
      type: TYPE.CON,
      code: METHOD.POST,
      messageId: partialIv,
      token: bytes('01'),
      options,
      payload,
    })
  }
  // A response, an option that runs past the end, and an OSCORE option.
  for (const [at, plaintext] of ['45', '02b5', '0290'].entries()) {
    t.equal(sent(endpoint.receive(data(plaintext, at), peer, 0))[0]?.code, CODE.BAD_REQUEST)
  }
  t.equal(endpoint.counters['plaintext-malformed'], 3)
  requested(endpoint.receive(data('02', 3), peer, 0))
  t.end()
})

t.test('S9: refusals are never more than three times as large as what they answer', (t) => {
  const endpoint = gatewayOf(new Keys())
  for (const token of ['', '01', '0102030405060708']) {
    for (const option of ['', '09', '0900', '081000000000', '09001000000000', '19000161ff']) {
      for (const payload of ['', '00', '000000000000000000']) {
        for (const type of [TYPE.CON, TYPE.NON]) {
          const options = [{ number: OPTION.OSCORE, value: bytes(option) }]
          const header = { type, code: METHOD.POST, messageId: 1, token: bytes(token) }
          const data = encode({ ...header, options, payload: bytes(payload) })
          for (const effect of endpoint.receive(data, peer, 0)) {
            t.ok(effect.kind === 'send' && effect.bytes.length <= 3 * data.length, `${told([effect])}`)
          }
        }
      }
    }
  }
  t.end()
})

t.test(
  'createSecurity(): `quiet` says nothing, `alike` always the same, and the counters know in each case',
  (t) => {
    const [quiet, alike] = [gatewayOf(new Keys(), {}, 'quiet'), gatewayOf(new Keys(), {}, 'alike')]
    const answers = new Set<string>()
    for (const { make, reason } of CASES) {
      t.same(told(quiet.receive(make(new Device()), peer, 0)), [`drop ${reason}`])
      for (const { code, options, payload } of sent(alike.receive(make(new Device()), peer, 0)))
        answers.add(`${code} ${options.map(({ number }) => number)} ${payload.length}`)
    }
    const genuine = new Device().ask().data
    for (const port of [1, 2])
      for (const { code, options, payload } of sent(alike.receive(genuine, { ...peer, port }, 0)))
        answers.add(`${code} ${options.map(({ number }) => number)} ${payload.length}`)
    t.same([...answers], [`${CODE.UNAUTHORIZED} ${OPTION.MAX_AGE} 0`])
    t.equal(alike.counters.replayed, 1)
    for (const reason of SECURITY_REASONS)
      t.equal(quiet.counters[reason] + Number(reason === 'replayed'), alike.counters[reason])
    t.end()
  },
)

t.test('S10: 10,000 failures from the same address and for the same kid lock nobody out', (t) => {
  const endpoint = gatewayOf(new Keys())
  const device = new Device()
  const { data } = device.ask({ number: 50 })
  for (let n = 0; n < 10_000; n++) {
    const copy = data.slice()
    copy[2] = n >> 8
    copy[3] = n
    copy[copy.length - 1]! ^= 1
    endpoint.receive(copy, peer, 0)
  }
  requested(endpoint.receive(data, peer, 1))
  t.equal(endpoint.counters['decryption-failed'], 10_000)
  t.end()
})

t.test('S13: every refusal is counted by its reason, and the counters add up to what was sent', (t) => {
  const endpoint = gatewayOf(new Keys())
  let received = 0
  const receive = (data: Uint8Array, port = 1): readonly Effect[] => {
    received++
    return endpoint.receive(data, { ...peer, port }, 0)
  }
  for (const { make } of CASES) receive(make(new Device()))
  const { data } = new Device().ask()
  for (const port of [1, 1, 2]) receive(data, port)
  receive(new Device(0).ask({ payload: new Uint8Array(1_280), number: 9 }).data)
  t.equal(total(endpoint.counters), received)
  for (const reason of SECURITY_REASONS) {
    const expected = CASES.filter((candidate) => candidate.reason === reason).length
    t.equal(endpoint.counters[reason], reason === 'replayed' ? 1 : expected, reason)
  }
  t.match(endpoint.counters, { request: 1, 'repeat-pending': 1, 'too-large': 1 })
  t.end()
})
