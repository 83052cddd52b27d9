import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { encodeFrame } from '@pesebre/contract/frame'
import { WebSocket } from 'ws'
import { createRelay, type RelayOptions } from '../../../../web/server/src/camera/relay.ts'
import type { MayWatch } from '../../../../web/server/src/camera/watching.ts'
import { serveUpgrades } from '../../../../web/server/src/upgrade.ts'

export type Command = { command: string; streamId: string; url: string; token: string } & Record<
  string,
  unknown
>
type Handler = (topic: string, payload: Uint8Array) => void

/** An MQTT that keeps what was published, and says what the test wants. */
export function fakeMqtt() {
  const handlers = new Map<string, Handler>()
  const published: { topic: string; message: Command }[] = []
  let onLink = (_link: { isLive: boolean }): void => {}
  return {
    published,
    subscriptions: handlers,
    mqtt: {
      async publish(topic: string, message: object) {
        published.push({ topic, message: message as Command })
      },
      subscribe(filter: string, handler: Handler) {
        handlers.set(filter, handler)
        return { stop: () => void handlers.delete(filter) }
      },
      onLink(handler: (link: { isLive: boolean }) => void) {
        onLink = handler
      },
    },
    link: (isLive: boolean) => onLink({ isLive }),
    say(topic: string, message: object | string) {
      const text = typeof message === 'string' ? message : JSON.stringify(message)
      for (const [filter, handler] of handlers)
        if (new RegExp(`^${filter.replaceAll('$', '\\$').replaceAll('+', '[^/]+')}$`).test(topic))
          handler(topic, Buffer.from(text))
    },
    /** Waits for the command with this number, from 0. */
    async command(n: number): Promise<Command> {
      for (;;) {
        const found = published[n]
        if (found !== undefined) return found.message
        await sleep(10)
      }
    },
  }
}

/** A relay on a real port. Everybody may watch every horse, as themselves, unless `mayWatch` says otherwise. */
export async function startRelay(options: Partial<RelayOptions> = {}) {
  const iot = fakeMqtt()
  const mayWatch: MayWatch = async (headers, horse) => ({
    user: headers.cookie ?? 'usr_1',
    camera: `camera-${horse.slice(-1).padStart(8, '0')}`,
  })
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const origin = `http://127.0.0.1:${port}`
  const log = { debug() {}, info() {}, warn() {} }
  const limits = { viewersPerCamera: 200, viewersPerUser: 20, viewers: 2_000 }
  const relay = createRelay({ origin, mayWatch, mqtt: iot.mqtt, log, limits, ...options })
  serveUpgrades(server, relay.routes, () => {})
  const sockets = new Set<WebSocket>()

  function connect(url: string, headers: Record<string, string> = {}): WebSocket {
    const socket = new WebSocket(url, { headers, perMessageDeflate: false })
    sockets.add(socket)
    socket.on('error', () => {})
    return socket
  }

  return {
    ...iot,
    relay,
    port,
    origin,
    connect,
    /** Connects as the camera that was told so. */
    async camera(command: Command) {
      const socket = connect(`${command.url}?token=${command.token}`)
      const told = texts(socket)
      await once(socket, 'open')
      let seq = 0
      const send = (bytes = 100) =>
        socket.send(
          encodeFrame(
            { level: 2, flags: 0, seq: ++seq, captureUs: Math.round(performance.now() * 1000) },
            jpeg(bytes),
          ),
        )
      return { socket, told, send }
    },
    /** Connects as a viewer; acknowledges each picture unless `isSilent`. */
    async viewer(
      horse: string,
      o: { query?: string; headers?: Record<string, string>; isSilent?: boolean } = {},
    ) {
      const socket = connect(`ws://127.0.0.1:${port}/relay/v1/view/${horse}${o.query ?? ''}`, o.headers)
      const told = texts(socket)
      const pictures: { seq: number; bytes: Buffer; at: number }[] = []
      socket.on('message', (data: Buffer, isBinary) => {
        if (!isBinary) return
        const seq = data.readUInt32BE(4)
        pictures.push({ seq, bytes: data, at: performance.now() })
        if (!o.isSilent) socket.send(JSON.stringify({ ack: seq }))
      })
      await once(socket, 'open')
      return { socket, told, pictures }
    },
    async stop() {
      await relay.close()
      for (const socket of sockets) socket.terminate()
      server.closeAllConnections()
      server.close()
    },
  }
}

export type RunningRelay = Awaited<ReturnType<typeof startRelay>>

/** A JPEG of this many bytes, as far as the relay looks. */
export function jpeg(bytes: number): Buffer {
  const picture = Buffer.alloc(bytes, 0x55)
  picture.set([0xff, 0xd8, 0xff])
  return picture
}

/** What a socket was told, as it comes. */
function texts(socket: WebSocket): Record<string, unknown>[] {
  const told: Record<string, unknown>[] = []
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) told.push(JSON.parse(data.toString()))
  })
  return told
}

/** Waits until it is so. The test's own limit ends what never is. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10)
}

/** The code of the close, whoever closed. */
export async function closeCode(socket: WebSocket): Promise<number> {
  const [code] = await once(socket, 'close')
  return code as number
}

/** HTTP status that refused the upgrade. */
export async function refusal(socket: WebSocket): Promise<number> {
  const [, response] = await once(socket, 'unexpected-response')
  response.resume()
  return response.statusCode as number
}
