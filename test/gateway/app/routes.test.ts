import { CODE, formatCode, METHOD } from '@pesebre/coap/codec/codes'
import { encode } from '@pesebre/coap/codec/message'
import type { Request } from '@pesebre/coap/endpoint/types'
import t from 'tap'
import { Refusal } from '../../../gateway/src/app/refusal.ts'
import { type AppPorts, answer } from '../../../gateway/src/app/routes.ts'
import { request, utf8 } from './fixtures.ts'

type Told = { refusals: Refusal[]; faults: unknown[] }

function ports(different: Partial<AppPorts> = {}): AppPorts & Told {
  const told: Told = { refusals: [], faults: [] }
  return {
    ...told,
    allowOpen: true,
    keep: async () => {},
    nextSeq: () => 1,
    allow: () => true,
    retryAfter: () => 7,
    clock: () => 1_700_000_000_000,
    notReady: () => undefined,
    refusalOf: () => undefined,
    onRefusal: (refusal) => told.refusals.push(refusal),
    onFault: (error) => told.faults.push(error),
    ...different,
  }
}

async function codeOf(different: Partial<Request>, given = ports()): Promise<string> {
  const { code } = await answer(request(different), given)
  return formatCode(code)
}

t.test('answer() finds the resource for a path and method', async (t) => {
  const { GET, POST, PUT, DELETE, FETCH, PATCH, IPATCH } = METHOD
  const cases: [method: number, path: string[], code: string][] = [
    [POST, ['feeder', 'bella'], '2.04'],
    [PUT, ['feeder', 'bella'], '2.04'],
    [GET, ['feeder', 'bella'], '4.05'],
    [DELETE, ['feeder', 'bella'], '4.05'],
    [FETCH, ['feeder', 'bella'], '4.05'],
    [PATCH, ['feeder', 'bella'], '4.05'],
    [IPATCH, ['feeder', 'bella'], '4.05'],
    [31, ['feeder', 'bella'], '4.05'],
    [GET, ['health'], '2.05'],
    [POST, ['health'], '4.05'],
    [GET, ['.well-known', 'core'], '2.05'],
    [POST, ['.well-known', 'core'], '4.05'],
    [PUT, ['.well-known', 'core'], '4.05'],
    [GET, ['.well-known', 'edhoc'], '4.04'],
    [POST, ['.well-known', 'bella'], '4.04'],
    [GET, [], '4.05'],
    [POST, [], '4.05'],
    [POST, ['feeder'], '4.04'],
    [GET, ['Health'], '4.04'],
    [GET, ['health', ''], '4.05'],
    [POST, ['', ''], '4.00'],
    [POST, ['feeder', 'bella', ''], '4.04'],
    [POST, new Array(30).fill('a'), '4.04'],
  ]
  for (const [method, path, code] of cases)
    t.equal(await codeOf({ method, path }), code, `${method} /${path.join('/')}`)
})

t.test('answer() says 4.04 to everything under a type where the open form is off', async (t) => {
  const closed = ports({ allowOpen: false })
  for (const method of [METHOD.GET, METHOD.POST, METHOD.PUT]) {
    t.equal(await codeOf({ method, path: ['feeder', 'bella'] }, closed), '4.04')
    t.equal(await codeOf({ method, path: [] }, closed), '4.04')
  }
})

t.test('answer() tells of each refusal once, and of no success', async (t) => {
  const given = ports()
  await codeOf({}, given)
  t.strictSame(given.refusals, [])
  await codeOf({ payload: utf8('{') }, given)
  t.strictSame(
    given.refusals.map(({ message }) => message),
    ['Body is not valid JSON'],
  )
  t.strictSame(given.faults, [])
})

t.test('answer() says 5.00 for what is thrown and is no refusal, and leaks nothing of it', async (t) => {
  const secret = new Error('connect ECONNREFUSED 10.0.0.7:5432')
  const throwers: Record<string, Partial<AppPorts>> = {
    'thrown at once': {
      nextSeq: () => {
        throw secret
      },
    },
    rejected: { keep: () => Promise.reject(secret) },
    'thrown by the clock': {
      clock: () => {
        throw secret
      },
    },
  }
  for (const [what, different] of Object.entries(throwers)) {
    const given = ports(different)
    t.strictSame(await answer(request(), given), { code: CODE.INTERNAL_SERVER_ERROR }, what)
    t.strictSame(given.faults, [secret])
    t.strictSame(given.refusals, [])
  }
  const given = ports({ notReady: () => JSON.parse('{') as string })
  t.equal(await codeOf({ method: METHOD.GET, path: ['health'] }, given), '5.00')
})

t.test('answer() says 5.03 with Max-Age for an error that an adapter knows', async (t) => {
  const full = new Error('full')
  const given = ports({
    keep: () => Promise.reject(full),
    refusalOf: (error, { path }) =>
      error === full
        ? new Refusal(CODE.SERVICE_UNAVAILABLE, `Journal full: ${path[1]}`, { retryAfter: 300 })
        : undefined,
  })
  t.strictSame(await answer(request(), given), {
    code: CODE.SERVICE_UNAVAILABLE,
    options: [{ number: 14, value: Uint8Array.of(1, 44) }],
    payload: utf8('Journal full: bella'),
  })
  t.equal(given.refusals.length, 1)
  t.strictSame(given.faults, [])
})

t.test('answer() gives Max-Age with 4.29 and Size1 with 4.13', async (t) => {
  const tooMany = await answer(request(), ports({ allow: () => false }))
  t.strictSame(
    [formatCode(tooMany.code), tooMany.options],
    ['4.29', [{ number: 14, value: Uint8Array.of(7) }]],
  )
  const thrown = new Refusal(CODE.REQUEST_ENTITY_TOO_LARGE, 'Body too large', { size: 4096 })
  const tooLarge = await answer(request(), ports({ keep: () => Promise.reject(thrown) }))
  t.strictSame(
    [formatCode(tooLarge.code), tooLarge.options],
    ['4.13', [{ number: 60, value: Uint8Array.of(16, 0) }]],
  )
})

t.test('answer() cuts what it says so that no answer is above three times the request', async (t) => {
  const long = 'ä€🐴x'.repeat(50)
  for (let size = 4; size < 200; size++) {
    for (const token of [0, Math.min(8, size - 4)]) {
      const refusal = new Refusal(CODE.SERVICE_UNAVAILABLE, long, { retryAfter: 375, size: 16_384 })
      const response = await answer(request({ size }), ports({ keep: () => Promise.reject(refusal) }))
      const { code, options = [], payload = utf8('') } = response
      const bytes = encode({ type: 2, messageId: 1, token: new Uint8Array(token), code, options, payload })
      if (bytes.length > 3 * size) t.fail(`${bytes.length} bytes to ${size}`)
      new TextDecoder('utf-8', { fatal: true }).decode(payload)
      if (payload.length > 64) t.fail(`${payload.length} bytes of diagnostic`)
    }
  }
  t.pass('all sizes')
})

t.test('answer() measures by the last datagram where the body came in blocks', async (t) => {
  const options = [
    { number: 11, value: utf8('a') },
    { number: 11, value: utf8('!') },
    { number: 27, value: Uint8Array.of(0x10) },
  ]
  const response = await answer(request({ path: ['a', '!'], options, size: 4096 }), ports())
  t.equal(formatCode(response.code), '4.00')
  // With the Block1 option that the endpoint adds.
  const { code, payload = utf8('') } = response
  const sent = encode({
    type: 2,
    messageId: 1,
    token: new Uint8Array(0),
    code,
    options: options.slice(2),
    payload,
  })
  const last = encode({
    type: 0,
    messageId: 1,
    token: new Uint8Array(0),
    code: 2,
    options,
    payload: utf8('}'),
  })
  t.ok(sent.length <= 3 * last.length, `${sent.length} bytes to ${last.length}`)
})
