import { decode } from 'cbor-x'
import t from 'tap'
import { bodyTypeOf, decodeBody, encodeBody, showBody } from '../../cli/src/body.ts'
import { Misuse } from '../../cli/src/command.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const CBOR = Buffer.from('a1616101', 'hex')

t.test('encodeBody() sends JSON and text as typed, and makes CBOR of JSON', async (t) => {
  t.strictSame(encodeBody('json', bytes(' {"a": 1}')), bytes(' {"a": 1}'))
  t.strictSame(encodeBody('senml', bytes('[{"n":"t","v":1}]')), bytes('[{"n":"t","v":1}]'))
  t.strictSame(encodeBody('text', bytes('21.5')), bytes('21.5'))
  t.strictSame(decode(encodeBody('cbor', bytes(' {"a":1,"b":[true,null,-2.5]}'))), {
    a: 1,
    b: [true, null, -2.5],
  })
  t.strictSame(decode(encodeBody('cbor', bytes('[{"n":"t","v":1}]'))), [{ n: 't', v: 1 }])
  t.equal(Buffer.from(encodeBody('cbor', bytes('{"a":1}'))).toString('hex'), 'a1616101')
  t.equal(encodeBody('cbor', CBOR), CBOR, 'what is CBOR already goes as it is')
})

t.test('encodeBody() and bodyTypeOf() refuse what cannot be sent', async (t) => {
  t.throws(() => encodeBody('json', bytes('{x')), Misuse)
  t.throws(() => encodeBody('cbor', bytes('{x')), Misuse)
  t.throws(() => encodeBody('senml', bytes('')), Misuse)
  t.throws(() => encodeBody('json', Uint8Array.of(0x22, 0xff, 0x22)), Misuse)
  t.throws(() => bodyTypeOf('toString'), Misuse)
})

t.test('decodeBody() and showBody() read an answer by its Content-Format', async (t) => {
  t.strictSame(decodeBody(60, CBOR), { a: 1 })
  t.strictSame(decodeBody(50, bytes('{"a":1}')), { a: 1 })
  t.equal(decodeBody(undefined, bytes('No such resource')), 'No such resource')
  t.equal(decodeBody(42, CBOR), undefined)
  t.equal(decodeBody(50, bytes('{')), undefined)
  t.equal(showBody(60, CBOR), '{\n  "a": 1\n}')
  t.equal(showBody(42, CBOR), 'a1616101')
  t.equal(showBody(40, bytes('</a>;ct=0,</b>')), '</a>;ct=0,\n</b>')
  t.equal(showBody(60, Buffer.from('a16161420102', 'hex')), '{\n  "a": "h\'0102\'"\n}')
  t.equal(showBody(60, Buffer.from('a161611bffffffffffffffff', 'hex')), '{\n  "a": "18446744073709551615"\n}')
})
