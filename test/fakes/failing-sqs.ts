import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Batch, Report } from '@pesebre/contract/report'
import { buildApp } from 'fauxqs'

const QUEUE = 'pesebre-reports'

/**
 * What SQS does while it is paused. `refused`: nobody listens on its port. `unavailable`: every call gets 503.
 * `silent`: calls are taken and never answered. `forgetful`: calls take effect, but the connection breaks before
 * the answer.
 */
export type Outage = 'refused' | 'unavailable' | 'silent' | 'forgetful'

export type Sqs = {
  readonly queueUrl: string
  /** For startGateway({ env }): makes the gateway use this queue. */
  readonly env: Record<string, string>
  pause(how?: Outage): Promise<void>
  resume(): Promise<void>
  /** Bodies of the messages that the queue took, oldest first, also those that were received and deleted since. */
  batches(): readonly Batch[]
  /** Their records, oldest first. */
  received(): Report[]
  /** Resolves when `count` records are there. Rejects after `withinMs`. */
  waitFor(count: number, withinMs?: number): Promise<Report[]>
  stop(): Promise<void>
}

/** A queue in this process (fauxqs), behind a door that can be shut in the ways in which SQS goes away. */
export async function createSqs(): Promise<Sqs> {
  // Without a port of its own: it would listen on every interface.
  const fauxqs = buildApp({ logger: false, defaultRegion: 'us-east-1' })
  const taken: Batch[] = []
  const held = new Set<ServerResponse>()
  let outage: Outage | undefined

  const server: Server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  server.keepAliveTimeout = 60_000
  const port = await listen(server, 0)
  const endpoint = `http://127.0.0.1:${port}`
  const queueUrl = `${endpoint}/000000000000/${QUEUE}`
  await forward(
    { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AmazonSQS.CreateQueue' },
    JSON.stringify({ QueueName: QUEUE }),
  )

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request)
    if (outage === 'silent') {
      held.add(response)
      return
    }
    if (outage === 'unavailable') {
      response.writeHead(503, { 'content-type': 'application/x-amz-json-1.0' })
      response.end('{"__type":"com.amazonaws.sqs#ServiceUnavailable","message":"away"}')
      return
    }
    const answer = await forward(request.headers, body)
    if (outage === 'forgetful') response.destroy()
    else response.writeHead(answer.status, { 'content-type': answer.type }).end(answer.body)
  }

  async function forward(headers: IncomingMessage['headers'], payload: string) {
    const answer = await fauxqs.inject({ method: 'POST', url: '/', headers, payload })
    if (String(headers['x-amz-target']).endsWith('.SendMessageBatch')) take(payload, answer.body)
    return { status: answer.statusCode, type: String(answer.headers['content-type']), body: answer.body }
  }

  function take(asked: string, answered: string): void {
    const { Entries } = JSON.parse(asked) as { Entries: { Id: string; MessageBody: string }[] }
    const { Successful = [] } = JSON.parse(answered) as { Successful?: { Id: string }[] }
    const ids = new Set(Successful.map(({ Id }) => Id))
    for (const { Id, MessageBody } of Entries) if (ids.has(Id)) taken.push(JSON.parse(MessageBody) as Batch)
  }

  async function resume(): Promise<void> {
    const before = outage
    outage = undefined
    for (const response of held) response.destroy()
    held.clear()
    if (before === 'refused') await listen(server, port)
  }

  const received = (): Report[] => taken.flatMap(({ records }) => records as Report[])

  return {
    queueUrl,
    env: { AWS_ENDPOINT_URL_SQS: endpoint, PESEBRE_QUEUE_URL: queueUrl },
    pause: async (how = 'refused') => {
      await resume()
      outage = how
      if (how === 'refused') await close(server)
    },
    resume,
    batches: () => taken,
    received,
    waitFor: async (count, withinMs = 20_000) => {
      const until = performance.now() + withinMs
      while (received().length < count) {
        if (performance.now() > until)
          throw new Error(`Failed to receive ${count} records in time: ${received().length}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      return received()
    },
    stop: async () => {
      for (const response of held) response.destroy()
      if (outage !== 'refused') await close(server)
      await fauxqs.close()
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return (server.address() as AddressInfo).port
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
