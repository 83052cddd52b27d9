import { randomBytes } from 'node:crypto'
import { WEB_THING } from '@pesebre/contract/policies'
import type { MqttConfig } from './config.ts'
import type { Deps } from './deps.ts'
import { type Iot, type Link, openIot } from './iot/iot.ts'
import { openShadows, type Shadows } from './iot/shadows.ts'
import { hearControls } from './live/controls.ts'
import type { ControlEvent, StateEvent } from './live/documents.ts'
import { createHub } from './live/hub.ts'
import { createLive, type Live } from './live/live.ts'
import { createStates, type States } from './live/states.ts'

/** AWS IoT as the web server uses it, and the live channel that brings it to browsers. */
export type Cloud = {
  /** Undefined: AWS IoT is not set up. */
  readonly iot: Iot | undefined
  readonly shadows: Shadows
  readonly states: States
  readonly live: Live
  link(): Link
  /** What an operator should know; empty: all is well. */
  warnings(): string[]
  /** Told of each control shadow that changes, after the browsers. */
  onControl(handler: (event: ControlEvent) => void): void
  /** Told of each new state of a thing that somebody watches. */
  onState(handler: (event: StateEvent) => void): void
  close(): Promise<void>
}

/** The same failure is logged this often at most, milliseconds. */
const FAILURE_LOG_MS = 10_000

/** Opens the MQTT process, the shadows, and the live channel. Returns at once; AWS IoT may be away. */
export function openCloud(
  mqtt: MqttConfig | undefined,
  deps: Pick<Deps, 'db' | 'now' | 'origin' | 'bearer' | 'log'>,
): Cloud {
  const onError = logged(deps)
  const controlHandlers: ((event: ControlEvent) => void)[] = []
  const stateHandlers: ((event: StateEvent) => void)[] = []
  const iot = mqtt && openIot({ settings: { ...mqtt, clientId: mqtt.thing ?? WEB_THING }, onError })
  const away: Link = { isLive: false, since: deps.now() }
  const link = () => iot?.link() ?? away
  const shadows = openShadows(mqtt?.host)
  const states = createStates({
    iot: iot ?? NO_IOT,
    shadows,
    onError,
    onState(event) {
      live.publishState(event)
      for (const handler of stateHandlers) handler(event)
    },
  })
  const hub = createHub({ epoch: randomBytes(6).toString('hex') })
  const live = createLive({ deps, hub, states, link })

  iot?.onLink((now) => {
    deps.log.info({ live: now.isLive }, 'AWS IoT over MQTT')
    live.publish({ kind: 'link', ...now }, { everybody: true })
  })
  if (iot !== undefined)
    hearControls(iot, (event) => {
      live.publishControl(event)
      for (const handler of controlHandlers) handler(event)
    })

  return {
    iot,
    shadows,
    states,
    live,
    link,
    warnings() {
      const { isLive, since } = link()
      if (isLive || iot === undefined) return []
      return [`mqtt: away since ${new Date(since).toISOString()}: pages show what was known then`]
    },
    onControl: (handler) => void controlHandlers.push(handler),
    onState: (handler) => void stateHandlers.push(handler),
    async close() {
      live.close()
      states.close()
      shadows.close()
      await iot?.close()
    },
  }
}

/** Nobody is heard; shadows are read over HTTP all the same. */
const NO_IOT: Pick<Iot, 'subscribe' | 'onLink' | 'link'> = {
  subscribe: () => ({ ready: new Promise(() => {}), stop() {} }),
  onLink() {},
  link: () => ({ isLive: false, since: 0 }),
}

function logged({ log }: Pick<Deps, 'log'>): (error: unknown) => void {
  const loggedAt = new Map<string, number>()
  return (error) => {
    const { message } = error as Error
    const now = performance.now()
    if (now - (loggedAt.get(message) ?? Number.NEGATIVE_INFINITY) < FAILURE_LOG_MS) return
    if (loggedAt.size > 100) loggedAt.clear()
    loggedAt.set(message, now)
    log.warn({ err: error }, 'AWS IoT fails: what is shown may be old')
  }
}
