/** TD_COAP_LINK: discovery. */
import { CONTENT_FORMAT } from '@pesebre/coap/codec/content-formats'
import { filterLinks, formatLinks, type Link } from '@pesebre/coap/codec/link-format'
import { utf8 } from '@pesebre/coap/codec/text'
import { content } from '@pesebre/coap/endpoint/response'
import { type Resource, shown, textOf } from '../resource.ts'

const SUBS = ['path/sub1', 'path/sub2', 'path/sub3'] as const

export function linkResources(): readonly Resource[] {
  return [
    linked('link1', { rt: 'Type1 Type2', if: 'If1' }),
    linked('link2', { rt: 'Type2 Type3', if: 'If2' }),
    linked('link3', { rt: 'Type1 Type3', if: 'foo' }),
    {
      path: 'path',
      attributes: () => ({ title: 'Has resources below it', ct: '40' }),
      get: () => {
        const links = SUBS.map((path) => ({ href: `/${path}`, attributes: { ct: '0' } }))
        return content(CONTENT_FORMAT.LINK_FORMAT, utf8(formatLinks(links)))
      },
    },
    // Not listed in /.well-known/core: they are found through /path (RFC 6690 section 5).
    ...SUBS.map((path) => ({ path, get: () => shown(textOf(`/${path}`)) })),
  ]
}

/** `/.well-known/core` with what `all` has at the time of asking. */
export function wellKnown(all: () => readonly Resource[]): Resource {
  return {
    path: '.well-known/core',
    get: ({ query }) => {
      const links: Link[] = []
      for (const { path, attributes } of all()) {
        const held = attributes?.()
        if (held !== undefined) links.push({ href: `/${path}`, attributes: held })
      }
      return content(CONTENT_FORMAT.LINK_FORMAT, utf8(formatLinks(filterLinks(links, query))))
    },
  }
}

function linked(path: string, attributes: Link['attributes']): Resource {
  return {
    path,
    attributes: () => ({ ...attributes, ct: '0' }),
    get: () => shown(textOf(`This is /${path}`)),
  }
}
