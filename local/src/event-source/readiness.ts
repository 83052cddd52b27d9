import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { PollerState } from './poller.ts'

/**
 * Serves /readyz on 127.0.0.1: 200 while polling, 503 with the reason while not; and what was done so far, in messages.
 *
 * @param port 0 takes any free one
 */
export function serveReadiness(
  port: number,
  state: Readonly<PollerState>,
): Promise<{ server: Server; port: number }> {
  const server = createServer(({ url }, response) => {
    if (url !== '/readyz') {
      response.writeHead(404).end()
      return
    }
    const { problem, ...counts } = state
    const isReady = problem === undefined
    response.writeHead(isReady ? 200 : 503, { 'content-type': 'application/json' })
    response.end(`${JSON.stringify({ ready: isReady, ...(!isReady && { reason: problem }), ...counts })}\n`)
  })
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new Error(`Listen on port of PESEBRE_LAMBDA_PORT: ${port}`, { cause })),
    )
    server.listen(port, '127.0.0.1', () => resolve({ server, port: (server.address() as AddressInfo).port }))
  })
}
