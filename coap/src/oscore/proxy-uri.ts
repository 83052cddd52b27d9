import type { Option } from '../codec/message.ts'
import { OPTION } from '../codec/options.ts'
import { decodeUtf8, utf8 } from '../codec/text.ts'

/**
 * Takes a Proxy-Uri apart (RFC 8613 section 4.1.3.3): scheme and authority stay outside for the proxy, path and query go inside as
 * the options that RFC 7252 section 6.4 makes of them. Throws RangeError for a URI that cannot be taken apart.
 */
export function splitProxyUri(value: Uint8Array): {
  readonly outer: Option
  readonly inner: readonly Option[]
} {
  const uri = decodeUtf8(value)
  const parts = uri === undefined ? null : ABSOLUTE.exec(uri)
  if (parts === null)
    throw new RangeError(`Failed to protect a message: Proxy-Uri is no absolute URI: ${uri}`)
  const [, origin = '', path = '', query] = parts
  // One slash alone is no segment (section 6.4, step 8).
  const segments = path === '' || path === '/' ? [] : path.slice(1).split('/')
  const args = query === undefined ? [] : query.split('&')
  return {
    outer: { number: OPTION.PROXY_URI, value: utf8(origin) },
    inner: [
      ...segments.map((segment) => ({ number: OPTION.URI_PATH, value: unescaped(segment) })),
      ...args.map((argument) => ({ number: OPTION.URI_QUERY, value: unescaped(argument) })),
    ],
  }
}

/** Scheme and authority, path, query. A fragment has no place in it (RFC 7252 section 5.10.2). */
const ABSOLUTE = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]+)(\/[^?#]*)?(?:\?([^#]*))?$/i

function unescaped(text: string): Uint8Array {
  try {
    return utf8(decodeURIComponent(text))
  } catch (cause) {
    throw new RangeError(`Failed to protect a message: bad escape in Proxy-Uri: ${text}`, { cause })
  }
}
