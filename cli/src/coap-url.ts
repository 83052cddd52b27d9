import { isIPv6 } from 'node:net'
import { Misuse } from './command.ts'

/** RFC 7252 section 6.1: the port of `coap` URIs without one. */
const COAP_PORT = 5683
/** RFC 7252 section 5.10: longest Uri-Path and Uri-Query, bytes. */
const PART_MAX = 255

/** Where a request goes, taken apart as CoAP's options want it. */
export type CoapUrl = {
  /** A name or a numeric address, without brackets. */
  readonly host: string
  readonly port: number
  /** Uri-Path, decoded. */
  readonly path: readonly string[]
  /** Uri-Query, decoded. */
  readonly query: readonly string[]
  /** As a person would type it. */
  readonly text: string
}

/**
 * Takes a CoAP URL apart as RFC 7252 section 6.4 says.
 * @param text `coap://host[:port]/path?query`, or a path alone: then of the local stack
 * @param localPort the port of the local stack
 * @throws Misuse
 */
export function parseCoapUrl(text: string, localPort: number): CoapUrl {
  const full = text.startsWith('/') ? `coap://127.0.0.1:${localPort}${text}` : text
  if (/^coaps/i.test(full)) throw new Misuse(`Only coap:// is spoken here, not DTLS or TCP: "${text}"`)
  if (!/^coap:\/\//i.test(full) || !URL.canParse(full)) {
    throw new Misuse(`Not a CoAP URL, as coap://host/path is, nor a path, as /path is: "${text}"`)
  }
  const url = new URL(full)
  if (url.hash !== '' || url.username !== '' || url.hostname === '') {
    throw new Misuse(`A CoAP URL has a host, and neither a user nor a fragment: "${text}"`)
  }
  const bare = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const path = url.pathname.replace(/^\//, '')
  return {
    host: isIPv6(bare) ? bare : decode(bare, text),
    port: url.port === '' ? COAP_PORT : Number(url.port),
    path: path === '' ? [] : path.split('/').map((segment) => decode(segment, text)),
    query:
      url.search === ''
        ? []
        : url.search
            .slice(1)
            .split('&')
            .map((argument) => decode(argument, text)),
    text: full,
  }
}

function decode(part: string, text: string): string {
  let decoded: string
  try {
    decoded = decodeURIComponent(part)
  } catch {
    throw new Misuse(`A percent sign in a URL begins two hex digits: "${text}"`)
  }
  if (Buffer.byteLength(decoded) > PART_MAX) {
    throw new Misuse(`A part of a CoAP path or query has at most ${PART_MAX} bytes: "${part}"`)
  }
  return decoded
}
