/**
 * Option numbers and what their definitions demand of a value. A registry of data: whether an option is critical, unsafe to
 * forward or part of a cache key follows from its number alone (RFC 7252 section 5.4.6).
 */
export type OptionFormat = 'empty' | 'opaque' | 'uint' | 'string'

/** What the definition of one option says. Lengths in bytes. */
export interface OptionDefinition {
  readonly number: number
  readonly name: string
  readonly format: OptionFormat
  readonly repeatable: boolean
  readonly min: number
  readonly max: number
}

/** Option numbers by name: RFC 7252 section 5.10, 7641, 7959, 7967, 8613, 8768, 9175, 9177. */
export const OPTION = {
  IF_MATCH: 1,
  URI_HOST: 3,
  ETAG: 4,
  IF_NONE_MATCH: 5,
  OBSERVE: 6,
  URI_PORT: 7,
  LOCATION_PATH: 8,
  OSCORE: 9,
  URI_PATH: 11,
  CONTENT_FORMAT: 12,
  MAX_AGE: 14,
  URI_QUERY: 15,
  HOP_LIMIT: 16,
  ACCEPT: 17,
  Q_BLOCK1: 19,
  LOCATION_QUERY: 20,
  BLOCK2: 23,
  BLOCK1: 27,
  SIZE2: 28,
  Q_BLOCK2: 31,
  PROXY_URI: 35,
  PROXY_SCHEME: 39,
  SIZE1: 60,
  ECHO: 252,
  NO_RESPONSE: 258,
  REQUEST_TAG: 292,
} as const

/** Every option that has a name here. */
export const OPTIONS: readonly OptionDefinition[] = [
  define(OPTION.IF_MATCH, 'If-Match', 'opaque', 0, 8, true),
  define(OPTION.URI_HOST, 'Uri-Host', 'string', 1, 255),
  define(OPTION.ETAG, 'ETag', 'opaque', 1, 8, true),
  define(OPTION.IF_NONE_MATCH, 'If-None-Match', 'empty', 0, 0),
  define(OPTION.OBSERVE, 'Observe', 'uint', 0, 3),
  define(OPTION.URI_PORT, 'Uri-Port', 'uint', 0, 2),
  define(OPTION.LOCATION_PATH, 'Location-Path', 'string', 0, 255, true),
  define(OPTION.OSCORE, 'OSCORE', 'opaque', 0, 255),
  define(OPTION.URI_PATH, 'Uri-Path', 'string', 0, 255, true),
  define(OPTION.CONTENT_FORMAT, 'Content-Format', 'uint', 0, 2),
  define(OPTION.MAX_AGE, 'Max-Age', 'uint', 0, 4),
  define(OPTION.URI_QUERY, 'Uri-Query', 'string', 0, 255, true),
  define(OPTION.HOP_LIMIT, 'Hop-Limit', 'uint', 1, 1),
  define(OPTION.ACCEPT, 'Accept', 'uint', 0, 2),
  define(OPTION.Q_BLOCK1, 'Q-Block1', 'uint', 0, 3),
  define(OPTION.LOCATION_QUERY, 'Location-Query', 'string', 0, 255, true),
  define(OPTION.BLOCK2, 'Block2', 'uint', 0, 3),
  define(OPTION.BLOCK1, 'Block1', 'uint', 0, 3),
  define(OPTION.SIZE2, 'Size2', 'uint', 0, 4),
  define(OPTION.Q_BLOCK2, 'Q-Block2', 'uint', 0, 3, true),
  define(OPTION.PROXY_URI, 'Proxy-Uri', 'string', 1, 1034),
  define(OPTION.PROXY_SCHEME, 'Proxy-Scheme', 'string', 1, 255),
  define(OPTION.SIZE1, 'Size1', 'uint', 0, 4),
  define(OPTION.ECHO, 'Echo', 'opaque', 1, 40),
  define(OPTION.NO_RESPONSE, 'No-Response', 'uint', 0, 1),
  define(OPTION.REQUEST_TAG, 'Request-Tag', 'opaque', 0, 8, true),
]

/** A receiver that does not know a critical option may not act on the message (RFC 7252 section 5.4.1). */
export function isCritical(number: number): boolean {
  return (number & 1) === 1
}

/** A proxy that does not know the option may not forward the message. */
export function isUnsafe(number: number): boolean {
  return (number & 2) === 2
}

/** The option plays no part in telling cached responses apart. */
export function isNoCacheKey(number: number): boolean {
  return (number & 0x1e) === 0x1c
}

/** The definition of an option, undefined when its number has no name here. */
export function optionDefinition(number: number): OptionDefinition | undefined {
  return byNumber.get(number)
}

/**
 * Whether a value of this length is one that the option's definition allows. A value that it does not allow makes the
 * option count as one that is not recognized (RFC 7252 section 5.4.3).
 */
export function isLengthAllowed(number: number, length: number): boolean {
  if (number > HIGHEST) return true
  return length >= minimum[number]! && length <= maximum[number]!
}

/** Whether more than one instance is defined to have a meaning; options without a name here are taken to be repeatable. */
export function isRepeatable(number: number): boolean {
  return number > HIGHEST || repeatable[number] === 1
}

// The registry as arrays by number: a request is checked option by option on the hot path.
const byNumber = new Map(OPTIONS.map((definition) => [definition.number, definition]))
const HIGHEST = Math.max(...byNumber.keys())
const minimum = new Uint16Array(HIGHEST + 1)
const maximum = new Uint16Array(HIGHEST + 1).fill(0xffff)
const repeatable = new Uint8Array(HIGHEST + 1).fill(1)
for (const definition of OPTIONS) {
  minimum[definition.number] = definition.min
  maximum[definition.number] = definition.max
  repeatable[definition.number] = definition.repeatable ? 1 : 0
}

function define(
  number: number,
  name: string,
  format: OptionFormat,
  min: number,
  max: number,
  repeatable = false,
): OptionDefinition {
  return { number, name, format, min, max, repeatable }
}
