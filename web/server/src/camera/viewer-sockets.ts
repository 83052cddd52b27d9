import type { IncomingHttpHeaders } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { CLOSE_CODES, type Quality, type RelayToViewer, VIEW_PATH } from '@pesebre/contract/relay'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Hub } from '../relay/hub.ts'
import { refuseUpgrade, type UpgradeRoute } from '../upgrade.ts'
import { endSocket } from './end-socket.ts'
import { readQuality, readText, TEXT_BYTES_MAX } from './messages.ts'
import type { Log } from './relay.ts'
import type { MayWatch } from './watching.ts'

export type ViewerSocketsOptions = {
  readonly feed: (event: (hub: Hub, now: number) => void) => void
  readonly log: Log
  readonly mayWatch: MayWatch
  readonly now: () => number
}

/** The connections of viewers. */
export type ViewerSockets = {
  readonly route: UpgradeRoute
  show(viewer: number, bytes: Uint8Array): void
  tell(viewer: number, message: RelayToViewer): void
  /** Cuts off one that stands still: a farewell would wait behind what it does not read. */
  dismiss(viewer: number): void
  recheck(): void
  close(): Promise<void>
}

type Open = {
  readonly socket: WebSocket
  readonly user: string
  readonly camera: string
  readonly horse: string
  readonly headers: IncomingHttpHeaders
  /** Whether it has answered the last ping. */
  isAlive: boolean
  /** Texts that it may send at this moment. */
  credit: number
}

/** Rights are asked for again so often, and who is away is noticed, milliseconds. */
const CHECK_MS = 15_000
/** Texts that a viewer may send in that time: an acknowledgement for each picture, and some. */
const TEXTS_MOST = 60 * (CHECK_MS / 1_000)
const HORSE = /^[A-Za-z0-9_-]{1,64}$/

/** Lets viewers in who may watch, and keeps asking whether they still may. */
export function createViewerSockets({ feed, log, mayWatch, now }: ViewerSocketsOptions): ViewerSockets {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: TEXT_BYTES_MAX,
  })
  const open = new Map<number, Open>()
  let lastViewer = 0
  let isChecking = false
  let isAskedAgain = false

  function accept(entry: Omit<Open, 'isAlive' | 'credit'>, quality: Quality): void {
    const { socket, user, camera } = entry
    const viewer = ++lastViewer
    const state: Open = { ...entry, isAlive: true, credit: TEXTS_MOST }
    open.set(viewer, state)
    socket.on('message', (data: Buffer, isBinary) => {
      const text = isBinary ? undefined : readText(data.toString())
      if (text === undefined || --state.credit < 0) {
        log.debug({ user }, 'viewer refused')
        putOut(viewer, CLOSE_CODES.protocol)
      } else if ('ack' in text) feed((hub, at) => hub.drawn(viewer, text.ack, at))
      else if ('ping' in text) socket.send(JSON.stringify({ pong: text.ping, now: now() }))
      else feed((hub, at) => hub.quality(viewer, text.quality, at))
    })
    socket.on('pong', () => {
      state.isAlive = true
    })
    socket.on('error', (error) => log.debug({ user, text: error.message }, 'viewer socket error'))
    socket.once('close', () => {
      open.delete(viewer)
      feed((hub, at) => hub.leave(viewer, at))
    })
    feed((hub, at) => hub.join({ id: viewer, user, camera, quality }, at))
  }

  /** Those whom a limit keeps out: counted among those who watch now, since asking for the right took a moment. */
  function isFull(watching: { user: string; camera: string }): boolean {
    let reached: string | undefined
    feed((hub) => {
      reached = hub.refusal(watching)
    })
    if (reached !== undefined) log.info({ limit: reached, user: watching.user }, 'viewer refused')
    return reached !== undefined
  }

  function round(): void {
    for (const one of open.values()) {
      one.credit = TEXTS_MOST
      if (!one.isAlive) one.socket.terminate()
      else {
        one.isAlive = false
        one.socket.ping()
      }
    }
    void recheck()
  }

  /** One question after the other: a thousand at once would hold up the pictures. */
  async function recheck(): Promise<void> {
    isAskedAgain = true
    if (isChecking) return
    isChecking = true
    while (isAskedAgain) {
      isAskedAgain = false
      const groups = Map.groupBy(open.keys(), (viewer) => groupOf(open.get(viewer)!))
      for (const viewers of groups.values()) {
        await judge(viewers)
        await setImmediate()
      }
    }
    isChecking = false
  }

  /** Those of one session who watch one horse stand and fall together. */
  async function judge(viewers: readonly number[]): Promise<void> {
    const first = open.get(viewers[0]!)
    if (first === undefined) return
    try {
      const watching = await mayWatch(first.headers, first.horse)
      if (!('refused' in watching) && watching.camera === first.camera) return
      const isForbidden = 'refused' in watching && watching.refused !== 404
      for (const viewer of viewers) putOut(viewer, isForbidden ? CLOSE_CODES.forbidden : CLOSE_CODES.changed)
    } catch (error) {
      // The database may be away for a moment: nobody is put out for that.
      log.warn({ err: error }, 'rights of a viewer unknown')
    }
  }

  /** From now on it gets no picture, whatever the socket still does. */
  function putOut(viewer: number, code: number): void {
    const socket = open.get(viewer)?.socket
    if (socket === undefined) return
    open.delete(viewer)
    feed((hub, at) => hub.leave(viewer, at))
    endSocket(socket, code)
  }

  const checking = setInterval(round, CHECK_MS)

  return {
    route: {
      matches: (path) => path.startsWith(VIEW_PATH),
      async upgrade(request, socket, head) {
        const url = new URL(request.url ?? '/', 'http://relay')
        const horse = url.pathname.slice(VIEW_PATH.length)
        const quality = readQuality(url.searchParams.get('quality') ?? 'auto')
        if (!HORSE.test(horse) || quality === undefined) return refuseUpgrade(socket, 404)
        const watching = await mayWatch(request.headers, horse)
        if ('refused' in watching) return refuseUpgrade(socket, watching.refused)
        if (isFull(watching)) return refuseUpgrade(socket, 429)
        if (socket.destroyed) return
        const { headers } = request
        server.handleUpgrade(request, socket, head, (opened) =>
          accept({ socket: opened, horse, headers, ...watching }, quality),
        )
      },
    },
    show: (viewer, bytes) => open.get(viewer)?.socket.send(bytes),
    tell: (viewer, message) => open.get(viewer)?.socket.send(JSON.stringify(message)),
    dismiss: (viewer) => open.get(viewer)?.socket.terminate(),
    recheck: () => void recheck(),
    async close() {
      clearInterval(checking)
      for (const viewer of open.keys()) putOut(viewer, 1001)
    },
  }
}

function groupOf({ headers, horse, camera }: Open): string {
  return JSON.stringify([headers.cookie, headers.authorization, horse, camera])
}
