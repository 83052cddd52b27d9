import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LiveMessage, Watch } from '@pesebre/contract/api/live'
import { pino } from 'pino'
import { WebSocket } from 'ws'
import type { Handler } from '../../web/server/src/iot/filters.ts'
import type { Iot, Link } from '../../web/server/src/iot/iot.ts'
import type { ShadowDocument } from '../../web/server/src/iot/shadows.ts'
import { stateTopic } from '../../web/server/src/live/documents.ts'
import { createHub } from '../../web/server/src/live/hub.ts'
import { createLive, type Live, type LiveLimits } from '../../web/server/src/live/live.ts'
import { createStates, type States } from '../../web/server/src/live/states.ts'
import { serveUpgrades } from '../../web/server/src/upgrade.ts'
import { ORIGIN, openWebApp, type WebApp, type Who } from './web-app.ts'

/** AWS IoT as the live channel sees it: topics and shadows in memory. */
export type FakeIot = Pick<Iot, 'subscribe' | 'onLink' | 'link'> & {
  readonly shadows: Map<string, ShadowDocument>
  /** Filters that somebody wants at this moment. */
  filters(): string[]
  /** Times that a shadow was read. */
  reads(): number
  /** A device has reported: its shadow changes, and who subscribed hears of it. */
  report(thing: string, reported: object): void
  /** The shadow changes and nobody hears of it. */
  change(thing: string, reported: object): void
  setLive(isLive: boolean): void
  read(thing: string): Promise<ShadowDocument | undefined>
}

export function fakeIot(): FakeIot {
  const handlers = new Map<string, Set<Handler>>()
  const watchers: ((link: Link) => void)[] = []
  const shadows = new Map<string, ShadowDocument>()
  let link: Link = { isLive: true, since: 0 }
  let reads = 0

  function change(thing: string, reported: object): void {
    const version = (shadows.get(thing)?.version ?? 0) + 1
    shadows.set(thing, { version, state: { reported } })
  }

  return {
    shadows,
    reads: () => reads,
    filters: () => [...handlers].filter(([, set]) => set.size > 0).map(([filter]) => filter),
    subscribe(filter, handler) {
      const set = handlers.get(filter) ?? new Set()
      handlers.set(filter, set)
      const own: Handler = (topic, payload) => handler(topic, payload)
      set.add(own)
      return { ready: Promise.resolve(), stop: () => void set.delete(own) }
    },
    link: () => link,
    onLink: (watcher) => void watchers.push(watcher),
    setLive(isLive) {
      link = { isLive, since: Date.now() }
      for (const watcher of watchers) watcher(link)
    },
    change,
    report(thing, reported) {
      change(thing, reported)
      if (!link.isLive) return
      const payload = Buffer.from(JSON.stringify({ current: shadows.get(thing) }))
      for (const filter of [stateTopic(thing), stateTopic('+')])
        for (const handler of handlers.get(filter) ?? []) handler(stateTopic(thing), payload)
    },
    read: async (thing) => {
      reads++
      return shadows.get(thing)
    },
  }
}

/** A browser's end of the live channel. */
export type Browser = {
  readonly socket: WebSocket
  readonly got: LiveMessage[]
  watch(watch: Watch['watch'], since?: string): void
  /** The next message of this kind that was not asked for yet. */
  next<K extends LiveMessage['kind']>(kind: K): Promise<Extract<LiveMessage, { kind: K }>>
  /** Resolves with the close code. */
  readonly closed: Promise<number>
}

export type LiveWeb = {
  readonly web: WebApp
  readonly iot: FakeIot
  readonly live: Live
  readonly states: States
  readonly server: Server
  /** Connects as somebody. Rejects with `status` when the upgrade is refused. */
  connect(who: Who, headers?: Record<string, string>): Promise<Browser>
  close(): Promise<void>
}

/** The live channel on a real socket, on a database in memory and a fake AWS IoT. */
export async function openLiveWeb(limits: Partial<LiveLimits> = {}): Promise<LiveWeb> {
  const web = await openWebApp()
  const iot = fakeIot()
  const hub = createHub({ epoch: 'test' })
  const states = createStates({
    iot,
    shadows: iot,
    lingerMs: 0,
    onState: (event) => live.publishState(event),
    onError: () => {},
  })
  const deps = { db: web.db, now: () => web.clock.now, origin: ORIGIN, log: pino({ level: 'silent' }) }
  const live = createLive({ deps, hub, states, link: iot.link, limits })
  const server = createServer()
  serveUpgrades(server, [live.route], () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  async function connect(who: Who, headers: Record<string, string> = {}): Promise<Browser> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/api/live`, {
      headers: { origin: ORIGIN, ...web.headers(who), ...headers },
    })
    const got: LiveMessage[] = []
    const taken = new Set<LiveMessage>()
    let wake = () => {}
    socket.on('message', (data) => {
      got.push(JSON.parse(data.toString()))
      wake()
    })
    const closed = new Promise<number>((resolve) => socket.on('close', resolve))
    await new Promise<void>((resolve, reject) => {
      socket.on('open', resolve)
      socket.on('error', reject)
      socket.on('unexpected-response', (_request, { statusCode }) => {
        socket.terminate()
        reject(Object.assign(new Error(`Refused: ${statusCode}`), { status: statusCode }))
      })
    })
    return {
      socket,
      got,
      closed,
      watch: (watch, since) => socket.send(JSON.stringify({ watch, ...(since !== undefined && { since }) })),
      async next(kind) {
        for (;;) {
          const found = got.find((one) => one.kind === kind && !taken.has(one))
          if (found !== undefined) {
            taken.add(found)
            return found as Extract<LiveMessage, { kind: typeof kind }>
          }
          await new Promise<void>((resolve) => {
            wake = resolve
          })
        }
      },
    }
  }

  return {
    web,
    iot,
    live,
    states,
    server,
    connect,
    async close() {
      live.close()
      states.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await web.close()
    },
  }
}
