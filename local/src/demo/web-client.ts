/** A person at the web app, without a browser: the API, its cookie and its CSRF header. */
export type WebClient = {
  /** The body of a good answer. @throws Error with method, path and what was said instead */
  call<T = unknown>(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<T>
}

const ANSWER_MS = 10_000

/** @param url of the web server, as people type it: its Origin is checked */
export function webClient(url: string): WebClient {
  let cookie = ''
  let csrf = ''

  async function call<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        origin: url,
        ...headers,
        ...(cookie !== '' && { cookie, 'x-csrf': csrf }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    const set = answer.headers.getSetCookie()[0]
    if (set !== undefined) cookie = set.split(';')[0]!
    const text = await answer.text()
    if (!answer.ok) throw new Error(`Cannot set up the demo: ${method} ${path}: ${answer.status} ${text}`)
    const isJson = answer.headers.get('content-type')?.includes('json') === true
    const value = (isJson ? JSON.parse(text) : text) as T
    const given = (value as { csrf?: unknown } | null)?.csrf
    if (typeof given === 'string') csrf = given
    return value
  }

  return { call }
}
