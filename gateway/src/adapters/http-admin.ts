import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { explainBind } from '../bind-error.ts'

export type AdminSettings = {
  host: string
  port: number
  /** Why the gateway is not ready; empty if it is. */
  notReady: () => string[]
  /** Facts that help whoever reads /readyz. */
  facts: () => Record<string, unknown>
  /** Text in the Prometheus exposition format, and its content type. */
  metrics: () => Promise<{ text: string; contentType: string }>
  /** A fault of ours: the one who asked gets 500 and nothing more. */
  onFault: (error: unknown) => void
}

export type Admin = { readonly port: number; close(): Promise<void> }

/** The admin port: GET /healthz (the process runs), /readyz (it takes reports, or 503 with the reasons), /metrics. */
export async function listenAdmin(settings: AdminSettings): Promise<Admin> {
  const server = createServer((request, response) => {
    answer(request.url ?? '/', request.method ?? '', settings).then(
      ({ status, type, text }) => {
        response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
        response.end(text)
      },
      (error: unknown) => {
        settings.onFault(error)
        response.writeHead(500).end()
      },
    )
  })
  server.keepAliveTimeout = 5000
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const where = `${settings.host}:${settings.port} (PESEBRE_ADMIN_HOST, PESEBRE_ADMIN_PORT)`
      reject(new Error(`Cannot listen on ${where}: ${explainBind(cause)}`, { cause }))
    })
    server.listen(settings.port, settings.host, resolve)
  })
  return { port: (server.address() as AddressInfo).port, close: () => close(server) }
}

async function answer(
  url: string,
  method: string,
  { notReady, facts, metrics }: AdminSettings,
): Promise<{ status: number; type: string; text: string }> {
  if (method !== 'GET' && method !== 'HEAD') return json(405, { error: 'Only GET' })
  switch (url.split('?')[0]) {
    case '/healthz':
      return json(200, { alive: true })
    case '/readyz': {
      const reasons = notReady()
      return json(reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons, ...facts() })
    }
    case '/metrics': {
      const { text, contentType } = await metrics()
      return { status: 200, type: contentType, text }
    }
  }
  return json(404, { error: 'Not found', paths: ['/healthz', '/readyz', '/metrics'] })
}

function json(status: number, value: unknown): { status: number; type: string; text: string } {
  return { status, type: 'application/json', text: `${JSON.stringify(value)}\n` }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
