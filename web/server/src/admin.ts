import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { collectDefaultMetrics, Registry } from 'prom-client'

export type AdminSettings = {
  readonly host: string
  readonly port: number
  /** Why the server is not ready, by part; empty if it is. */
  readonly notReady: () => Promise<readonly string[]>
  /** What is away while the server can still serve. */
  readonly warnings?: () => readonly string[]
  /** Everything that is counted. */
  readonly registry: Registry
}

export type Admin = { readonly port: number; close(): Promise<void> }

/** The metrics of the process; each part of the server adds its own to it. */
export function createRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'pesebre_web_' })
  return registry
}

/** The admin port: GET /healthz (the process runs), /readyz (it can serve, or 503 with the reasons), /metrics. */
export async function listenAdmin(settings: AdminSettings): Promise<Admin> {
  const server = createServer((request, response) => {
    answer(request.url?.split('?')[0] ?? '/', settings).then(
      ({ status, type, text }) => {
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(text)
      },
      () => response.writeHead(500).end(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const where = `${settings.host}:${settings.port} (PESEBRE_WEB_ADMIN_HOST, PESEBRE_WEB_ADMIN_PORT)`
      reject(new Error(`Cannot listen on ${where}: ${cause.message}`, { cause }))
    })
    server.listen(settings.port, settings.host, resolve)
  })
  return { port: (server.address() as AddressInfo).port, close: () => close(server) }
}

async function answer(path: string, { notReady, warnings = () => [], registry }: AdminSettings) {
  if (path === '/healthz') return json(200, { alive: true })
  if (path === '/readyz') {
    const reasons = await notReady()
    return json(reasons.length === 0 ? 200 : 503, {
      ready: reasons.length === 0,
      reasons,
      warnings: warnings(),
    })
  }
  if (path === '/metrics') return { status: 200, type: registry.contentType, text: await registry.metrics() }
  return json(404, { error: 'Not found', paths: ['/healthz', '/readyz', '/metrics'] })
}

function json(status: number, value: unknown) {
  return { status, type: 'application/json', text: `${JSON.stringify(value)}\n` }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
