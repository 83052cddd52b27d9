import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** A WebSocket endpoint: it is asked for its paths before the upgrade, and answers or upgrades by itself. */
export type UpgradeRoute = {
  /** Whether this path, without its query, is its own. */
  readonly matches: (path: string) => boolean
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void | Promise<void>
}

/** Hands each request for an upgrade to the route of its path; what is nobody's gets 404. */
export function serveUpgrades(
  server: Server,
  routes: readonly UpgradeRoute[],
  onFault: (error: unknown) => void,
): void {
  server.on('upgrade', (request, socket, head) => {
    // Until somebody upgrades it nobody else listens: an error event would end the process.
    socket.on('error', () => socket.destroy())
    const path = (request.url ?? '/').split('?', 1)[0]!
    const route = routes.find(({ matches }) => matches(path))
    if (route === undefined) {
      refuseUpgrade(socket, 404)
      return
    }
    Promise.resolve()
      .then(() => route.upgrade(request, socket, head))
      .catch((error: unknown) => {
        onFault(error)
        refuseUpgrade(socket, 500)
      })
  })
}

/** Answers instead of upgrading: 401 not signed in, 403 foreign Origin or not allowed, 404, 429, 503. */
export function refuseUpgrade(socket: Duplex, status: number): void {
  if (socket.destroyed) return
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`,
    () => socket.destroy(),
  )
}
