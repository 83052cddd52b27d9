import { decode, encode, type Message } from '@pesebre/coap/codec/message'
import type { Malformed } from '@pesebre/coap/codec/scan'
import fc from 'fast-check'
import t from 'tap'

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')
const none = new Uint8Array(0)

const golden: readonly [name: string, data: string, message: Message][] = [
  [
    // RFC 7252 appendix A, figure 16: GET /temperature, piggybacked response.
    'GET /temperature',
    '40 01 7d34 bb74656d7065726174757265',
    message({ code: 1, messageId: 0x7d34, options: [[11, '74656d7065726174757265']] }),
  ],
  [
    'its 2.05',
    '60 45 7d34 ff 32322e332043',
    message({ type: 2, code: 0x45, messageId: 0x7d34, payload: '32322e332043' }),
  ],
  [
    // Figure 17: the same with a token.
    'GET /temperature with a token',
    '41 01 7d35 20 bb74656d7065726174757265',
    message({ code: 1, messageId: 0x7d35, token: '20', options: [[11, '74656d7065726174757265']] }),
  ],
  ['an empty CON', '40 00 ffff', message({ messageId: 0xffff })],
  ['an empty ACK', '60 00 0001', message({ type: 2, messageId: 1 })],
  ['an RST', '70 00 0001', message({ type: 3, messageId: 1 })],
  [
    'a NON POST of the longest token',
    '58 02 1234 0102030405060708',
    message({ type: 1, code: 2, messageId: 0x1234, token: '0102030405060708' }),
  ],
  ['an option of number 0', '40 01 0001 00', message({ code: 1, messageId: 1, options: [[0, '']] })],
  ['option delta 12', '40 01 0001 c0', message({ code: 1, messageId: 1, options: [[12, '']] })],
  ['option delta 13', '40 01 0001 d000', message({ code: 1, messageId: 1, options: [[13, '']] })],
  ['option delta 268', '40 01 0001 d0ff', message({ code: 1, messageId: 1, options: [[268, '']] })],
  ['option delta 269', '40 01 0001 e00000', message({ code: 1, messageId: 1, options: [[269, '']] })],
  ['option number 65535', '40 01 0001 e0fef2', message({ code: 1, messageId: 1, options: [[65_535, '']] })],
  [
    'option length 12',
    `40 01 0001 1c${'61'.repeat(12)}`,
    message({ code: 1, messageId: 1, options: [[1, '61'.repeat(12)]] }),
  ],
  [
    'option length 13',
    `40 01 0001 1d00${'61'.repeat(13)}`,
    message({ code: 1, messageId: 1, options: [[1, '61'.repeat(13)]] }),
  ],
  [
    'option length 268',
    `40 01 0001 1dff${'61'.repeat(268)}`,
    message({ code: 1, messageId: 1, options: [[1, '61'.repeat(268)]] }),
  ],
  [
    'option length 269',
    `40 01 0001 1e0000${'61'.repeat(269)}`,
    message({ code: 1, messageId: 1, options: [[1, '61'.repeat(269)]] }),
  ],
  [
    'a repeated option',
    '40 02 0001 b161 0162 1132 ff 00',
    message({
      code: 2,
      messageId: 1,
      options: [
        [11, '61'],
        [11, '62'],
        [12, '32'],
      ],
      payload: '00',
    }),
  ],
  [
    'a response of class 3, of which there is none yet',
    '60 60 0001',
    message({ type: 2, code: 0x60, messageId: 1 }),
  ],
  ['a payload that begins with ff', '40 02 0001 ff ff', message({ code: 2, messageId: 1, payload: 'ff' })],
]

t.test('decode() and encode() agree with known bytes', (t) => {
  for (const [name, data, expected] of golden) {
    const decoded = decode(bytes(data))
    t.same(decoded, { ok: true, message: expected }, `decodes ${name}`)
    t.equal(hex(encode(expected)), data.replaceAll(' ', ''), `encodes ${name}`)
  }
  t.end()
})

const malformed: readonly [name: string, data: string, reason: Malformed][] = [
  ['an empty datagram', '', 'short'],
  ['three bytes', '400001', 'short'],
  ['version 0', '00 01 0001', 'version'],
  ['version 2', '80 01 0001', 'version'],
  ['version 3', 'c0 01 0001', 'version'],
  ...[9, 10, 11, 12, 13, 14, 15].map((length): [string, string, Malformed] => [
    `token length ${length}`,
    `4${length.toString(16)} 01 0001 ${'00'.repeat(length)}`,
    'token-length',
  ]),
  ['a token past the end', '48 01 0001 01020304050607', 'token-end'],
  ['an empty message with a token', '41 00 0001 01', 'empty-with-content'],
  ['an empty message with an option', '40 00 0001 b161', 'empty-with-content'],
  ['an empty message with one more byte', '40 00 0001 ff', 'empty-with-content'],
  ['code 1.00', '40 20 0001', 'reserved-code'],
  ['code 1.31', '40 3f 0001', 'reserved-code'],
  ['code 6.00', '40 c0 0001', 'reserved-code'],
  ['code 7.01', '40 e1 0001', 'reserved-code'],
  ['option delta 15', '40 01 0001 f0', 'option-nibble'],
  ['option length 15', '40 01 0001 1f', 'option-nibble'],
  ['an extended delta past the end', '40 01 0001 d0', 'option-end'],
  ['a delta of two bytes past the end', '40 01 0001 e000', 'option-end'],
  ['an extended length past the end', '40 01 0001 1d', 'option-end'],
  ['a length of two bytes past the end', '40 01 0001 1e00', 'option-end'],
  ['a value past the end', '40 01 0001 b46162 63', 'option-end'],
  ['a value of 65804 bytes in a short datagram', '40 01 0001 1effff 61', 'option-end'],
  ['option number 65536', '40 01 0001 e0fef3', 'option-number'],
  ['option numbers that add up to 65536', '40 01 0001 e0fef2 10', 'option-number'],
  ['33 options', `40 01 0001 ${'00'.repeat(33)}`, 'too-many-options'],
  ['a thousand options', `40 01 0001 ${'00'.repeat(1000)}`, 'too-many-options'],
  ['a payload marker without payload', '40 02 0001 ff', 'payload-empty'],
  ['a payload marker without payload behind an option', '40 02 0001 b161 ff', 'payload-empty'],
]

t.test('decode() refuses what is no message, with the reason', (t) => {
  for (const [name, data, reason] of malformed) t.same(decode(bytes(data)), { ok: false, reason }, name)
  t.end()
})

t.test('decode() takes 32 options', (t) => {
  const decoded = decode(bytes(`40 01 0001 ${'00'.repeat(32)}`))
  t.equal(decoded.ok && decoded.message.options.length, 32)
  t.end()
})

t.test('encode() throws for what no message can hold', (t) => {
  const legal = message({ code: 1, messageId: 1 })
  const illegal: readonly [name: string, change: Partial<Message>][] = [
    ['type 4', { type: 4 }],
    ['code 256', { code: 256 }],
    ['code 1.00', { code: 0x20 }],
    ['code 0.5', { code: 0.5 }],
    ['message id -1', { messageId: -1 }],
    ['message id 65536', { messageId: 65_536 }],
    ['nine bytes of token', { token: new Uint8Array(9) }],
    ['option number 65536', { options: [{ number: 65_536, value: none }] }],
    ['option number -1', { options: [{ number: -1, value: none }] }],
    ['an option of 65805 bytes', { options: [{ number: 1, value: new Uint8Array(65_805) }] }],
    ['an empty message with a payload', { code: 0, payload: new Uint8Array(1) }],
  ]
  for (const [name, change] of illegal) t.throws(() => encode({ ...legal, ...change }), RangeError, name)
  t.end()
})

t.test('encode() puts options in order and keeps the order of equal numbers', (t) => {
  const encoded = encode(
    message({
      code: 2,
      messageId: 1,
      options: [
        [12, '32'],
        [11, '61'],
        [11, '62'],
      ],
    }),
  )
  t.equal(hex(encoded), '40020001b16101621132')
  t.end()
})

const octets = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })
const optionNumber = fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 300 }), fc.nat({ max: 65_535 }))
const options = fc
  .array(fc.record({ number: optionNumber, value: fc.oneof(octets(20), octets(300)) }), { maxLength: 32 })
  .map((list) => list.sort((a, b) => a.number - b.number))
const code = fc.oneof(
  fc.integer({ min: 1, max: 31 }),
  fc.constantFrom(0x40, 0x45, 0x5f, 0x80, 0x9f, 0xa0, 0xbf),
)
const messages = fc.record({
  type: fc.nat({ max: 3 }),
  code,
  messageId: fc.nat({ max: 65_535 }),
  token: octets(8),
  options,
  payload: octets(100),
})

t.test('decode(encode(m)) is m', (t) => {
  fc.assert(
    fc.property(messages, (original) => {
      const decoded = decode(encode(original))
      if (!decoded.ok) return false
      const { token, payload } = decoded.message
      t.same(decoded.message.options.length, original.options.length)
      return (
        hex(token) === hex(original.token) &&
        hex(payload) === hex(original.payload) &&
        decoded.message.options.every(
          ({ number, value }, at) =>
            number === original.options[at]?.number && hex(value) === hex(original.options[at].value),
        )
      )
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('encode(decode(b)) is b for whatever bytes decode() takes', (t) => {
  const soup = fc.oneof(
    messages.map(encode).chain((whole) =>
      fc.tuple(fc.nat({ max: whole.length - 1 }), fc.nat({ max: 255 })).map(([at, byte]) => {
        const changed = whole.slice()
        changed[at] = byte
        return changed
      }),
    ),
    octets(40).map((rest) => Uint8Array.of(0x40, 1, 0, 1, ...rest)),
  )
  let taken = 0
  fc.assert(
    fc.property(soup, (data) => {
      const decoded = decode(data)
      if (!decoded.ok) return true
      taken++
      return hex(encode(decoded.message)) === hex(data)
    }),
    { numRuns: 2000 },
  )
  t.ok(taken > 100, 'enough of them are messages')
  t.end()
})

interface Draft {
  readonly type?: number
  readonly code?: number
  readonly messageId: number
  readonly token?: string
  readonly options?: readonly [number: number, value: string][]
  readonly payload?: string
}

function message({ type = 0, code = 0, messageId, token = '', options = [], payload = '' }: Draft): Message {
  const list = options.map(([number, value]) => ({ number, value: bytes(value) }))
  return { type, code, messageId, token: bytes(token), options: list, payload: bytes(payload) }
}
