import { formatCode, METHOD } from '@pesebre/coap/codec/codes'
import { Decoder } from 'cbor-x'
import t from 'tap'
import { health } from '../../../gateway/src/app/health.ts'
import { refusal, request, utf8 } from './fixtures.ts'

const HEALTH = { method: METHOD.GET, path: ['health'], payload: utf8('') }
const ready = portsOf(undefined)

function portsOf(reason: string | undefined) {
  return { notReady: () => reason, allowOpen: true, secure: {} }
}

t.test('health() says that it is ready, in the format asked for', async (t) => {
  for (const accept of [undefined, 50]) {
    const { code, options, payload } = health(request({ ...HEALTH, accept }), ready)
    t.equal(formatCode(code), '2.05')
    t.strictSame(options, [{ number: 12, value: Uint8Array.of(50) }])
    t.strictSame(JSON.parse(new TextDecoder().decode(payload)), { ready: true, open: true, oscore: true })
  }
  const { options, payload } = health(request({ ...HEALTH, accept: 60 }), ready)
  t.strictSame(options, [{ number: 12, value: Uint8Array.of(60) }])
  t.strictSame(new Decoder({ mapsAsObjects: true }).decode(payload!), {
    ready: true,
    open: true,
    oscore: true,
  })
  for (const accept of [0, 40, 110, 65_535])
    t.equal(
      refusal(() => health(request({ ...HEALTH, accept }), ready)),
      '4.06 Only Content-Format 50 and 60',
    )
})

t.test('health() says no more than that it is ready where the question is too short for more', async (t) => {
  const { payload } = health(request({ ...HEALTH, size: 11 }), ready)
  t.equal(new TextDecoder().decode(payload), '{"ready":true}')
  const closed = health(request(HEALTH), { notReady: () => undefined, allowOpen: false })
  t.equal(new TextDecoder().decode(closed.payload), '{"ready":true,"open":false,"oscore":false}')
})

t.test('health() says 5.03, the reason in a word, and when to ask again', async (t) => {
  for (const reason of ['journal', 'queue']) {
    const { code, options, payload } = health(request({ ...HEALTH, accept: 60 }), portsOf(reason))
    t.equal(formatCode(code), '5.03')
    t.strictSame(options, [{ number: 14, value: Uint8Array.of(5) }])
    t.equal(new TextDecoder().decode(payload), reason)
  }
})

t.test('health() never answers with more than three times the smallest request', async (t) => {
  // Header, Uri-Path "health" with its option byte.
  const smallest = 4 + 7
  for (const notReady of [ready, portsOf('journal'), portsOf('queue')])
    for (const accept of [undefined, 60]) {
      const { payload } = health(request({ ...HEALTH, accept, size: smallest }), notReady)
      t.ok(4 + 2 + 1 + payload!.length <= 3 * smallest, `${payload!.length} bytes`)
    }
})
