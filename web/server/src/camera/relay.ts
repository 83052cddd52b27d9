import { randomBytes } from 'node:crypto'
import type { CameraStatus } from '@pesebre/contract/api/camera'
import {
  CAMERA_EVENTS_FILTER,
  type CameraCommand,
  cameraOfTopic,
  commandsTopic,
} from '@pesebre/contract/camera'
import { jpegOf } from '@pesebre/contract/frame'
import { CAMERA_PATH, TOKEN_S_MAX } from '@pesebre/contract/relay'
import type { Effect, Picture } from '../relay/effects.ts'
import { Hub, type HubNumbers, type Limits } from '../relay/hub.ts'
import type { UpgradeRoute } from '../upgrade.ts'
import { createCameraSockets } from './camera-sockets.ts'
import { readEvent } from './messages.ts'
import { Tokens } from './tokens.ts'
import { createViewerSockets } from './viewer-sockets.ts'
import type { MayWatch } from './watching.ts'

/** What the relay needs of the world. */
export type RelayOptions = {
  /** Where cameras reach us: `https://stable.example`. */
  readonly origin: string
  readonly mayWatch: MayWatch
  /** AWS IoT over MQTT (../iot/iot.ts). */
  readonly mqtt: {
    publish(topic: string, payload: object): Promise<void>
    subscribe(filter: string, handler: (topic: string, payload: Uint8Array) => void): { stop(): void }
    onLink(handler: (link: { readonly isLive: boolean }) => void): void
  }
  readonly log: Log
  readonly limits: Limits
}

export type Log = Record<'debug' | 'info' | 'warn', (fields: object, text: string) => void>

export type Relay = {
  /** Where cameras and viewers connect. */
  readonly routes: readonly UpgradeRoute[]
  /** A picture that is at most so old, milliseconds; undefined: the camera gave none within twelve seconds. */
  snapshot(
    camera: string,
    maxAgeMs: number,
  ): Promise<{ readonly jpeg: Uint8Array; readonly at: number } | undefined>
  status(camera: string): CameraStatus
  /** Told whenever the status of a camera has changed. */
  onChange(handler: (camera: string) => void): void
  /** Told when a camera has said something, or has come to AWS IoT: by its own word. `at`: milliseconds since 1970. */
  onHeard(handler: (camera: string, at: number) => void): void
  /** Told when a camera is away, or does not answer, and when it is back. `at`: since when, milliseconds since 1970. */
  onGone(handler: (camera: string, gone: { readonly isGone: boolean; readonly at: number }) => void): void
  /** Somebody's rights have changed, or a horse's camera: who may watch no more is cut off now, not at the next round. */
  recheck(): void
  numbers(): HubNumbers
  /** Stops the cameras and closes all connections. */
  close(): Promise<void>
}

const TICK_MS = 250
/** AWS IoT tells this of every client (Developer Guide, "Lifecycle events"). */
const PRESENCE_FILTER = '$aws/events/presence/+/+'
const PRESENCE = /^\$aws\/events\/presence\/(connected|disconnected)\/(camera-[0-9a-f]{8})$/

/** Joins the hub, which knows no sockets, to WebSockets, MQTT and the clock. */
export function createRelay(options: RelayOptions): Relay {
  const { origin, mqtt, log } = options
  const hub = new Hub({
    limits: options.limits,
    newId: () => randomBytes(8).toString('hex'),
  })
  const tokens = new Tokens(TOKEN_S_MAX * 1_000)
  const onChange: Parameters<Relay['onChange']>[0][] = []
  const onGone: Parameters<Relay['onGone']>[0][] = []
  const onHeard: Parameters<Relay['onHeard']>[0][] = []
  const snapshots = new Map<number, (picture: Picture | undefined) => void>()
  let lastRequest = 0
  const upload = `${origin.replace(/^http/, 'ws')}${CAMERA_PATH}`

  /** One event into the hub, and what it wants done out of it. */
  function feed(event: (hub: Hub, now: number) => void): void {
    event(hub, now())
    // What is done may be an event again: a socket that closes.
    for (let effects = hub.drain(); effects.length > 0; effects = hub.drain()) {
      for (const effect of effects) carryOut(effect)
    }
  }

  const cameras = createCameraSockets({ feed, log, use: (token) => tokens.use(token, now()) })
  const viewers = createViewerSockets({ feed, log, mayWatch: options.mayWatch, now })

  function carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'show':
        viewers.show(effect.viewer, effect.picture.bytes)
        break
      case 'ack':
        cameras.tell(effect.source, { ack: effect.seq })
        break
      case 'tell-state':
        viewers.tell(effect.viewer, { camera: effect.state })
        break
      case 'tell-clock':
        viewers.tell(effect.viewer, { clock: Math.round(effect.clock) })
        break
      case 'dismiss':
        viewers.dismiss(effect.viewer)
        break
      case 'want':
        cameras.tell(effect.source, { want: effect.want })
        break
      case 'lease':
        cameras.tell(effect.source, { lease: effect.seconds })
        break
      case 'drop':
        cameras.drop(effect.source, effect.reason)
        break
      case 'start': {
        const { camera, streamId, want, leaseS } = effect
        command(camera, { command: 'start', ...granted(camera, streamId), lease: leaseS, ...want })
        break
      }
      case 'snapshot': {
        const { camera, streamId, maxLevel } = effect
        command(camera, { command: 'snapshot', ...granted(camera, streamId), maxLevel })
        break
      }
      case 'stop':
        tokens.revoke(effect.camera)
        command(effect.camera, { command: 'stop', streamId: effect.streamId })
        break
      case 'picture':
        snapshots.get(effect.request)?.(effect.picture)
        snapshots.delete(effect.request)
        break
      case 'changed':
        for (const handler of onChange) handler(effect.camera)
        break
      case 'gone':
      case 'back':
        log.info({ camera: effect.camera, at: effect.at }, `camera ${effect.do}`)
        for (const handler of onGone)
          handler(effect.camera, { isGone: effect.do === 'gone', at: Math.round(effect.at) })
    }
  }

  function granted(camera: string, streamId: string) {
    const token = tokens.issue({ camera, streamId }, now())
    return { streamId, url: upload, token, expires: Math.floor(now() / 1_000) + TOKEN_S_MAX }
  }

  function command(camera: string, message: CameraCommand): void {
    // Nothing is repeated here: the hub asks again when no picture comes.
    mqtt.publish(commandsTopic(camera), message).catch((error: Error) => {
      log.warn({ camera, command: message.command, err: error }, 'command to camera failed')
    })
  }

  function onEvent(topic: string, payload: Uint8Array): void {
    const camera = cameraOfTopic(topic)
    const event = readEvent(payload)
    if (camera === undefined || event === undefined) {
      log.debug({ topic, bytes: payload.length }, 'event of a camera that is none')
      return
    }
    heard(camera)
    switch (event.event) {
      case 'hello':
        command(camera, { command: 'welcome', time: Math.floor(now() / 1_000), upload })
        feed((hub, now) => hub.hello(camera, now))
        break
      case 'streaming':
        break
      case 'error':
        log.info({ camera, text: event.message }, 'camera error')
        feed((hub, now) => hub.refused(camera, event.streamId, now))
        break
      case 'stopped':
        feed((hub, now) => hub.refused(camera, event.streamId, now))
    }
  }

  function heard(camera: string): void {
    for (const handler of onHeard) handler(camera, Math.round(now()))
  }

  function onPresence(topic: string): void {
    const [, event, camera] = PRESENCE.exec(topic) ?? []
    if (camera === undefined) return
    const isConnected = event === 'connected'
    if (isConnected) heard(camera)
    feed((hub, now) => hub.presence(camera, isConnected, now))
  }

  function status(camera: string): CameraStatus {
    const { state, isConnected, viewers: watching, picture } = hub.view(camera)
    const pictureAt = picture === undefined ? null : takenAt(picture)
    return { thing: camera, state, connected: isConnected ?? null, viewers: watching, pictureAt }
  }

  const subscriptions = [
    mqtt.subscribe(CAMERA_EVENTS_FILTER, onEvent),
    mqtt.subscribe(PRESENCE_FILTER, onPresence),
  ]
  mqtt.onLink(({ isLive }) => {
    if (isLive) feed((hub, now) => hub.reachable(now))
  })
  const ticking = setInterval(() => feed((hub, now) => hub.advance(now)), TICK_MS)

  return {
    routes: [cameras.route, viewers.route],
    status,
    onChange: (handler) => void onChange.push(handler),
    onGone: (handler) => void onGone.push(handler),
    onHeard: (handler) => void onHeard.push(handler),
    recheck: viewers.recheck,
    numbers: () => hub.numbers(),
    snapshot(camera, maxAgeMs) {
      return new Promise((resolve) => {
        const request = ++lastRequest
        snapshots.set(request, (picture) =>
          resolve(picture && { jpeg: jpegOf(picture.bytes), at: takenAt(picture) }),
        )
        feed((hub, now) => hub.snapshot(request, { camera, maxAgeMs }, now))
      })
    },
    async close() {
      clearInterval(ticking)
      for (const subscription of subscriptions) subscription.stop()
      feed((hub) => hub.stop())
      for (const settle of snapshots.values()) settle(undefined)
      snapshots.clear()
      await Promise.all([cameras.close(), viewers.close()])
    },
  }
}

/** Milliseconds since 1970 that never go back: a clock that is set must not end streams. */
function now(): number {
  return performance.timeOrigin + performance.now()
}

/** When a picture was taken, milliseconds since 1970. */
function takenAt({ captureMs, clock }: Picture): number {
  return Math.round(captureMs + clock)
}
