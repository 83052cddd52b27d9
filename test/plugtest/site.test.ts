import { CODE } from '@pesebre/coap/codec/codes'
import { decode, encode, type Option, TYPE } from '@pesebre/coap/codec/message'
import { OPTION } from '@pesebre/coap/codec/options'
import { createEndpoint } from '@pesebre/coap/endpoint/endpoint'
import fc from 'fast-check'
import t from 'tap'
import { createSite } from './site.ts'

const PEER = { address: '192.0.2.1', port: 5000 }
const PATHS = [
  ...[
    '',
    'test',
    'separate',
    'query',
    'location-query',
    'create1',
    'create2',
    'multi-format',
    'validate',
    'large',
  ],
  ...[
    'large-update',
    'large-create',
    'large-create/1',
    'large-post',
    'obs',
    'obs-large',
    'obs-reset',
    'link1',
    'path',
  ],
  ...['.well-known/core', 'nowhere'],
]
const NUMBERS = [
  OPTION.IF_MATCH,
  OPTION.ETAG,
  OPTION.IF_NONE_MATCH,
  OPTION.OBSERVE,
  OPTION.CONTENT_FORMAT,
  OPTION.URI_QUERY,
  OPTION.ACCEPT,
  OPTION.BLOCK2,
  OPTION.BLOCK1,
  OPTION.SIZE1,
]

/** Any bytes, and small numbers, among which are those of the first blocks of 16 bytes. */
const values = fc.oneof(
  fc.uint8Array({ maxLength: 8 }),
  fc.constantFrom([], [0], [1], [8], [0x10], [0x18], [50]).map((bytes) => Uint8Array.from(bytes)),
)

/** Requests of every kind for every resource, with options of every kind, sensible or not. */
const requests = fc.record({
  type: fc.constantFrom(TYPE.CON, TYPE.NON),
  code: fc.integer({ min: 1, max: 7 }),
  path: fc.constantFrom(...PATHS),
  options: fc.array(fc.record({ number: fc.constantFrom(...NUMBERS), value: values }), { maxLength: 4 }),
  payload: fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
})

t.test('answer(): whatever is asked gets an answer that can be sent, and never 5.xx', async (t) => {
  const site = createSite({ separateMs: 0, periodS: 5 })
  const endpoint = createEndpoint({ seed: new Uint8Array(16) })
  const codes = new Map<number, number>()
  let messageId = 0
  fc.assert(
    fc.property(requests, ({ path, options, ...message }) => {
      const uriPath: Option[] = path
        .split('/')
        .map((segment) => ({ number: 11, value: Buffer.from(segment) }))
      messageId = (messageId + 1) & 0xffff
      const bytes = encode({
        ...message,
        messageId,
        token: Uint8Array.of(messageId & 3),
        options: [...(path === '' ? [] : uriPath), ...options],
      })
      const effects = endpoint.receive(bytes, PEER, messageId).flatMap((effect) => {
        if (effect.kind !== 'request') return [effect]
        const reply = site.answer(effect.request)
        const sent = [...endpoint.respond(effect.exchange, reply, messageId)]
        for (const { resource, response } of reply.notifications ?? [])
          sent.push(...endpoint.notify(resource, response, messageId))
        return sent
      })
      if (messageId % 50 === 0)
        for (const { resource, response } of site.tick()) endpoint.notify(resource, response, 0)
      for (const effect of effects) {
        if (effect.kind !== 'send') continue
        const decoded = decode(effect.bytes)
        if (!decoded.ok) return false
        codes.set(decoded.message.code, (codes.get(decoded.message.code) ?? 0) + 1)
      }
      return true
    }),
    { numRuns: 20_000, seed: 1 },
  )
  t.same(
    [...codes.keys()].filter((code) => code >= CODE.INTERNAL_SERVER_ERROR),
    [],
  )
  const { CONTENT, CHANGED, CREATED, DELETED, VALID, CONTINUE, NOT_FOUND, PRECONDITION_FAILED } = CODE
  for (const code of [CONTENT, CHANGED, CREATED, DELETED, CONTINUE, NOT_FOUND, PRECONDITION_FAILED]) {
    t.ok(codes.has(code), `some of them ${code >> 5}.${String(code & 31).padStart(2, '0')}`)
  }
  t.notOk(codes.has(VALID), 'nobody guesses an ETag')
  t.ok(endpoint.sizes().observers <= 16 && site.count() <= 60, 'it does not grow')
})

t.end()
