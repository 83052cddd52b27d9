import { blockBytes, blockOf, blockSize, szxFor } from '@pesebre/coap/codec/block'
import {
  CODE,
  formatCode,
  isRequest,
  isReserved,
  isResponse,
  METHOD,
  nameCode,
} from '@pesebre/coap/codec/codes'
import { contentFormatOf, mediaType } from '@pesebre/coap/codec/content-formats'
import {
  isCritical,
  isLengthAllowed,
  isNoCacheKey,
  isRepeatable,
  isUnsafe,
  OPTION,
  OPTIONS,
  optionDefinition,
} from '@pesebre/coap/codec/options'
import {
  EXCHANGE_LIFETIME,
  MAX_TRANSMIT_SPAN,
  MAX_TRANSMIT_WAIT,
  NON_LIFETIME,
} from '@pesebre/coap/codec/parameters'
import { readText, utf8 } from '@pesebre/coap/codec/text'
import { readUint, uintBytes } from '@pesebre/coap/codec/uint'
import fc from 'fast-check'
import t from 'tap'

t.test('parameters: derived times are those of RFC 7252 section 4.8.2', (t) => {
  t.equal(MAX_TRANSMIT_SPAN, 45_000)
  t.equal(MAX_TRANSMIT_WAIT, 93_000)
  t.equal(EXCHANGE_LIFETIME, 247_000)
  t.equal(NON_LIFETIME, 145_000)
  t.end()
})

t.test('codes: classes and names', (t) => {
  t.equal(formatCode(CODE.CONTENT), '2.05')
  t.equal(nameCode(CODE.TOO_MANY_REQUESTS), '4.29 Too Many Requests')
  t.equal(nameCode(METHOD.IPATCH), '0.07 iPATCH')
  t.equal(nameCode(0xbf), '5.31')
  for (let code = 1; code < 256; code++) {
    const kinds = [isRequest(code), isResponse(code), isReserved(code)].filter(Boolean).length
    t.equal(kinds, 1, `${formatCode(code)} is of one kind`)
  }
  t.end()
})

t.test('options: what follows from the number is what RFC 7252 table 4 and its successors say', (t) => {
  const table: readonly [number: number, critical: boolean, unsafe: boolean, noCacheKey: boolean][] = [
    [OPTION.IF_MATCH, true, false, false],
    [OPTION.URI_HOST, true, true, false],
    [OPTION.ETAG, false, false, false],
    [OPTION.IF_NONE_MATCH, true, false, false],
    [OPTION.OBSERVE, false, true, false],
    [OPTION.URI_PORT, true, true, false],
    [OPTION.LOCATION_PATH, false, false, false],
    [OPTION.URI_PATH, true, true, false],
    [OPTION.CONTENT_FORMAT, false, false, false],
    [OPTION.MAX_AGE, false, true, false],
    [OPTION.URI_QUERY, true, true, false],
    [OPTION.ACCEPT, true, false, false],
    [OPTION.LOCATION_QUERY, false, false, false],
    [OPTION.BLOCK2, true, true, false],
    [OPTION.BLOCK1, true, true, false],
    [OPTION.SIZE2, false, false, true],
    [OPTION.PROXY_URI, true, true, false],
    [OPTION.PROXY_SCHEME, true, true, false],
    [OPTION.SIZE1, false, false, true],
    [OPTION.NO_RESPONSE, false, true, false],
    [OPTION.REQUEST_TAG, false, false, false],
  ]
  for (const [number, critical, unsafe, noCacheKey] of table) {
    const found = [isCritical(number), isUnsafe(number), isNoCacheKey(number) && !isUnsafe(number)]
    t.same(found, [critical, unsafe, noCacheKey], optionDefinition(number)?.name ?? 'no name')
  }
  t.end()
})

t.test('options: lengths at and one past each limit', (t) => {
  for (const { number, name, min, max } of OPTIONS) {
    t.ok(isLengthAllowed(number, min) && isLengthAllowed(number, max), name)
    t.notOk(isLengthAllowed(number, max + 1), `${name} one longer`)
    if (min > 0) t.notOk(isLengthAllowed(number, min - 1), `${name} one shorter`)
  }
  t.ok(isLengthAllowed(2049, 65_000), 'an option without a definition may have any length')
  t.ok(isRepeatable(OPTION.URI_PATH))
  t.notOk(isRepeatable(OPTION.ACCEPT))
  t.end()
})

t.test('content formats: both ways', (t) => {
  t.equal(mediaType(50), 'application/json')
  t.equal(contentFormatOf('application/senml+cbor'), 112)
  t.equal(contentFormatOf('Text/Plain'), 0)
  t.equal(contentFormatOf('image/png'), undefined)
  t.end()
})

t.test('blockOf() and blockBytes() agree with RFC 7959 section 3', (t) => {
  const table: readonly [num: number, more: boolean, szx: number, value: string][] = [
    [0, false, 0, ''],
    [0, true, 2, '0a'],
    [1, true, 3, '1b'],
    [15, false, 6, 'f6'],
    [16, false, 6, '0106'],
    [4096, true, 6, '01000e'],
    [1_048_575, true, 6, 'fffffe'],
  ]
  for (const [num, more, szx, value] of table) {
    const encoded = blockBytes({ num, more, szx })
    t.equal(Buffer.from(encoded).toString('hex'), value)
    t.same(blockOf(readUint(encoded, 0, encoded.length)), { num, more, szx })
  }
  t.throws(() => blockBytes({ num: 1_048_576, more: false, szx: 0 }), RangeError)
  t.throws(() => blockBytes({ num: 0, more: false, szx: 7 }), RangeError)
  t.same([0, 6].map(blockSize), [16, 1024])
  t.same([16, 31, 32, 1023, 1024, 5000].map(szxFor), [0, 0, 1, 5, 6, 6])
  t.throws(() => szxFor(15), RangeError)
  t.end()
})

t.test('uintBytes() is the shortest form, and readUint() its inverse', (t) => {
  const table: readonly [value: number, length: number][] = [
    [0, 0],
    [1, 1],
    [255, 1],
    [256, 2],
    [65_535, 2],
    [65_536, 3],
    [16_777_216, 4],
    [4_294_967_295, 4],
  ]
  for (const [value, length] of table) {
    const encoded = uintBytes(value)
    t.equal(encoded.length, length, String(value))
    t.equal(readUint(encoded, 0, length), value)
  }
  for (const value of [-1, 0.5, 2 ** 32, Number.NaN]) t.throws(() => uintBytes(value), RangeError)
  t.equal(readUint(Uint8Array.of(0, 0, 7), 0, 3), 7, 'leading zeros are allowed')
  t.end()
})

t.test('readText() takes UTF-8 and nothing else', (t) => {
  const read = (data: Uint8Array): string | undefined => readText(data, 0, data.length)
  t.equal(read(utf8('establo-ñ-馬')), 'establo-ñ-馬')
  for (const wrong of [[0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xff], [0xe2, 0x82], [0xf5, 0x80, 0x80, 0x80]]) {
    t.equal(read(Uint8Array.from(wrong)), undefined, wrong.join())
    t.equal(read(Uint8Array.from([...new Array(100).fill(0x61), ...wrong])), undefined, 'behind much text')
  }
  t.end()
})

t.test('readText() is the inverse of utf8(), at any place and length', (t) => {
  const texts = fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: 'grapheme', maxLength: 40 }))
  fc.assert(
    fc.property(texts, (text) => {
      const whole = utf8(`x${text}y`)
      return readText(whole, 1, whole.length - 1) === text
    }),
    { numRuns: 500 },
  )
  for (let length = 0; length < 130; length++)
    t.equal(readText(utf8('a'.repeat(length)), 0, length)?.length, length)
  t.end()
})
