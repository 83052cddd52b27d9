import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What a runtime told: an answer, or an error with the header that names its type. */
export type Told = {
  readonly kind: 'response' | 'error'
  readonly body: unknown
  readonly errorType: string | undefined
}

const PATH =
  /^(?<method>GET|POST) \/2018-06-01\/runtime\/(?:(?<next>invocation\/next)|(?<init>init\/error)|invocation\/(?<id>[\w-]+)\/(?<kind>response|error))$/
/** Of an invocation, in ms. */
const DEADLINE = 5_000

/**
 * Stands in for the Runtime API, which a function asks for its invocations, one at a time:
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export async function startLambdaRuntimeApi() {
  const waiting: { event: unknown; headers: Record<string, string>; answered: (told: Told) => void }[] = []
  const asking: ServerResponse[] = []
  const initError = Promise.withResolvers<Told>()
  let current: { id: string; answered: (told: Told) => void } | undefined
  let invocations = 0

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Resolves with what was told of the start that failed. */
    initError: initError.promise,
    /** Has `event` worked on. Resolves with what the function told; `headers` go with the event. */
    invoke(event: unknown, headers: Record<string, string> = {}): Promise<Told> {
      const { promise, resolve } = Promise.withResolvers<Told>()
      waiting.push({ event, headers, answered: resolve })
      give()
      // A start that failed is the answer of the invocation that it was for.
      return Promise.race([promise, initError.promise])
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { next, init, id, kind, method } = PATH.exec(`${request.method} ${request.url}`)?.groups ?? {}
    if (next && method === 'GET') {
      asking.push(response)
      return give()
    }
    // As the service does, which knows only the invocation that it gave last.
    const isKnown = method === 'POST' && (init !== undefined || (id !== undefined && id === current?.id))
    if (!isKnown) return void response.writeHead(400).end('{"errorType":"InvalidRequestID"}')
    const body: unknown = JSON.parse(await text(request))
    const errorType = request.headers['lambda-runtime-function-error-type'] as string | undefined
    const told: Told = { kind: kind === 'response' ? 'response' : 'error', body, errorType }
    response.writeHead(202).end('{"status":"OK"}')
    if (init) return initError.resolve(told)
    current?.answered(told)
    current = undefined
  }

  function give(): void {
    if (asking.length === 0 || waiting.length === 0) return
    const { event, headers, answered } = waiting.shift()!
    current = { id: `8476a536-${++invocations}`, answered }
    asking
      .shift()!
      .writeHead(200, {
        'lambda-runtime-aws-request-id': current.id,
        'lambda-runtime-deadline-ms': `${Date.now() + DEADLINE}`,
        'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:000000000000:function:bridge',
        ...headers,
      })
      .end(JSON.stringify(event))
  }
}
