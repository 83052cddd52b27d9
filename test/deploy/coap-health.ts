import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/** CON, no token, GET /health (RFC 7252 section 3). */
const REQUEST = Buffer.concat([Buffer.from([0x40, 0x01, 1, 2]), Buffer.from('\xb6health', 'latin1')])
const CONTENT = 0x45
const AGAIN_MS = 100

/** Asks a gateway on this machine for its health until it says 2.05; false after `waitMs`. */
export async function asksHealth(port: number, waitMs = 60_000): Promise<boolean> {
  const socket = createSocket('udp4')
  const timer = setInterval(() => socket.send(REQUEST, port, '127.0.0.1'), AGAIN_MS)
  try {
    const [bytes] = (await once(socket, 'message', { signal: AbortSignal.timeout(waitMs) })) as [Buffer]
    return bytes[1] === CONTENT
  } catch {
    return false
  } finally {
    clearInterval(timer)
    socket.close()
  }
}
