import { createSocket } from 'node:dgram'

export type UdpPeerOptions = {
  /** Port of the gateway on 127.0.0.1. */
  to: number
  /** Own address, any of 127.0.0.0/8, and port; default 127.0.0.1 and a free port. */
  address?: string
  port?: number
  /** Sees every datagram that goes out and comes in. */
  watch?: { sent: (bytes: Uint8Array) => void; received: (bytes: Buffer) => void }
}

/** A socket that sends bytes as they are, however wrong, and keeps what comes back. */
export type UdpPeer = {
  readonly address: string
  readonly port: number
  /** Resolves when the kernel has the datagram. */
  send(bytes: Uint8Array): Promise<void>
  /** Everything received so far that `next` has not handed out. */
  readonly inbox: Buffer[]
  /** The oldest datagram that was not handed out yet. Rejects if none comes. */
  next(withinMs?: number): Promise<Buffer>
  /** Sends one datagram and resolves with the next that comes. */
  ask(bytes: Uint8Array, withinMs?: number): Promise<Buffer>
  /**
   * Sends datagrams that should be met with silence, and then a ping. Resolves with what came before the ping's reset: the gateway
   * takes a peer's datagrams in their order, so that nothing has to be waited for.
   */
  provoke(...datagrams: Uint8Array[]): Promise<Buffer[]>
  close(): Promise<void>
}

const PING_ID = 0xfefe

/** Binds a UDP socket that talks to one gateway. */
export async function createUdpPeer({
  to,
  address = '127.0.0.1',
  port = 0,
  watch,
}: UdpPeerOptions): Promise<UdpPeer> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 })
  const inbox: Buffer[] = []
  const waiting: ((bytes: Buffer) => void)[] = []
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind({ address, port, exclusive: true }, resolve)
  })
  socket.on('error', () => {})
  socket.on('message', (bytes) => {
    watch?.received(bytes)
    const taker = waiting.shift()
    if (taker) taker(bytes)
    else inbox.push(bytes)
  })

  function send(bytes: Uint8Array): Promise<void> {
    watch?.sent(bytes)
    return new Promise((resolve, reject) => {
      socket.send(bytes, to, '127.0.0.1', (error) => (error ? reject(error) : resolve()))
    })
  }

  async function next(withinMs = 10_000): Promise<Buffer> {
    const first = inbox.shift()
    if (first) return first
    return new Promise((resolve, reject) => {
      const take = (bytes: Buffer): void => {
        clearTimeout(timer)
        resolve(bytes)
      }
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(take), 1)
        reject(new Error(`Failed to receive a datagram: none within ${withinMs} ms`))
      }, withinMs)
      waiting.push(take)
    })
  }

  async function provoke(...datagrams: Uint8Array[]): Promise<Buffer[]> {
    for (const bytes of datagrams) await send(bytes)
    await send(Uint8Array.of(0x40, 0, PING_ID >> 8, PING_ID & 0xff))
    const answers: Buffer[] = []
    for (;;) {
      const bytes = await next()
      if (bytes.length === 4 && bytes[0] === 0x70 && bytes.readUInt16BE(2) === PING_ID) return answers
      answers.push(bytes)
    }
  }

  return {
    address,
    port: socket.address().port,
    send,
    inbox,
    next,
    ask: async (bytes, withinMs) => {
      const answer = next(withinMs)
      await send(bytes).catch(() => {})
      return answer
    },
    provoke,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}
