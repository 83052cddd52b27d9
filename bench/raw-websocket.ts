import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

/** A WebSocket client (RFC 6455) that does only what the benchmark needs, so that the generator does not become the brake. */
export type RawWebSocket = {
  readonly socket: Socket
  send(opcode: 1 | 2, payload: Uint8Array): void
}

export type RawOptions = {
  readonly port: number
  readonly path: string
  /** `from` is the connection that it came over. */
  readonly onMessage: (opcode: number, payload: Buffer, from: RawWebSocket) => void
}

const PING = 9
const PONG = 10

/** Connects; resolves when the relay has upgraded. */
export function openRaw({ port, path, onMessage }: RawOptions): Promise<RawWebSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    socket.once('error', reject)
    const key = randomBytes(16).toString('base64')
    socket.write(
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    )
    let rest: Buffer = Buffer.alloc(0)
    let isOpen = false
    const raw: RawWebSocket = { socket, send: (opcode, payload) => void socket.write(frame(opcode, payload)) }
    socket.on('data', (data) => {
      rest = rest.length === 0 ? data : Buffer.concat([rest, data])
      if (!isOpen) {
        const end = rest.indexOf('\r\n\r\n')
        if (end < 0) return
        const status = rest.subarray(9, 12).toString()
        if (status !== '101') return reject(new Error(`Could not connect to the relay: ${path}: ${status}`))
        isOpen = true
        rest = rest.subarray(end + 4)
        resolve(raw)
      }
      for (let next = read(rest); next !== undefined; next = read(rest)) {
        rest = rest.subarray(next.length)
        if (next.opcode === PING) socket.write(frame(PONG, next.payload))
        else onMessage(next.opcode, next.payload, raw)
      }
    })
  })
}

/** A frame from the server: never masked, and ws sends none in fragments. Undefined: not all of it is there. */
function read(bytes: Buffer): { opcode: number; payload: Buffer; length: number } | undefined {
  if (bytes.length < 2) return undefined
  const short = bytes[1]! & 0x7f
  const at = short === 126 ? 4 : short === 127 ? 10 : 2
  if (bytes.length < at) return undefined
  const size = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? bytes.readUInt32BE(6) : short
  if (bytes.length < at + size) return undefined
  return { opcode: bytes[0]! & 0x0f, payload: bytes.subarray(at, at + size), length: at + size }
}

/** A frame to the server. Its mask is zero, which costs nothing, and changes nothing for who takes it off. */
function frame(opcode: number, payload: Uint8Array): Buffer {
  const head = payload.length < 126 ? 6 : 8
  const bytes = Buffer.allocUnsafe(head + payload.length)
  bytes[0] = 0x80 | opcode
  if (head === 6) bytes[1] = 0x80 | payload.length
  else {
    bytes[1] = 0x80 | 126
    bytes.writeUInt16BE(payload.length, 2)
  }
  bytes.writeUInt32BE(0, head - 4)
  bytes.set(payload, head)
  return bytes
}
