import { createSocket, type Socket } from 'node:dgram'

/** One datagram that came to the proxy. */
export type Passed = {
  readonly from: 'client' | 'server'
  /** Port of the client that it came from or is for. */
  readonly client: number
  readonly bytes: Buffer
  readonly fate: Fate
}

/** What becomes of a datagram: it goes on, is lost, or goes on twice. */
export type Fate = 'pass' | 'lose' | 'double'
export type Arrived = Omit<Passed, 'fate'>

/** A UDP path between clients and one server, on which datagrams get lost and doubled by rule, and which remembers all of them. */
export type UdpProxy = {
  /** Clients send to this port of 127.0.0.1. */
  readonly port: number
  /** Every datagram in the order of arrival, the lost ones too. */
  readonly trace: readonly Passed[]
  /** Sets the rule for the datagrams that come from now on; without one, all pass. */
  rule(next?: (arrived: Arrived) => Fate): void
  close(): Promise<void>
}

/** Opens a path to a port of 127.0.0.1. The server sees each client under a port of its own. */
export async function startUdpProxy(server: number): Promise<UdpProxy> {
  const trace: Passed[] = []
  const upstreams = new Map<number, Socket>()
  let rule: (arrived: Arrived) => Fate = pass
  const front = await bind()
  front.on('message', (bytes, { port }) => {
    const upstream = upstreamOf(port)
    carry({ from: 'client', client: port, bytes }, () => upstream.send(bytes, server, '127.0.0.1'))
  })

  function upstreamOf(client: number): Socket {
    const known = upstreams.get(client)
    if (known !== undefined) return known
    const upstream = createSocket('udp4').on('error', () => {})
    upstreams.set(client, upstream)
    upstream.on('message', (bytes) => {
      carry({ from: 'server', client, bytes }, () => front.send(bytes, client, '127.0.0.1'))
    })
    return upstream
  }

  function carry(arrived: Arrived, send: () => void): void {
    const fate = rule(arrived)
    trace.push({ ...arrived, fate })
    if (fate === 'lose') return
    send()
    if (fate === 'double') send()
  }

  return {
    port: front.address().port,
    trace,
    rule: (next = pass) => {
      rule = next
    },
    close: async () => {
      await Promise.all(
        [front, ...upstreams.values()].map((socket) => new Promise<void>((resolve) => socket.close(resolve))),
      )
    },
  }
}

function pass(): Fate {
  return 'pass'
}

async function bind(): Promise<Socket> {
  const socket = createSocket('udp4').on('error', () => {})
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return socket
}
