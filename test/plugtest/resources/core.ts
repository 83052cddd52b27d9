/** TD_COAP_CORE: messages, tokens, paths, queries, locations, formats. */
import { CODE } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { utf8 } from '@pesebre/coap/codec/text'
import { locationPath, locationQuery, maxAge } from '@pesebre/coap/endpoint/response'
import { bodyOf, type Reply, type Representation, type Resource, shown, textOf } from '../resource.ts'

const LOCATION = ['location1', 'location2', 'location3'] as const
/** As the descriptions ask of a resource that proxies may cache, seconds. */
const MAX_AGE = 30

/** `separateMs`: how long /separate takes over its answer. */
export function coreResources({ separateMs }: { separateMs: number }): readonly Resource[] {
  return [
    plain('', 'Pesebre plugtest server: see /.well-known/core'),
    ...test(),
    separate(separateMs),
    plain('seg1', 'One segment'),
    plain('seg1/seg2', 'Two segments'),
    plain('seg1/seg2/seg3', 'Three segments', 'Long path'),
    {
      path: 'query',
      attributes: () => ({ title: 'Takes query parameters', ct: '0' }),
      get: ({ query }) => shown(textOf(query.length === 0 ? 'No query' : `?${query.join('&')}`)),
    },
    {
      path: 'location-query',
      attributes: () => ({ title: 'POST creates at a location with a query' }),
      post: () => ({ code: CODE.CREATED, options: locationQuery('first=1', 'second=2') }),
    },
    {
      path: 'create2',
      attributes: () => ({ title: 'POST creates at a location of three segments' }),
      post: () => ({ code: CODE.CREATED, options: locationPath(...LOCATION) }),
    },
    {
      path: 'multi-format',
      attributes: () => ({ title: 'In several formats', ct: FORMATS.map(({ format }) => format).join(' ') }),
      get: ({ accept }) => shown(FORMATS.find(({ format }) => format === accept) ?? FORMATS[0]!),
    },
  ]
}

/**
 * /test takes everything, and shows what was put there last. DELETE makes it what it was at first. /alternate shows the same
 * (TD_COAP_LINK_10).
 */
function test(): readonly Resource[] {
  const first = textOf('Hello from the default test resource')
  let now = first
  const get = (): Reply => shown(now, [maxAge(MAX_AGE)])
  const resource: Resource = {
    path: 'test',
    attributes: () => ({ title: 'Default test resource', ct: `${now.format}` }),
    get,
    post: () => ({ code: CODE.CREATED, options: locationPath(...LOCATION) }),
    put: (request) => {
      // A body may be empty, but a GET is to find something.
      now = request.payload.length === 0 ? first : bodyOf(request)
      return { code: CODE.CHANGED }
    },
    delete: () => {
      now = first
      return { code: CODE.DELETED }
    },
  }
  return [resource, { path: 'alternate', attributes: () => ({ anchor: '/test', rel: 'alternate' }), get }]
}

/** /separate is never answered at once, whatever is asked. */
function separate(afterMs: number): Resource {
  return {
    path: 'separate',
    attributes: () => ({ title: 'Answers later, in a message of its own', ct: '0' }),
    get: () => ({ ...shown(textOf('That took a while')), afterMs }),
    post: () => ({ code: CODE.CHANGED, afterMs }),
    put: () => ({ code: CODE.CHANGED, afterMs }),
    delete: () => ({ code: CODE.DELETED, afterMs }),
  }
}

function plain(path: string, text: string, title?: string): Resource {
  return {
    path,
    attributes: () => (title === undefined ? undefined : { title, ct: '0' }),
    get: () => shown(textOf(text)),
  }
}

/** One thing to say; the first is what those get who do not ask for a format. */
const FORMATS: readonly Representation[] = [
  { format: CONTENT_FORMAT.TEXT, payload: utf8('Horse: Bella, hay: 2 kg, temperature: 12 °C') },
  { format: CONTENT_FORMAT.XML, payload: utf8('<horse name="Bella" hay="2"/>') },
  { format: CONTENT_FORMAT.JSON, payload: utf8('{"horse":"Bella","hay":2}') },
  // {"horse": "Bella", "hay": 2}
  {
    format: CONTENT_FORMAT.CBOR,
    payload: Uint8Array.from([0xa2, 0x65, ...utf8('horse'), 0x65, ...utf8('Bella'), 0x63, ...utf8('hay'), 2]),
  },
]
