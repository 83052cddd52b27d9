/** Functions that make the options and answers an application needs. */
import { CODE } from '../codec/codes.ts'
import { CONTENT_FORMAT } from '../codec/content-formats.ts'
import type { Option } from '../codec/message.ts'
import { OPTION } from '../codec/options.ts'
import { utf8 } from '../codec/text.ts'
import { uintBytes } from '../codec/uint.ts'
import type { Response } from './types.ts'

/** Content-Format: 50 is JSON (codec/content-formats). */
export function contentFormat(number: number): Option {
  return { number: OPTION.CONTENT_FORMAT, value: uintBytes(number) }
}

/** Max-Age in seconds: how long the answer stays good; on 4.29 and 5.03, how long to wait (RFC 7252 5.9.3.4, RFC 8516). */
export function maxAge(seconds: number): Option {
  return { number: OPTION.MAX_AGE, value: uintBytes(seconds) }
}

/** ETag, 1 to 8 bytes. Throws RangeError for another length. */
export function etag(value: Uint8Array): Option {
  if (value.length < 1 || value.length > 8)
    throw new RangeError(`Failed to make an ETag of length: ${value.length}`)
  return { number: OPTION.ETAG, value }
}

/** Size1 in a 4.13: the largest body that is taken, bytes (RFC 7959 section 4). */
export function size1(bytes: number): Option {
  return { number: OPTION.SIZE1, value: uintBytes(bytes) }
}

/** Size2: the size of the whole answer, bytes. */
export function size2(bytes: number): Option {
  return { number: OPTION.SIZE2, value: uintBytes(bytes) }
}

/** Location-Path of a created resource, one option per segment. Throws RangeError for a segment beyond 255 bytes. */
export function locationPath(...segments: readonly string[]): Option[] {
  return segments.map((segment) => textOption(OPTION.LOCATION_PATH, segment))
}

/** Location-Query, one option per argument. Throws RangeError for one beyond 255 bytes. */
export function locationQuery(...args: readonly string[]): Option[] {
  return args.map((argument) => textOption(OPTION.LOCATION_QUERY, argument))
}

/** A response whose payload says to a person what went wrong (RFC 7252 section 5.5.2): no Content-Format, short. */
export function diagnostic(code: number, text: string, options?: readonly Option[]): Response {
  return { code, payload: utf8(text), ...(options && { options }) }
}

/** 4.05. */
export function methodNotAllowed(): Response {
  return { code: CODE.METHOD_NOT_ALLOWED }
}

/** 4.13 with the largest body that is taken. */
export function tooLarge(max: number): Response {
  return { code: CODE.REQUEST_ENTITY_TOO_LARGE, options: [size1(max)] }
}

/** 4.15. */
export function unsupportedContentFormat(): Response {
  return { code: CODE.UNSUPPORTED_CONTENT_FORMAT }
}

/** 4.29 with the seconds after which to try again. */
export function tooManyRequests(seconds: number): Response {
  return { code: CODE.TOO_MANY_REQUESTS, options: [maxAge(seconds)] }
}

/** 5.03 with the seconds after which to try again. */
export function serviceUnavailable(seconds: number): Response {
  return { code: CODE.SERVICE_UNAVAILABLE, options: [maxAge(seconds)] }
}

/** 2.05 with a body of the given Content-Format. */
export function content(format: number, payload: Uint8Array, options: readonly Option[] = []): Response {
  return { code: CODE.CONTENT, options: [contentFormat(format), ...options], payload }
}

/** 2.05 with text. */
export function text(body: string, options: readonly Option[] = []): Response {
  return content(CONTENT_FORMAT.TEXT, utf8(body), options)
}

function textOption(number: number, text: string): Option {
  const value = utf8(text)
  if (value.length > 255) throw new RangeError(`Failed to make an option of length: ${value.length}`)
  return { number, value }
}
