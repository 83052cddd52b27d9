/**
 * Codes of requests and responses: three bits of class, five of detail, written `c.dd`.
 * Sources: RFC 7252 section 12.1, RFC 8132 (FETCH, PATCH, iPATCH, 4.09, 4.22), RFC 7959 (2.31, 4.08), RFC 8516 (4.29),
 * RFC 8768 (5.08).
 */

/** 0.00: neither a request nor a response (RFC 7252 section 4.1). */
export const EMPTY = 0

/** Request codes by the method's name. */
export const METHOD = {
  GET: 0x01,
  POST: 0x02,
  PUT: 0x03,
  DELETE: 0x04,
  FETCH: 0x05,
  PATCH: 0x06,
  IPATCH: 0x07,
} as const

/** Response codes by their name in the IANA registry. */
export const CODE = {
  CREATED: 0x41,
  DELETED: 0x42,
  VALID: 0x43,
  CHANGED: 0x44,
  CONTENT: 0x45,
  CONTINUE: 0x5f,
  BAD_REQUEST: 0x80,
  UNAUTHORIZED: 0x81,
  BAD_OPTION: 0x82,
  FORBIDDEN: 0x83,
  NOT_FOUND: 0x84,
  METHOD_NOT_ALLOWED: 0x85,
  NOT_ACCEPTABLE: 0x86,
  REQUEST_ENTITY_INCOMPLETE: 0x88,
  CONFLICT: 0x89,
  PRECONDITION_FAILED: 0x8c,
  REQUEST_ENTITY_TOO_LARGE: 0x8d,
  UNSUPPORTED_CONTENT_FORMAT: 0x8f,
  UNPROCESSABLE_ENTITY: 0x96,
  TOO_MANY_REQUESTS: 0x9d,
  INTERNAL_SERVER_ERROR: 0xa0,
  NOT_IMPLEMENTED: 0xa1,
  BAD_GATEWAY: 0xa2,
  SERVICE_UNAVAILABLE: 0xa3,
  GATEWAY_TIMEOUT: 0xa4,
  PROXYING_NOT_SUPPORTED: 0xa5,
  HOP_LIMIT_REACHED: 0xa8,
} as const

/** The class of a code: 0 request or empty, 2 success, 4 client error, 5 server error; 1, 6 and 7 are reserved, 3 is not used. */
export function codeClass(code: number): number {
  return code >> 5
}

export function isRequest(code: number): boolean {
  return code > 0 && code < 0x20
}

/** 2.00 to 5.31 (RFC 7252 section 12.1); of class 3 there is none yet. */
export function isResponse(code: number): boolean {
  const top = code >> 5
  return top >= 2 && top <= 5
}

/** 2.xx (RFC 7252 section 5.9.1). */
export function isSuccess(code: number): boolean {
  return code >> 5 === 2
}

/** Whether the class has no meaning over UDP (RFC 7252 section 12.1; 7.xx is for TCP only, RFC 8323). */
export function isReserved(code: number): boolean {
  return code > 0x1f && !isResponse(code)
}

/** The code as people write it: `0x44` is `2.04`. */
export function formatCode(code: number): string {
  return `${code >> 5}.${String(code & 0x1f).padStart(2, '0')}`
}

/** The name of a method or response code, `2.04 Changed` in the registry's words, or only the number if it has none. */
export function nameCode(code: number): string {
  const name = names.get(code)
  return name === undefined ? formatCode(code) : `${formatCode(code)} ${name}`
}

const names = new Map<number, string>(
  [...Object.entries(METHOD), ...Object.entries(CODE)].map(([name, code]) => [code, readable(name, code)]),
)

function readable(name: string, code: number): string {
  if (isRequest(code)) return name === 'IPATCH' ? 'iPATCH' : name
  return name
    .split('_')
    .map((word) => word.charAt(0) + word.slice(1).toLowerCase())
    .join(' ')
}
