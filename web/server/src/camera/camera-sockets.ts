import { decodeFrame, FRAME_BYTES_MAX, FrameError } from '@pesebre/contract/frame'
import { CAMERA_PATH, type RelayToCamera } from '@pesebre/contract/relay'
import { type WebSocket, WebSocketServer } from 'ws'
import type { DropReason } from '../relay/effects.ts'
import type { Hub } from '../relay/hub.ts'
import { refuseUpgrade, type UpgradeRoute } from '../upgrade.ts'
import { endSocket } from './end-socket.ts'
import type { Log } from './relay.ts'
import type { Grant } from './tokens.ts'

export type CameraSocketsOptions = {
  readonly feed: (event: (hub: Hub, now: number) => void) => void
  readonly log: Log
  /** What a token is good for; it is used up. */
  readonly use: (token: string) => Grant | undefined
}

/** The connections of cameras. */
export type CameraSockets = {
  readonly route: UpgradeRoute
  tell(source: number, message: RelayToCamera): void
  drop(source: number, reason: DropReason): void
  close(): Promise<void>
}

/** Pings keep a way through NAT open, and tell how long the way is. */
const PING_MS = 5_000
/** WebSocket close codes (RFC 6455 section 7.4.1): 1000 done, 1003 text, 1007 no picture, 1008 against the rules. */
const CODES: Record<DropReason, number> = {
  done: 1000,
  lease: 1000,
  replaced: 1000,
  silent: 1008,
  'too fast': 1008,
  'out of order': 1008,
}

/** Takes cameras that come with a good token, and what they send. */
export function createCameraSockets({ feed, log, use }: CameraSocketsOptions): CameraSockets {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // JPEG does not compress, and the memory of zlib does not come back.
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
  })
  const sockets = new Map<number, WebSocket>()
  let lastSource = 0

  function accept(socket: WebSocket, grant: Grant): void {
    const source = ++lastSource
    sockets.set(source, socket)
    let pingedAt = 0
    const ping = () => {
      pingedAt = performance.now()
      socket.ping()
    }
    const pinging = setInterval(ping, PING_MS)
    socket.on('pong', () => {
      const ms = performance.now() - pingedAt
      feed((hub) => hub.roundTrip(source, ms))
    })
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) {
        refuse(socket, 1003, 'pictures only')
        return
      }
      const frame = decodeFrame(data)
      if (frame instanceof FrameError) {
        refuse(socket, 1007, frame.problem)
        return
      }
      const { seq, captureUs } = frame
      feed((hub, now) =>
        hub.picture(source, { seq, captureMs: captureUs / 1_000, bytes: compact(data) }, now),
      )
    })
    // Too large a message, a broken frame: ws closes by itself.
    socket.on('error', (error) =>
      log.info({ camera: grant.camera, text: error.message }, 'camera socket error'),
    )
    socket.once('close', () => {
      clearInterval(pinging)
      sockets.delete(source)
      feed((hub, now) => hub.closed(source, now))
    })
    feed((hub, now) => hub.opened(source, grant, now))
    ping()

    function refuse(refused: WebSocket, code: number, reason: string): void {
      log.info({ camera: grant.camera, text: reason }, 'camera refused')
      endSocket(refused, code, reason)
    }
  }

  return {
    route: {
      matches: (path) => path === CAMERA_PATH,
      upgrade(request, socket, head) {
        const token = new URL(request.url ?? '/', 'http://relay').searchParams.get('token')
        const grant = token === null ? undefined : use(token)
        if (grant === undefined) {
          log.debug({}, 'camera without a good token')
          refuseUpgrade(socket, 401)
          return
        }
        server.handleUpgrade(request, socket, head, (opened) => accept(opened, grant))
      },
    },
    tell: (source, message) => sockets.get(source)?.send(JSON.stringify(message)),
    drop(source, reason) {
      const socket = sockets.get(source)
      if (socket === undefined) return
      if (CODES[reason] === 1008) log.info({ source, reason }, 'camera dropped')
      endSocket(socket, CODES[reason], reason)
    },
    async close() {
      for (const socket of sockets.values()) endSocket(socket, 1001, 'the relay stops')
    },
  }
}

/** A small picture in the large buffer of a socket would keep all of it: as the last picture of its camera, for long. */
function compact(data: Buffer): Uint8Array {
  return data.buffer.byteLength > 2 * data.length ? Uint8Array.prototype.slice.call(data) : data
}
