import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'

export type UdpSettings = {
  host: string
  port: number
  /** A socket that is bound already (handed-sockets.ts), of the family of `host`: taken as it is, its buffer included. */
  fd?: number | undefined
  /** Asked of the kernel, bytes. */
  receiveBuffer: number
  /** Several workers share the port; the kernel spreads peers over them. */
  share: boolean
  onDatagram: (bytes: Uint8Array, peer: RemoteInfo) => void
  onError: (error: Error) => void
}

export type Udp = {
  send(bytes: Uint8Array, peer: { readonly address: string; readonly port: number }): void
  /** The bound port. */
  readonly port: number
  /** What the kernel granted, bytes. Linux doubles the number for its own bookkeeping; that is taken out again. */
  readonly receiveBuffer: number
  /** No more datagrams are read; sending still works. */
  stopReceiving(): void
  /** Bytes that wait to be sent: `close` would lose them. */
  unsent(): number
  close(): Promise<void>
}

/** Binds a UDP socket, or takes one over. Rejects with the error of bind(2), or when the one handed over is another kind. */
export async function bindUdp(settings: UdpSettings): Promise<Udp> {
  const family = isIPv6(settings.host) ? 6 : 4
  const socket = createSocket({
    type: `udp${family}`,
    ...(settings.fd === undefined && { reusePort: settings.share, recvBufferSize: settings.receiveBuffer }),
    // Peers are always numeric addresses of the socket's own family: nothing to look up.
    lookup: (hostname, _options, callback) => callback(null, hostname, family),
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    const place =
      settings.fd === undefined ? { port: settings.port, address: settings.host } : { fd: settings.fd }
    socket.bind({ ...place, exclusive: true }, () => {
      socket.off('error', reject)
      resolve()
    })
  })
  const bound = socket.address().family
  if (bound !== `IPv${family}`) {
    socket.close()
    throw new Error(
      `Cannot use the socket handed over: it is of ${bound}, PESEBRE_COAP_HOST says ${settings.host}`,
    )
  }
  socket.on('error', settings.onError)
  socket.on('message', settings.onDatagram)
  return wrap(socket, settings)
}

function wrap(socket: Socket, { onDatagram }: UdpSettings): Udp {
  return {
    // No callback: a failed send (no route, a full buffer) is the network's loss of a datagram, and the peer asks again.
    send: (bytes, peer) => socket.send(bytes, peer.port, peer.address),
    port: socket.address().port,
    receiveBuffer: process.platform === 'linux' ? socket.getRecvBufferSize() / 2 : socket.getRecvBufferSize(),
    stopReceiving: () => {
      socket.off('message', onDatagram)
    },
    unsent: () => socket.getSendQueueSize(),
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}

/** Datagrams that the kernel dropped because a socket bound to `port` was full, or undefined where it does not say. */
export function kernelDrops(port: number): number | undefined {
  // A machine without IPv6 has only the first of them.
  const tables = ['/proc/net/udp', '/proc/net/udp6'].map(readIfThere).filter((table) => table !== undefined)
  return tables.length === 0 ? undefined : tables.reduce((sum, table) => sum + dropsIn(table, port), 0)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Adds up the last column of the lines of /proc/net/udp whose local port is `port`. */
export function dropsIn(table: string, port: number): number {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  let drops = 0
  for (const line of table.split('\n').slice(1)) {
    const columns = line.trim().split(/\s+/)
    if (columns[1]?.endsWith(suffix)) drops += Number(columns.at(-1))
  }
  return drops
}
