/**
 * Watches a horse's camera: connects to the relay, has each picture drawn, and acknowledges it only then; so no picture waits
 * anywhere that is older than the newest. Pure: the socket, the canvas, the clock and the timers are passed in (browser.ts).
 */
import {
  type CameraState,
  CLOSE_CODES,
  type Quality,
  type RelayToViewer,
  VIEW_PATH,
} from '@pesebre/contract/relay'
import { createPictures } from './pictures.ts'
import { RelayClock } from './relay-clock.ts'
import { Screen } from './screen.ts'

/** What a viewer needs of a browser. `Bitmap` is a decoded picture. */
export type ViewerPorts<Bitmap> = {
  open(path: string, on: SocketEvents): Socket
  /** Rejects when the bytes are no picture. */
  decode(jpeg: Uint8Array): Promise<Bitmap>
  /** Shows the picture, and lets it go. */
  draw(bitmap: Bitmap): void
  /** Milliseconds that never go back. */
  now(): number
  /** Calls back once; the answer takes that back. */
  after(ms: number, then: () => void): () => void
  /** 0 to 1. */
  random(): number
}

export type SocketEvents = {
  onOpen(): void
  onText(text: string): void
  onPicture(bytes: Uint8Array): void
  onClose(code: number): void
}
export type Socket = { send(text: string): void; close(): void }

/**
 * `waiting`: until the next attempt; `paused`: nobody looks; `refused`: the server says no for good (signed out, or no right).
 */
export type Connection = 'connecting' | 'open' | 'waiting' | 'paused' | 'refused'

/** What to show beside the picture; told when something of it has changed, and a few times a second while pictures come. */
export type ViewerStatus = {
  readonly connection: Connection
  /** Attempts in a row that brought no connection: after a few of them, ask over HTTP what is wrong. */
  readonly failures: number
  /** What the relay says of the camera; undefined before it has said anything. */
  readonly camera: CameraState | undefined
  /** How old the picture on the screen is, milliseconds, from when it was taken; undefined: none is there. */
  readonly ageMs: number | undefined
  /** Nothing new for three times as long as usual: do not let it pass for live. */
  readonly isStale: boolean
  readonly fps: number
  readonly kbps: number
  /** Step of the ladder (contract/src/ladder.ts). */
  readonly level: number | undefined
}

export type ViewerOptions<Bitmap> = {
  readonly horse: string
  readonly quality: Quality
  readonly ports: ViewerPorts<Bitmap>
  readonly onStatus: (status: ViewerStatus) => void
}

export type Viewer = {
  /** Nobody looks: the connection is let go, and with it, soon, the camera. */
  pause(): void
  resume(): void
  quality(quality: Quality): void
  stop(): void
}

const TICK_MS = 250
const RETRY_MS = 1_000
const RETRY_MOST_MS = 15_000
/** A connection that held so long was well: the next attempt after it comes soon. */
const WELL_MS = 10_000

/** Begins at once. */
export function createViewer<Bitmap>(options: ViewerOptions<Bitmap>): Viewer {
  const { horse, ports, onStatus } = options
  const screen = new Screen()
  let { quality } = options
  let connection: Connection = 'connecting'
  let camera: CameraState | undefined
  let failures = 0
  let level: number | undefined
  let socket: Socket | undefined
  /** When the picture on the screen was taken, in the relay's time. */
  let takenAt: number | undefined
  let clock: number | undefined
  let cancelRetry = () => {}
  let cancelTick = () => {}
  let endClock = () => {}
  let isOver = false

  /** Tells what there is to show, now. */
  function tell(): void {
    const now = ports.now()
    const isOpen = connection === 'open'
    onStatus({
      connection,
      failures,
      camera: isOpen ? camera : undefined,
      ageMs: ageMs(now),
      // Without a connection no picture is live, however young.
      isStale: screen.lastAt !== undefined && (!isOpen || screen.isStale(now)),
      ...screen.rates(now),
      level,
    })
  }

  let offset: number | undefined
  function ageMs(now: number): number | undefined {
    if (screen.lastAt === undefined) return undefined
    // Until the clocks are known: at least as old as it is here.
    if (takenAt === undefined || offset === undefined) return now - screen.lastAt
    return Math.max(0, now + offset - takenAt)
  }

  function tick(): void {
    cancelTick = ports.after(TICK_MS, tick)
    tell()
  }

  function connect(): void {
    cancelRetry()
    connection = 'connecting'
    const openedAt = ports.now()
    /** This connection, unless another one has taken its place. */
    const own = <Args extends unknown[]>(then: (...args: Args) => void) => {
      return (...args: Args) => {
        if (socket === mine) then(...args)
      }
    }
    const relayClock = new RelayClock({
      now: ports.now,
      after: ports.after,
      ping: (now) => mine.send(JSON.stringify({ ping: now })),
    })
    const take = createPictures<Bitmap>({
      decode: ports.decode,
      acknowledge: (seq) => mine.send(JSON.stringify({ ack: seq })),
      clock: () => clock,
      isCurrent: () => socket === mine,
      show(bitmap, picture) {
        ports.draw(bitmap)
        takenAt = picture.clock === undefined ? undefined : picture.header.captureUs / 1_000 + picture.clock
        level = picture.header.level
        failures = 0
        screen.drew(picture.bytes, ports.now())
      },
    })
    const mine: Socket = ports.open(`${VIEW_PATH}${encodeURIComponent(horse)}?quality=${quality}`, {
      onOpen: own(() => {
        connection = 'open'
        relayClock.begin()
        tell()
      }),
      onText: own((text) => {
        const message = read(text)
        if (message === undefined) return
        if ('camera' in message) camera = message.camera
        else if ('clock' in message) clock = message.clock
        else {
          relayClock.answered(message)
          offset = relayClock.offset
        }
        tell()
      }),
      onPicture: own(take),
      onClose: own((code) => {
        relayClock.end()
        closed(code, ports.now() - openedAt)
      }),
    })
    socket = mine
    endClock = () => relayClock.end()
    tell()
  }

  function closed(code: number, heldMs: number): void {
    socket = undefined
    camera = undefined
    if (code === CLOSE_CODES.forbidden || code === CLOSE_CODES.protocol) connection = 'refused'
    else {
      connection = 'waiting'
      if (heldMs >= WELL_MS) failures = 0
      const most = Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** failures)
      failures += 1
      cancelRetry = ports.after(most * (0.5 + ports.random() / 2), connect)
    }
    tell()
  }

  function letGo(): void {
    cancelRetry()
    const open = socket
    socket = undefined
    endClock()
    open?.close()
  }

  connect()
  cancelTick = ports.after(TICK_MS, tick)
  return {
    pause() {
      if (isOver || connection === 'paused') return
      letGo()
      cancelTick()
      connection = 'paused'
      tell()
    },
    resume() {
      if (isOver || connection !== 'paused') return
      failures = 0
      connect()
      cancelTick = ports.after(TICK_MS, tick)
    },
    quality(chosen) {
      quality = chosen
      if (connection === 'open') socket?.send(JSON.stringify({ quality }))
    },
    stop() {
      isOver = true
      letGo()
      cancelTick()
    },
  }
}

/** What the relay says; undefined for what this version does not know. */
function read(text: string): RelayToViewer | undefined {
  try {
    const value = JSON.parse(text) as Record<string, unknown>
    return 'camera' in value || 'clock' in value || 'pong' in value ? (value as RelayToViewer) : undefined
  } catch {
    return undefined
  }
}
