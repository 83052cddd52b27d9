import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { StopReason } from '@pesebre/contract/camera'
import { encodeFrame } from '@pesebre/contract/frame'
import { Ladder, type Want } from '@pesebre/contract/ladder'
import { ACK_S_MAX, type RelayToCamera } from '@pesebre/contract/relay'
import { type ClientOptions, WebSocket } from 'ws'
import { type LinkSettings, SlowLink } from './slow-link.ts'

/** A picture that was just taken, in the size of a level of the ladder. */
export type Sensor = (level: number) => Promise<Uint8Array>

export type StreamOptions = {
  readonly url: string
  readonly token: string
  readonly want: Want
  /** Seconds. */
  readonly lease: number
  /** One picture, then it ends. */
  readonly isOnce: boolean
  readonly sensor: Sensor
  /** A link that is slower than the machine's own. */
  readonly link: LinkSettings | undefined
  readonly onFirstAck: () => void
  /** Told once. `text`: what went wrong before anything was acknowledged. */
  readonly onEnd: (reason: StopReason, text: string | undefined) => void
}

/** A stream that runs. `stop` ends it; `onEnd` tells of that, too. */
export type Stream = { stop(reason: StopReason): void }

/** How often the limits of time are looked at, milliseconds. */
const WATCH_MS = 1_000

/** Connects to the relay, and sends pictures as the ladder allows: this is what a camera's firmware does, step by step. */
export function startStream(options: StreamOptions): Stream {
  const { sensor, onFirstAck, onEnd, isOnce } = options
  const now = () => Math.round(performance.now())
  const socket = new WebSocket(`${options.url}?token=${options.token}`, socketOptions(options))
  const ladder = new Ladder(options.want, now())
  let seq = 0
  let leaseUntil = now() + options.lease * 1_000
  let heardAt = now()
  let isAcked = false
  let isTaking = false
  let isOver = false
  let problem: string | undefined
  let timer: NodeJS.Timeout | undefined

  const watching = setInterval(() => {
    if (now() >= leaseUntil) stop('lease')
    else if (now() - heardAt >= ACK_S_MAX * 1_000) stop('silent')
  }, WATCH_MS)

  socket.once('open', () => {
    heardAt = now()
    next()
  })
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) hear(JSON.parse(data.toString()) as RelayToCamera)
  })
  socket.once('error', (error) => {
    problem = error.message
  })
  // A close in good order is the relay's word that it is over.
  socket.once('close', (code) => stop(code === 1000 ? 'asked' : 'closed'))

  function hear(message: RelayToCamera): void {
    if ('ack' in message) {
      heardAt = now()
      ladder.acked(message.ack, now())
      if (!isAcked) onFirstAck()
      isAcked = true
      if (isOnce) stop('asked')
    } else if ('want' in message) ladder.want(message.want, now())
    else leaseUntil = now() + message.lease * 1_000
    next()
  }

  /** Takes and sends a picture as soon as one may go. */
  function next(): void {
    clearTimeout(timer)
    const at = ladder.nextAt()
    if (isOver || isTaking || at === undefined || (isOnce && seq > 0)) return
    timer = setTimeout(() => void send(), Math.max(0, at - now()))
  }

  async function send(): Promise<void> {
    isTaking = true
    try {
      // A single picture need not be quick.
      const level = isOnce ? options.want.maxLevel : ladder.level
      const captureUs = Math.round(performance.now() * 1_000)
      const jpeg = await sensor(level)
      if (isOver || socket.readyState !== WebSocket.OPEN) return
      const frame = encodeFrame({ level, flags: 0, seq: ++seq, captureUs }, jpeg)
      ladder.sent(seq, frame.length, now())
      socket.send(frame)
    } catch (error) {
      problem = (error as Error).message
      stop('closed')
    } finally {
      isTaking = false
    }
    next()
  }

  function stop(reason: StopReason): void {
    if (isOver) return
    isOver = true
    clearTimeout(timer)
    clearInterval(watching)
    socket.close(1000)
    setTimeout(() => socket.terminate(), 2_000).unref()
    onEnd(reason, isAcked ? undefined : problem)
  }

  return { stop }
}

function socketOptions({ link }: StreamOptions): ClientOptions {
  const base: ClientOptions = { perMessageDeflate: false, maxPayload: 1_024, handshakeTimeout: 10_000 }
  if (link === undefined) return base
  return {
    ...base,
    createConnection: (options: unknown) => {
      const {
        host = '127.0.0.1',
        port,
        protocol,
      } = options as { host?: string; port: number; protocol?: string }
      const socket =
        protocol === 'https:' ? connectTls({ host, port, servername: host }) : connectTcp(port, host)
      return new SlowLink(socket, link) as never
    },
  }
}
