/** TD_COAP_BLOCK: bodies of more than a datagram. The blocks are the endpoint's business: here every body is whole. */
import { CODE } from '@pesebre/coap/codec/codes'
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { formatLinks } from '@pesebre/coap/codec/link-format'
import { decodeUtf8, utf8 } from '@pesebre/coap/codec/text'
import { content, locationPath } from '@pesebre/coap/endpoint/response'
import { bodyOf, type Representation, type Resource, shown, textOf } from '../resource.ts'

/** Bodies that /large-create keeps; the oldest goes. */
const CREATED_MAX = 16

export function blockResources(): readonly Resource[] {
  return [large(), largeUpdate(), largeCreate(), largePost()]
}

/** Numbered lines of 64 bytes, so that a gap or a block in the wrong place can be seen. */
export function lines(count: number, title: string): string {
  return Array.from({ length: count }, (_, i) =>
    `${String(i + 1).padStart(2, '0')}/${count} ${title} `.padEnd(63, '-').concat('\n'),
  ).join('')
}

function large(): Resource {
  const body = textOf(lines(27, 'large'))
  return {
    path: 'large',
    attributes: () => ({ title: 'Large', rt: 'block', ct: '0', sz: `${body.payload.length}` }),
    get: () => shown(body),
  }
}

function largeUpdate(): Resource {
  let now = textOf(lines(21, 'large-update'))
  return {
    path: 'large-update',
    attributes: () => ({
      title: 'Large, takes PUT',
      rt: 'block',
      ct: `${now.format}`,
      sz: `${now.payload.length}`,
    }),
    get: () => shown(now),
    put: (request) => {
      now = bodyOf(request)
      return { code: CODE.CHANGED }
    },
  }
}

/** POST to /large-create makes /large-create/1, /large-create/2 and so on. */
function largeCreate(): Resource {
  const created = new Map<string, Representation>()
  let count = 0
  const childOf = ([name, body]: [string, Representation]): Resource => ({
    path: `large-create/${name}`,
    attributes: () => ({ ct: `${body.format}`, sz: `${body.payload.length}` }),
    get: () => shown(body),
    delete: () => {
      created.delete(name)
      return { code: CODE.DELETED }
    },
  })
  const children = (): readonly Resource[] => [...created].map(childOf)
  return {
    path: 'large-create',
    attributes: () => ({ title: 'POST creates a large resource', rt: 'block', ct: '40' }),
    children,
    get: () => {
      const links = children().map(({ path, attributes }) => ({
        href: `/${path}`,
        attributes: attributes?.() ?? {},
      }))
      return content(CONTENT_FORMAT.LINK_FORMAT, utf8(formatLinks(links)))
    },
    post: (request) => {
      const name = `${++count}`
      created.set(name, bodyOf(request))
      const [oldest] = created.keys()
      if (created.size > CREATED_MAX && oldest !== undefined) created.delete(oldest)
      return { code: CODE.CREATED, options: locationPath('large-create', name) }
    },
  }
}

/** POST to /large-post gives the text back in capital letters: as long an answer as the request. */
function largePost(): Resource {
  return {
    path: 'large-post',
    attributes: () => ({ title: 'POST gives capital letters back', rt: 'block', ct: '0' }),
    post: ({ payload }) => {
      const text = decodeUtf8(payload)
      if (text === undefined) return { code: CODE.BAD_REQUEST }
      return { ...shown(textOf(text.toUpperCase())), code: CODE.CHANGED }
    },
  }
}
