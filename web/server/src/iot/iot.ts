import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createFilters, type Handler } from './filters.ts'
import type { FromMqtt, MqttSettings, ToMqtt } from './messages.ts'

/** AWS IoT over MQTT, as the rest of the web server uses it. */
export type Iot = {
  /**
   * Messages of a topic filter, from the moment that the returned promise resolves (which may be long after: AWS may be away).
   * `stop` ends it. Several may want the same filter.
   */
  subscribe(filter: string, handler: Handler): Subscription
  /** QoS 1. Rejects when the broker has not confirmed it in time; nothing is tried again by itself. */
  publish(topic: string, payload: object | Uint8Array): Promise<void>
  link(): Link
  /** Told of every change. When it becomes live, messages may have been missed: read the shadows. */
  onLink(handler: (link: Link) => void): void
  /** Of the MQTT process of this moment. */
  pid(): number | undefined
  close(): Promise<void>
}

export type Subscription = { readonly ready: Promise<void>; stop(): void }

/** Whether messages come now; `since` when it is so, milliseconds since 1970. */
export type Link = { readonly isLive: boolean; readonly since: number }

export type IotOptions = {
  readonly settings: MqttSettings
  /** Told of every failure. It goes on trying. */
  readonly onError: (error: Error) => void
  /** How long a process that died waits before it is started again, the first time, milliseconds. Default 500. */
  readonly restartMs?: number
  /** Script of the process. Default: iot-main.ts. */
  readonly main?: string
}

const MAIN = fileURLToPath(new URL('../iot-main.ts', import.meta.url))
const RESTART_MAX_MS = 30_000
/** A process that ran this long was well: its next death counts as the first again. */
const WELL_AFTER_MS = 60_000
/** Longer than the process itself waits for the broker. */
const PUBLISH_MS = 7_000
const STOP_MS = 1_000

/** Starts the MQTT process, and again whenever it dies. Returns at once. */
export function openIot({ settings, onError, restartMs = 500, main = MAIN }: IotOptions): Iot {
  let child: ChildProcess | undefined
  let link: Link = { isLive: false, since: Date.now() }
  let isClosed = false
  let deaths = 0
  let restart: NodeJS.Timeout | undefined
  let published = 0
  const publications = new Map<number, (error: Error | undefined) => void>()
  const watchers: ((link: Link) => void)[] = []
  const filters = createFilters((wanted) => tell({ kind: 'filters', filters: wanted }))

  function start(): void {
    const startedAt = performance.now()
    const started = fork(main, {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // What was preloaded into us is not meant for it: the stack's leash would let it end at once.
      execArgv: [],
    })
    child = started
    started.on('message', (message: FromMqtt) => onMessage(message))
    started.once('error', onError)
    started.once('exit', (code, signal) => {
      child = undefined
      setLive(false)
      filters.lost()
      for (const settle of [...publications.values()]) settle(new Error('the MQTT process died'))
      if (isClosed) return
      deaths = performance.now() - startedAt >= WELL_AFTER_MS ? 1 : deaths + 1
      const delay = Math.min(restartMs * 2 ** (deaths - 1), RESTART_MAX_MS)
      onError(
        new Error(
          `The MQTT process died: ${signal ?? `exit code ${code}`}: starting it again in ${delay} ms`,
        ),
      )
      restart = setTimeout(start, delay)
    })
    tell({ kind: 'open', settings })
    tell({ kind: 'filters', filters: filters.wanted() })
  }

  function tell(message: ToMqtt): void {
    // Its death is told by `exit`; a message that crosses it is said again to the next one.
    if (child?.connected) child.send(message, () => {})
  }

  function onMessage(message: FromMqtt): void {
    switch (message.kind) {
      case 'link':
        if (!message.isLive) filters.lost()
        setLive(message.isLive)
        break
      case 'subscribed':
        filters.granted(message.filter)
        break
      case 'message':
        filters.deliver(message.topic, message.payload)
        break
      case 'published':
        publications.get(message.id)?.(message.error === undefined ? undefined : new Error(message.error))
        break
      case 'error':
        onError(new Error(message.text))
    }
  }

  function setLive(isLive: boolean): void {
    if (isLive === link.isLive) return
    link = { isLive, since: Date.now() }
    for (const watcher of watchers) watcher(link)
  }

  function publish(topic: string, payload: object | Uint8Array): Promise<void> {
    const id = published++
    const bytes = payload instanceof Uint8Array ? payload : new TextEncoder().encode(JSON.stringify(payload))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(new Error('no word of the MQTT process')), PUBLISH_MS)
      const settle = (error: Error | undefined) => {
        publications.delete(id)
        clearTimeout(timer)
        if (error === undefined) resolve()
        else reject(new Error(`Cannot publish: ${error.message}: ${topic}`, { cause: error }))
      }
      if (child === undefined) {
        settle(new Error('AWS IoT is away'))
        return
      }
      publications.set(id, settle)
      tell({ kind: 'publish', id, topic, payload: bytes })
    })
  }

  async function close(): Promise<void> {
    isClosed = true
    clearTimeout(restart)
    const running = child
    if (running === undefined) return
    const exited = once(running, 'exit')
    if (running.connected) running.disconnect()
    const timer = setTimeout(() => running.kill('SIGKILL'), STOP_MS)
    await exited
    clearTimeout(timer)
  }

  start()
  return {
    subscribe: filters.add,
    publish,
    link: () => link,
    onLink: (handler) => void watchers.push(handler),
    pid: () => child?.pid,
    close,
  }
}
