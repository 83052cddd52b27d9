/** The resources of the OSCORE interoperability tests (EricssonResearch/OSCOAP, test-spec5). */
import { CODE } from '@pesebre/coap/codec/codes'
import { etag, maxAge } from '@pesebre/coap/endpoint/response'
import { bodyOf, type Notification, type Reply, type Resource, shown, textOf } from '../resource.ts'

export function oscoreResources(): readonly Resource[] {
  return [
    { ...hello('coap'), isProtected: false },
    hello('1'),
    hello('2', [etag(Uint8Array.of(0x2b))]),
    hello('3', [maxAge(5)]),
    {
      path: 'oscore/hello/6',
      isProtected: true,
      attributes: () => ({ title: 'POST changes it, and shows what it is then', ct: '0' }),
      post: (request) => ({ ...shown(bodyOf(request)), code: CODE.CHANGED, settled: true }),
    },
    {
      path: 'oscore/hello/7',
      isProtected: true,
      attributes: () => ({ title: 'PUT, with conditions' }),
      tag: () => Uint8Array.of(0x7b),
      put: () => ({ code: CODE.CHANGED, settled: true }),
    },
    observed('oscore/observe1', true),
    observed('oscore/observe2', false),
    {
      path: 'oscore/test',
      isProtected: true,
      attributes: () => ({ title: 'DELETE' }),
      delete: () => ({ code: CODE.DELETED, settled: true }),
    },
  ]
}

function hello(name: string, options: Reply['options'] = []): Resource {
  return {
    path: `oscore/hello/${name}`,
    isProtected: true,
    attributes: () => ({ title: 'Hello World', ct: '0' }),
    get: () => ({ ...shown(textOf('Hello World!'), options), settled: true }),
  }
}

/** Says "one" to a registration and "two" at the next tick; if it is to end, an error at the tick after that. */
function observed(path: string, ends: boolean): Resource {
  let ticks = 0
  const show = (): Reply => ({ ...shown(textOf(ticks === 0 ? 'one' : 'two')), observe: path, settled: true })
  const end = (): Reply => ({ ...shown(textOf('Terminate Observe')), code: CODE.INTERNAL_SERVER_ERROR })
  const tick = (): readonly Notification[] => {
    ticks++
    if (ticks === 1) return [{ resource: path, response: show() }]
    return ticks === 2 && ends ? [{ resource: path, response: end() }] : []
  }
  return {
    path,
    isProtected: true,
    attributes: () => ({ title: 'Changes twice', ct: '0', obs: true }),
    get: ({ observe }) => {
      if (observe === 0) ticks = 0
      return show()
    },
    tick,
  }
}
