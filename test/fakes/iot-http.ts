import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CallError, codeOf } from '../../bridge-lambda/src/errors.ts'
import { createShadows } from './iot-shadows.ts'

/** What to answer instead of doing the request: an AWS error, or the connection cut. */
export type Fault = { status: number; error: string } | 'cut'

const STATUS = {
  conflict: [409, 'ConflictException'],
  missing: [404, 'ResourceNotFoundException'],
  exists: [409, 'ResourceAlreadyExistsException'],
  refused: [400, 'InvalidRequestException'],
  unavailable: [429, 'ThrottlingException'],
} as const

/** The few routes of AWS IoT that the bridge calls, over HTTP, so that the real SDK clients can be driven with faults. */
export async function startIotHttp() {
  const shadows = createShadows()
  const things = new Map<string, string>()
  const types = new Set<string>()
  const calls: string[] = []
  const fake = {
    shadows,
    things,
    types,
    /** Method and path of each request, in order. */
    calls,
    url: '',
    /** Asked before each request; an answer that is not undefined is given instead. */
    fault: (_call: string): Fault | undefined => undefined,
    /** Called after each request was done, before it is answered: true loses the answer. */
    loseAnswer: (_call: string): boolean => false,
    close: () => new Promise<void>((resolve) => server.close(() => resolve()).closeAllConnections()),
  }

  const server = createServer((request, response) => {
    void answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return fake

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : {}
    const call = `${request.method} ${decodeURIComponent(request.url ?? '')}`
    calls.push(call)
    const fault = fake.fault(call)
    if (fault === 'cut') return void request.socket.destroy()
    if (fault !== undefined) return fail(response, fault)
    try {
      const result = await route(call, body)
      if (fake.loseAnswer(call)) return void request.socket.destroy()
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result))
    } catch (error) {
      const [status, name] = STATUS[codeOf(error) ?? 'unavailable']
      fail(response, { status, error: name, message: (error as Error).message })
    }
  }

  async function route(call: string, body: Record<string, unknown>): Promise<unknown> {
    const signal = new AbortController().signal
    const [, method, kind, name, rest] = /^(\w+) \/([\w-]+)\/([^/?]+)(?:\/(\w+))?/.exec(call) ?? []
    if (kind === 'things' && rest === 'shadow' && method === 'GET') {
      const { reported, version } = await shadows.getShadow(name!, signal)
      return { state: { reported }, metadata: { reported: {} }, version, timestamp: 1 }
    }
    if (kind === 'things' && rest === 'shadow' && method === 'POST') {
      const { state, version } = body as { state: { reported: Record<string, unknown> }; version?: number }
      const next = await shadows.updateShadow(
        name!,
        { reported: state.reported, ...(version !== undefined && { version }) },
        signal,
      )
      return { state, metadata: { reported: {} }, version: next, timestamp: 1 }
    }
    if (kind === 'thing-types') {
      types.add(name!)
      return { thingTypeName: name, thingTypeArn: 'arn' }
    }
    if (kind === 'things') {
      const type = body['thingTypeName'] as string
      if (!types.has(type)) throw new CallError('missing', `No thing type ${type}`)
      const held = things.get(name!)
      if (held !== undefined && held !== type)
        throw new CallError('exists', `Thing ${name} already exists with different attributes`)
      things.set(name!, type)
      return { thingName: name, thingArn: 'arn' }
    }
    throw new Error(`No such route: ${call}`)
  }
}

function fail(
  response: ServerResponse,
  { status, error, message = error }: { status: number; error: string; message?: string },
): void {
  response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': error })
  response.end(JSON.stringify({ message }))
}
