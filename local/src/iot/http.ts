import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AwsError, invalid } from './aws-error.ts'
import { isObject, type JsonObject } from './json.ts'

/** Bytes of a request's body; the largest that any call may have is a message of 128 kB. */
const BODY_BYTES_MAX = 256 * 1024

export type RestRequest = {
  /** Decoded parts of the path, by their name in the route. */
  readonly path: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: Buffer
  /** Header `x-amzn-principal`. */
  readonly principal: string | undefined
  /** The body as a JSON object; an empty one is empty. */
  json(): JsonObject
}

/** JSON text as it is, or something to make JSON of. */
type Answer = string | object

/** Method, path with `:name` for a part and `*name` for all the rest, and what answers. */
export type Route = readonly [
  method: string,
  path: string,
  handle: (request: RestRequest) => Answer | Promise<Answer>,
]

export type HttpServer = { readonly port: number; close(): Promise<void> }

/**
 * Serves AWS's REST-JSON calls. Signatures are not looked at, so that curl works, too.
 * @param onError told of what is not the caller's fault
 * @throws Error with `code` EADDRINUSE when the port is taken
 */
export async function serveRest(
  routes: readonly Route[],
  { host, port, onError }: { host: string; port: number; onError: (error: Error) => void },
): Promise<HttpServer> {
  const find = createFinder(routes)
  const server = createServer((request, response) => {
    void answer(request, response)
  })
  server.listen(port, host)
  await once(server, 'listening')

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { pathname, query } = splitUrl(request.url ?? '/')
      const { handle, path } = find(request.method ?? '', pathname)
      const body = await readBody(request)
      const header = request.headers['x-amzn-principal']
      const principal = typeof header === 'string' ? header : undefined
      const json = () => parseBody(body)
      const pending = handle({ path, query: new URLSearchParams(query), body, principal, json })
      const result = pending instanceof Promise ? await pending : pending
      send(response, 200, result)
    } catch (error) {
      // Who hung up in the middle gets no answer.
      if (!request.destroyed || request.complete) sendError(response, error)
    }
  }

  function sendError(response: ServerResponse, error: unknown): void {
    const known = error instanceof AwsError
    if (!known) onError(error as Error)
    const { type, status, message, fields } = known
      ? error
      : new AwsError('InternalFailureException', 'Internal service failure')
    response.setHeader('x-amzn-errortype', type)
    send(response, status, { message, ...fields })
  }

  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function send(response: ServerResponse, status: number, answer: Answer): void {
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer)
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': randomUUID(),
  })
  response.end(text)
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length
    // What is too long is read to its end and thrown away, so that the caller can read the answer.
    if (length <= BODY_BYTES_MAX) parts.push(part)
    else parts.length = 0
  }
  if (length > BODY_BYTES_MAX) {
    throw new AwsError('RequestEntityTooLargeException', 'The payload exceeds the maximum size allowed')
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

function parseBody(body: Buffer): JsonObject {
  if (body.length === 0) return {}
  let value: unknown
  try {
    value = JSON.parse(body.toString())
  } catch {
    throw invalid('The request body is not JSON')
  }
  if (!isObject(value)) throw invalid('The request body is not a JSON object')
  return value
}

function splitUrl(url: string): { pathname: string; query: string } {
  const mark = url.indexOf('?')
  return mark === -1
    ? { pathname: url, query: '' }
    : { pathname: url.slice(0, mark), query: url.slice(mark + 1) }
}

type Found = { readonly handle: Route[2]; readonly path: Record<string, string> }

/** Routes by the first part of their path; among those the first that fits counts. */
function createFinder(routes: readonly Route[]): (method: string, pathname: string) => Found {
  const byFirst = new Map<string, { method: string; parts: string[]; handle: Route[2] }[]>()
  for (const [method, path, handle] of routes) {
    const parts = path.split('/').slice(1)
    const first = parts[0] ?? ''
    byFirst.set(first, [...(byFirst.get(first) ?? []), { method, parts, handle }])
  }
  return (method, pathname) => {
    const given = pathname.split('/').slice(1)
    const fitting = (byFirst.get(given[0] ?? '') ?? []).filter(({ parts }) => fits(parts, given))
    const route = fitting.find((one) => one.method === method)
    if (route !== undefined) return { handle: route.handle, path: readPath(route.parts, given) }
    if (fitting.length > 0) {
      throw new AwsError(
        'MethodNotAllowedException',
        `The local AWS IoT has no such call: ${method} ${pathname}`,
      )
    }
    throw new AwsError(
      'ResourceNotFoundException',
      `The local AWS IoT has no such call: ${method} ${pathname}`,
    )
  }
}

function fits(parts: readonly string[], given: readonly string[]): boolean {
  for (const [index, part] of parts.entries()) {
    if (part.startsWith('*')) return given.length > index
    if (index >= given.length || (!part.startsWith(':') && part !== given[index])) return false
  }
  return parts.length === given.length
}

function readPath(parts: readonly string[], given: readonly string[]): Record<string, string> {
  const path: Record<string, string> = {}
  for (const [index, part] of parts.entries()) {
    if (part.startsWith(':')) path[part.slice(1)] = decode(given[index]!)
    else if (part.startsWith('*')) path[part.slice(1)] = decode(given.slice(index).join('/'))
  }
  return path
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalid(`Invalid percent encoding: ${text}`)
  }
}
