/** The HTTP API (design/wire.md section 7): JSON in and out, problem details (RFC 9457) as errors. */

import { heardTime } from './clock.ts'

/** What the server refused, or why nothing came. `name` is the end of the problem's type; `fields` its further members. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly status: number
  /** `network` when no answer came at all, `unknown` when it was not a problem document. */
  readonly kind: string
  readonly fields: Readonly<Record<string, unknown>>

  constructor(status: number, kind: string, fields: Record<string, unknown> = {}) {
    super(typeof fields['detail'] === 'string' ? fields['detail'] : `${kind} (${status})`)
    this.status = status
    this.kind = kind
    this.fields = fields
  }
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Longer than any answer of a healthy server takes; a phone in a stable may lose the network without a word. */
const TIMEOUT_MS = 15_000

let csrf = ''

/** What the session says that writes must carry. */
export function setCsrf(token: string | null): void {
  csrf = token ?? ''
}

let onSignedOut: () => void = () => undefined

/** Who is told that the session has ended. */
export function whenSignedOut(then: () => void): void {
  onSignedOut = then
}

/**
 * One request. Writes carry `x-csrf`, which no foreign page can set.
 * @throws Problem for every answer that is not a success, and when none came
 */
export async function request<T>(
  method: Method,
  path: string,
  { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<T> {
  const response = await fetch(`/api${path}`, {
    method,
    credentials: 'same-origin',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      accept: 'application/json',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(method !== 'GET' && { 'x-csrf': csrf }),
      ...headers,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    throw new Problem(0, 'network', { detail: String(error) })
  })
  heardTime(response.headers.get('date'))
  if (response.ok) return (response.status === 204 ? undefined : await readJson(response)) as T
  const problem = await problemOf(response)
  if (problem.status === 401 && path !== '/session') onSignedOut()
  throw problem
}

export const get = <T>(path: string): Promise<T> => request<T>('GET', path)
export const post = <T>(path: string, body: unknown = {}, headers?: Record<string, string>): Promise<T> =>
  request<T>('POST', path, { body, ...(headers && { headers }) })
export const put = <T>(path: string, body: unknown): Promise<T> => request<T>('PUT', path, { body })
export const patch = <T>(path: string, body: unknown): Promise<T> => request<T>('PATCH', path, { body })
export const remove = <T>(path: string, body?: unknown): Promise<T> =>
  request<T>('DELETE', path, body === undefined ? {} : { body })

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text()
  return text === '' ? undefined : JSON.parse(text)
}

async function problemOf(response: Response): Promise<Problem> {
  const body = await readJson(response).catch(() => undefined)
  if (typeof body !== 'object' || body === null) return new Problem(response.status, 'unknown')
  const fields = body as Record<string, unknown>
  const type = typeof fields['type'] === 'string' ? fields['type'] : 'unknown'
  return new Problem(response.status, type.slice(type.lastIndexOf('/') + 1), fields)
}
