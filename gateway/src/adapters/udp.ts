import { createSocket, type Socket } from 'node:dgram'
import { readFileSync } from 'node:fs'
import { isIPv6 } from 'node:net'
import { type DatagramBatches, loadBatches, RECEIVE_SLOTS } from './mmsg.ts'
import type { Peer } from './socket-address.ts'

export type UdpSettings = {
  host: string
  port: number
  /** A socket that is bound already (handed-sockets.ts), of the family of `host`: taken as it is, its buffer included. */
  fd?: number | undefined
  /** Asked of the kernel, bytes. */
  receiveBuffer: number
  /** Several workers share the port; the kernel spreads peers over them. */
  share: boolean
  onDatagram: (bytes: Uint8Array, peer: Peer) => void
  onError: (error: Error) => void
  /** False: one datagram for each system call, as where there is no other way. */
  batches?: boolean
}

export type Udp = {
  /** Goes out at the end of this turn of the event loop, together with what else is sent in it. */
  send(bytes: Uint8Array, peer: Peer): void
  /** The bound port. */
  readonly port: number
  /** What the kernel granted, bytes. Linux doubles the number for its own bookkeeping; that is taken out again. */
  readonly receiveBuffer: number
  /** Whether system calls take many datagrams at once here (mmsg.ts). */
  readonly batches: boolean
  /** No more datagrams are read; sending still works. */
  stopReceiving(): void
  /** Bytes that wait to be sent: `close` would lose them. */
  unsent(): number
  close(): Promise<void>
}

/** Binds a UDP socket, or takes one over. Rejects with the error of bind(2), or when the one handed over is another kind. */
export async function bindUdp(settings: UdpSettings): Promise<Udp> {
  const family = isIPv6(settings.host) ? 6 : 4
  // Before the socket is bound: from then on it reads, and what nobody listens to is gone.
  const openBatches = settings.batches === false ? undefined : await loadBatches()
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
  const handle = handleOf(socket)
  return wrap(socket, settings, handle && openBatches?.(handle.fd), handle)
}

/** What node:dgram itself works with (`UDPWrap`). */
type Handle = { readonly fd: number; recvStart(): number; recvStop(): number }

/**
 * Node has no public word for it: `_handle` is deprecated (DEP0112) without a successor. Undefined where it is gone; then dgram does
 * all of the work.
 */
function handleOf(socket: Socket): Handle | undefined {
  const { noDeprecation } = process
  // An operator can do nothing about the warning.
  process.noDeprecation = true
  const handle = (socket as unknown as { _handle?: Partial<Handle> })._handle
  process.noDeprecation = noDeprecation ?? false
  const isWhole = handle?.recvStart !== undefined && handle.recvStop !== undefined && (handle.fd ?? -1) >= 0
  return isWhole ? (handle as Handle) : undefined
}

/** Datagrams that are read in one turn of the event loop before timers, disk and messages have theirs. */
const RECEIVED_PER_TURN = 4 * RECEIVE_SLOTS
/**
 * Under load the socket is read once in a while, not at each datagram: to be woken costs more than to answer, and an answer waits for
 * the disk anyway. At half of its maximum rate a gateway takes 40 % less processor time so, for half a millisecond more (BENCHMARKS.md).
 */
const GATHER_MS = 1
/** So many wakes in `WAKES_MS` are load: 4,000 datagrams a second or more. */
const WAKES = 8
const WAKES_MS = 2
/** Fewer datagrams than this in one reading: each wakes us again. */
const FEW = 4

function wrap(
  socket: Socket,
  { onDatagram }: UdpSettings,
  batches: DatagramBatches | undefined,
  handle: Handle | undefined,
): Udp {
  let isFlushing = false
  /** In this turn of the event loop. */
  let received = 0
  let wakes = 0
  let firstWake = 0
  let isGathering = false
  let isStopped = false

  /** dgram wakes up and reads the first datagram; the others that wait are read here. */
  function receive(bytes: Uint8Array, peer: Peer): void {
    onDatagram(bytes, peer)
    if (!batches || !handle || received >= RECEIVED_PER_TURN) return
    if (received === 0) setImmediate(nextTurn)
    received += 1 + drain(batches, RECEIVED_PER_TURN - received)
    if (isGathering || !isLoad()) return
    isGathering = true
    handle.recvStop()
    setTimeout(gather, GATHER_MS)
  }

  function nextTurn(): void {
    received = 0
  }

  function isLoad(): boolean {
    const now = performance.now()
    if (now - firstWake > WAKES_MS) {
      firstWake = now
      wakes = 0
    }
    wakes++
    return wakes > WAKES
  }

  function gather(): void {
    if (!batches || !handle || isStopped) return
    const count = drain(batches, RECEIVED_PER_TURN)
    if (count >= RECEIVED_PER_TURN) setImmediate(gather)
    else if (count >= FEW) setTimeout(gather, GATHER_MS)
    else {
      isGathering = false
      wakes = 0
      handle.recvStart()
    }
  }

  function stopReceiving(): void {
    isStopped = true
    socket.off('message', receive)
    // Or dgram would go on reading, for nobody: what comes now is for the process that gets the socket next.
    handle?.recvStop()
  }

  /** Reads at most `most` datagrams, and a few that came with the last of them. */
  function drain(from: DatagramBatches, most: number): number {
    let all = 0
    let count: number
    do {
      count = from.receive(onDatagram)
      all += count
    } while (count === RECEIVE_SLOTS && all < most)
    return all
  }

  function send(bytes: Uint8Array, peer: Peer): void {
    if (!batches) {
      sendOne(bytes, peer)
      return
    }
    if (!isFlushing) {
      isFlushing = true
      // After all answers of this commit: their promises are settled before the next tick.
      process.nextTick(flush)
    }
    if (batches.add(bytes, peer)) return
    batches.flush(sendOne)
    if (!batches.add(bytes, peer)) sendOne(bytes, peer)
  }

  function flush(): void {
    isFlushing = false
    batches?.flush(sendOne)
  }

  // No callback: a failed send (no route, a full buffer) is the network's loss of a datagram, and the peer asks again.
  function sendOne(bytes: Uint8Array, peer: Peer): void {
    socket.send(bytes, peer.port, peer.address)
  }

  socket.on('message', receive)
  return {
    send,
    port: socket.address().port,
    receiveBuffer: process.platform === 'linux' ? socket.getRecvBufferSize() / 2 : socket.getRecvBufferSize(),
    batches: batches !== undefined,
    stopReceiving,
    unsent: () => {
      flush()
      return socket.getSendQueueSize()
    },
    close: () => {
      stopReceiving()
      return new Promise((resolve) => socket.close(() => resolve()))
    },
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
