import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { LIVE_CLOSE, type LiveEvent, type Watch, WatchSchema } from '@pesebre/contract/api/live'
import { Compile } from 'typebox/compile'
import { type WebSocket, WebSocketServer } from 'ws'
import { identify } from '../auth/identify.ts'
import { isOwnOrigin } from '../auth/own-site.ts'
import type { SignedIn } from '../auth/sessions.ts'
import type { Deps } from '../deps.ts'
import { Problem } from '../problems.ts'
import { refuseUpgrade, type UpgradeRoute } from '../upgrade.ts'
import { FLEET, type Granted, grant, HOPS_PAGE, stableKey, thingKey } from './audience.ts'
import type { ControlEvent, StateEvent } from './documents.ts'
import type { Hub, Joined } from './hub.ts'
import { readThrough, type SocketReader } from './reader.ts'
import type { States } from './states.ts'

/** The live channel: browsers hear what changes. */
export type Live = {
  readonly route: UpgradeRoute
  /** Tells who watches one of these, once each. */
  publish(event: LiveEvent, whom: Audience): void
  /** The state, or the control shadow, of a thing: to who watches it or its stable. */
  publishState(event: StateEvent): void
  publishControl(event: ControlEvent): void
  /**
   * Who may see what may have changed, or where a device is: everybody who reads is checked anew, soon.
   * @param user whose rights alone may have changed
   */
  recheck(user?: string): void
  /** Whether somebody watches this audience (audience.ts). */
  isWatched(audience: string): boolean
  count(): number
  close(): void
}

export type Audience = {
  readonly stable?: string | null | undefined
  readonly thing?: string | undefined
  readonly fleet?: boolean
  readonly hops?: boolean
  /** Everybody who is connected, whatever they watch. */
  readonly everybody?: boolean
}

export type LiveOptions = {
  readonly deps: Pick<Deps, 'db' | 'now' | 'origin' | 'bearer' | 'log'>
  readonly hub: Hub
  readonly states: Pick<States, 'want' | 'current'>
  /** Whether changes of devices come at this moment. */
  readonly link: () => { readonly isLive: boolean; readonly since: number }
  readonly limits?: Partial<LiveLimits>
}

export type LiveLimits = {
  /** Sockets in total, and of one user. */
  readonly total: number
  readonly perUser: number
  /** How often everybody's rights are looked at again, milliseconds. */
  readonly recheckMs: number
  readonly pingMs: number
}

const PATH = '/api/live'
const LIMITS: LiveLimits = { total: 5_000, perUser: 50, recheckMs: 60_000, pingMs: 30_000 }
/** Bytes of one message of a browser: 400 names of 128 characters. */
const MESSAGE_MAX = 64 * 1024
/** What a browser may send from one ping to the next. */
const MESSAGES_MAX = 100
const watchCheck = Compile(WatchSchema)

type Connection = {
  readonly socket: WebSocket
  readonly request: IncomingMessage
  readonly joined: Joined
  readonly reader: SocketReader
  user: SignedIn
  watch: Watch | undefined
  /** By thing: stops hearing it. */
  wants: Map<string, () => void>
  /** One step after the other: a second `watch` must not overtake the first. */
  work: Promise<void>
  messages: number
  isAlive: boolean
}

export function createLive({ deps, hub, states, link, limits: given }: LiveOptions): Live {
  const limits = { ...LIMITS, ...given }
  const server = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_MAX, perMessageDeflate: false })
  const connections = new Set<Connection>()
  const stableOf = new Map<string, string | null>()
  let isChecking = false
  let checkAgain = false

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (!isOwnOrigin(request.headers, deps.origin)) return refuseUpgrade(socket, 403)
    const user = await who(request)
    if (user === undefined) return refuseUpgrade(socket, 401)
    const own = [...connections].filter((one) => one.user.id === user.id).length
    if (connections.size >= limits.total || own >= limits.perUser) return refuseUpgrade(socket, 503)
    server.handleUpgrade(request, socket, head, (opened) => open(opened, request, user))
  }

  async function who(request: IncomingMessage): Promise<SignedIn | undefined> {
    try {
      return (await identify(deps, request.headers))?.user
    } catch (error) {
      if (error instanceof Problem) return undefined
      throw error
    }
  }

  function open(socket: WebSocket, request: IncomingMessage, user: SignedIn): void {
    const reader = readThrough(socket, {
      onCaughtUp: () => connection.joined.tell({ kind: 'reset' }),
      onStuck: () => socket.terminate(),
    })
    const connection: Connection = {
      socket,
      request,
      user,
      reader,
      joined: hub.join({ send: reader.send }),
      watch: undefined,
      wants: new Map(),
      work: Promise.resolve(),
      messages: 0,
      isAlive: true,
    }
    connections.add(connection)
    socket.on('pong', () => {
      connection.isAlive = true
    })
    socket.on('error', () => socket.terminate())
    socket.on('close', () => leave(connection))
    socket.on('message', (data, isBinary) => {
      const watch = isBinary || ++connection.messages > MESSAGES_MAX ? undefined : readWatch(data.toString())
      if (watch === undefined) socket.close(1008)
      else then(connection, () => apply(connection, watch))
    })
  }

  function leave(connection: Connection): void {
    if (!connections.delete(connection)) return
    connection.reader.close()
    connection.joined.leave()
    for (const stop of connection.wants.values()) stop()
    connection.wants.clear()
  }

  function then(connection: Connection, step: () => Promise<void>): void {
    connection.work = connection.work
      .then(() => (connections.has(connection) ? step() : undefined))
      .catch((error: unknown) => {
        deps.log.error({ err: error }, 'live channel: cannot say what somebody may watch')
        connection.socket.close(1011)
      })
  }

  async function apply(connection: Connection, watch: Watch): Promise<void> {
    const granted = await grant(deps.db, connection.user, watch)
    if (!connections.has(connection)) return
    connection.watch = watch
    // The others are read now, and told as news.
    const known = [...granted.things.keys()].filter((thing) => states.current(thing) !== undefined)
    const ready = hear(connection, granted)
    connection.joined.watch(granted.audiences, watch.since)
    await ready
    if (!connections.has(connection)) return
    // Only now: a message before has a cursor that `since` must not be lost to.
    connection.joined.tell({ kind: 'link', ...link() })
    connection.joined.tell({ kind: 'watching', refused: [...granted.refused] })
    // What changed while this reader was away may be in no memory of events.
    for (const thing of known) {
      const state = states.current(thing)
      if (state !== undefined) connection.joined.tell(state)
    }
  }

  /** New things first: what is watched before and after is heard without a gap. */
  function hear(connection: Connection, { things }: Granted): Promise<unknown> {
    const wants = new Map<string, () => void>()
    const ready: Promise<void>[] = []
    for (const [thing, stable] of things) {
      stableOf.set(thing, stable)
      const want = states.want(thing)
      wants.set(thing, want.stop)
      ready.push(want.ready)
    }
    for (const stop of connection.wants.values()) stop()
    connection.wants = wants
    return Promise.all(ready)
  }

  /** Again and again, and after each change of rights: sessions end, roles change, devices move. */
  async function check(connection: Connection): Promise<void> {
    const user = await who(connection.request)
    if (user === undefined) {
      connection.socket.close(LIVE_CLOSE.signedOut)
      return
    }
    connection.user = user
    if (connection.watch === undefined) return
    const granted = await grant(deps.db, user, connection.watch)
    if (!connections.has(connection)) return
    const before = connection.joined.watched()
    void hear(connection, granted)
    connection.joined.watch(granted.audiences)
    if (!isSame(before, granted.audiences)) connection.joined.tell({ kind: 'reset' })
  }

  function recheck(user?: string): void {
    if (user !== undefined) {
      for (const connection of connections)
        if (connection.user.id === user) then(connection, () => check(connection))
      return
    }
    if (isChecking) {
      checkAgain = true
      return
    }
    isChecking = true
    // After the answer to the write that made it necessary.
    setImmediate(async () => {
      for (const connection of connections) {
        then(connection, () => check(connection))
        await connection.work
      }
      isChecking = false
      if (!checkAgain) return
      checkAgain = false
      recheck()
    })
  }

  const timers = [
    setInterval(() => recheck(), limits.recheckMs),
    setInterval(() => {
      for (const connection of connections) {
        connection.messages = 0
        if (connection.isAlive) connection.socket.ping()
        else connection.socket.terminate()
        connection.isAlive = false
      }
    }, limits.pingMs),
  ]

  function publish(event: LiveEvent, { stable, thing, fleet, hops, everybody }: Audience): void {
    const audiences = [
      ...(stable == null ? [] : [stableKey(stable)]),
      ...(thing === undefined ? [] : [thingKey(thing)]),
      ...(fleet ? [FLEET] : []),
      ...(hops ? [HOPS_PAGE] : []),
    ]
    // The hub takes none for all: a stable that is null must not tell everybody.
    if (audiences.length > 0 || everybody) hub.publish(event, everybody ? [] : audiences)
  }

  function publishOfThing(event: StateEvent | ControlEvent): void {
    publish(event, { thing: event.thing, stable: stableOf.get(event.thing) })
  }

  return {
    route: { matches: (path) => path === PATH, upgrade },
    publish,
    publishState: publishOfThing,
    publishControl: publishOfThing,
    recheck,
    isWatched: hub.isWatched,
    count: () => connections.size,
    close() {
      for (const timer of timers) clearInterval(timer)
      for (const { socket } of connections) socket.close(1001)
      server.close()
    },
  }
}

function readWatch(text: string): Watch | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return watchCheck.Check(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isSame(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((key) => b.has(key))
}
