import { formatCode, METHOD } from '@pesebre/coap/codec/codes'
import { parseLinks } from '@pesebre/coap/codec/link-format'
import { encode } from '@pesebre/coap/codec/message'
import type { Response } from '@pesebre/coap/endpoint/types'
import t from 'tap'
import { discovery } from '../../../gateway/src/app/discovery.ts'
import { refusal, request, utf8 } from './fixtures.ts'

const CORE = { method: METHOD.GET, path: ['.well-known', 'core'], payload: utf8('') }
const OPEN = { open: true, secure: false }

function hrefs(response: Response): string[] | undefined {
  return parseLinks(new TextDecoder().decode(response.payload))?.map(({ href }) => href)
}

t.test('discovery() lists what the gateway offers, in link format', async (t) => {
  const response = discovery(request(CORE), OPEN)
  t.equal(formatCode(response.code), '2.05')
  t.strictSame(response.options, [{ number: 12, value: Uint8Array.of(40) }])
  t.strictSame(hrefs(response), ['/health', '/'])
  t.strictSame(
    hrefs(discovery(request(CORE), { open: false, secure: false })),
    ['/health'],
    'without the open form where that is off',
  )
})

t.test(
  'discovery() lists what registered devices have, marked as OSCORE only, where the question has room for it',
  async (t) => {
    const secure = { open: true, secure: true }
    t.strictSame(hrefs(discovery(request({ ...CORE, size: 40 }), secure)), [
      '/health',
      '/',
      '/u',
      '/commands',
    ])
    const found = discovery(request({ ...CORE, query: ['osc'], size: 40 }), secure)
    t.strictSame(hrefs(found), ['/u', '/commands'])
    t.strictSame(hrefs(discovery(request({ ...CORE, size: 21 }), secure)), ['/health', '/'])
  },
)

t.test('discovery() filters by the query (RFC 6690 section 4.1)', async (t) => {
  const cases: [query: string[], found: string[]][] = [
    [[], ['/health', '/']],
    [['rt=health'], ['/health']],
    [['rt=h*'], ['/health']],
    [['rt=*'], ['/health', '/']],
    [['rt=report'], ['/']],
    [['href=/health'], ['/health']],
    [['href=/*'], ['/health', '/']],
    [['ct=50'], ['/health']],
    [['if=sensor'], []],
    [['rt=health', 'href=/'], []],
    [['rt=health', 'ct=50'], ['/health']],
    [['obs'], []],
    [['rt'], ['/health', '/']],
    [['constructor'], []],
    [['=x'], ['/health', '/']],
    [[''], ['/health', '/']],
  ]
  for (const [query, found] of cases)
    t.strictSame(hrefs(discovery(request({ ...CORE, query }), OPEN)), found, query.join('&') || 'no query')
})

t.test('discovery() answers an Accept that it cannot serve with 4.06', async (t) => {
  t.equal(formatCode(discovery(request({ ...CORE, accept: 40 }), OPEN).code), '2.05')
  t.equal(
    refusal(() => discovery(request({ ...CORE, accept: 50 }), OPEN)),
    '4.06 Only Content-Format 40',
  )
})

t.test('discovery() answers with at most three times the smallest request', async (t) => {
  const option = (number: number, text: string) => ({ number, value: utf8(text) })
  const message = { type: 0, messageId: 1, token: new Uint8Array(0), payload: new Uint8Array(0) }
  const smallest = encode({
    ...message,
    code: METHOD.GET,
    options: [option(11, '.well-known'), option(11, 'core')],
  })
  const { code, options = [], payload = utf8('') } = discovery(request(CORE), OPEN)
  const answer = encode({ ...message, code, options, payload })
  t.ok(answer.length <= 3 * smallest.length, `${answer.length} to ${smallest.length}`)
})
