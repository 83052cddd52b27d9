import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '../problems.ts'
import type { Identity } from './identify.ts'
import { csrfOf, sameText } from './tokens.ts'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Whether a browser says that a page of ours sent this. Browsers send Origin with every write and every WebSocket; programs
 * that are none send nothing, and are let through: they carry no cookie that somebody else could use.
 */
export function isOwnOrigin(headers: IncomingHttpHeaders, origin: string): boolean {
  if (headers.origin !== undefined) return headers.origin === origin
  const site = headers['sec-fetch-site']
  return site === undefined || site === 'same-origin' || site === 'none'
}

/** Refuses writes from pages of other sites, signed in or not: also to sign somebody in (login CSRF). @throws Problem 403 */
export function checkOrigin(method: string, headers: IncomingHttpHeaders, origin: string): void {
  if (!SAFE.has(method) && !isOwnOrigin(headers, origin)) throw new Problem('foreign-origin')
}

/**
 * Refuses writes by cookie without the header that only a page of ours knows. @throws Problem 403
 * The second wall beside Origin and SameSite: each alone has had its holes.
 */
export function checkWrite(method: string, headers: IncomingHttpHeaders, identity: Identity | null): void {
  if (SAFE.has(method) || identity?.token === undefined) return
  const given = headers['x-csrf']
  if (typeof given !== 'string' || !sameText(given, csrfOf(identity.token))) throw new Problem('csrf-missing')
}
