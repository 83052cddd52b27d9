import type { Iot, Subscription } from '../iot/iot.ts'
import type { Shadows } from '../iot/shadows.ts'
import {
  currentOf,
  type DeviceState,
  type StateEvent,
  stateOf,
  stateTopic,
  thingOfState,
} from './documents.ts'

/** The classic shadows of the things that somebody watches: AWS bills each of their changes, so nobody else's are heard. */
export type States = {
  /** Somebody watches this thing, until `stop`. Resolves once its state is current, or cannot be had. */
  want(thing: string): { readonly ready: Promise<void>; stop(): void }
  /** Undefined: not watched, or not known yet. */
  current(thing: string): StateEvent | undefined
  /** How many are watched. */
  count(): number
  close(): void
}

export type StatesOptions = {
  readonly iot: Pick<Iot, 'subscribe' | 'onLink' | 'link'>
  readonly shadows: Pick<Shadows, 'read'>
  /** Told of each state that is newer than the one before, and of the first. */
  readonly onState: (event: StateEvent) => void
  readonly onError: (error: unknown) => void
  /** How long a thing is still heard that nobody watches any more, milliseconds: pages come and go. */
  readonly lingerMs?: number
}

/**
 * A connection may have 50 subscriptions (AWS General Reference, "AWS IoT Core message broker and protocol limits"), of
 * which others need some. Above this, all things are heard by one filter, and those that nobody watches are left aside.
 */
export const SINGLE_MAX = 32
/** Reads of shadows at a time. */
const READS_MAX = 16
/** Who begins to watch waits for AWS no longer than this, milliseconds. */
const READY_MS = 3_000
const LINGER_MS = 20_000

type Entry = {
  watchers: number
  known: DeviceState | undefined
  /** Of its own; undefined while all things are heard. */
  subscription: Subscription | undefined
  /** Resolves when it is current for the first time. */
  readonly first: PromiseWithResolvers<void>
  linger: NodeJS.Timeout | undefined
}

export function createStates(options: StatesOptions): States {
  const { iot, shadows, onState, onError, lingerMs = LINGER_MS } = options
  const entries = new Map<string, Entry>()
  const toRead: string[] = []
  let reading = 0
  let all: Subscription | undefined

  iot.onLink(({ isLive }) => {
    // Whatever came meanwhile was heard by nobody.
    if (isLive) for (const thing of entries.keys()) read(thing)
  })

  function want(thing: string) {
    let entry = entries.get(thing)
    if (entry === undefined) {
      entry = {
        watchers: 0,
        known: undefined,
        subscription: undefined,
        first: Promise.withResolvers(),
        linger: undefined,
      }
      entries.set(thing, entry)
      hear(thing, entry)
    }
    clearTimeout(entry.linger)
    entry.watchers++
    let isStopped = false
    return {
      ready: inTime(entry.first.promise),
      stop() {
        if (isStopped) return
        isStopped = true
        entry.watchers--
        if (entry.watchers > 0) return
        entry.linger = setTimeout(() => forget(thing, entry), lingerMs)
        entry.linger.unref()
      },
    }
  }

  /** Subscribes, then reads: a change between the two is heard. */
  function hear(thing: string, entry: Entry): void {
    if (entries.size > SINGLE_MAX) hearAll()
    else if (all === undefined) entry.subscription = iot.subscribe(stateTopic(thing), onMessage)
    const heard = all ?? entry.subscription
    // Without AWS's MQTT, what HTTP says is still better than nothing.
    void Promise.race([heard!.ready, sleep(READY_MS / 3)]).then(() => read(thing))
  }

  function hearAll(): void {
    if (all !== undefined) return
    const wide = iot.subscribe(stateTopic('+'), onMessage)
    all = wide
    void wide.ready.then(() => {
      if (all !== wide) return
      for (const entry of entries.values()) {
        entry.subscription?.stop()
        entry.subscription = undefined
      }
    })
  }

  function forget(thing: string, entry: Entry): void {
    entry.subscription?.stop()
    entries.delete(thing)
    if (all === undefined || entries.size > SINGLE_MAX / 2) return
    const wide = all
    all = undefined
    const singles = [...entries].map(([name, other]) => {
      other.subscription ??= iot.subscribe(stateTopic(name), onMessage)
      return other.subscription.ready
    })
    // Until every single one is heard, the wide one is.
    void Promise.all(singles).then(() => wide.stop())
  }

  function onMessage(topic: string, payload: Uint8Array): void {
    const thing = thingOfState(topic)
    const entry = thing === undefined ? undefined : entries.get(thing)
    const document = entry === undefined ? undefined : currentOf(payload)
    if (thing === undefined || entry === undefined || document === undefined) return
    const state = stateOf(thing, document)
    if (entry.known !== undefined && entry.known.version >= state.version) return
    put(entry, state)
  }

  function read(thing: string): void {
    if (!toRead.includes(thing)) toRead.push(thing)
    while (reading < READS_MAX && toRead.length > 0) {
      reading++
      void readOne(toRead.shift()!).finally(() => {
        reading--
        const next = toRead.shift()
        if (next !== undefined) read(next)
      })
    }
  }

  async function readOne(thing: string): Promise<void> {
    const entry = entries.get(thing)
    if (entry === undefined) return
    const before = entry.known
    try {
      const state = stateOf(thing, await shadows.read(thing))
      // Something newer was heard while we asked. (A shadow that was deleted begins again at a lower version.)
      const isOvertaken = entry.known !== before && entry.known!.version >= state.version
      if (!isOvertaken && entry.known?.version !== state.version) put(entry, state)
    } catch (error) {
      onError(error)
    } finally {
      entry.first.resolve()
    }
  }

  function put(entry: Entry, state: DeviceState): void {
    entry.known = state
    onState(state.event)
    entry.first.resolve()
  }

  return {
    want,
    current: (thing) => entries.get(thing)?.known?.event,
    count: () => entries.size,
    close() {
      for (const { linger, subscription } of entries.values()) {
        clearTimeout(linger)
        subscription?.stop()
      }
      all?.stop()
      entries.clear()
    },
  }
}

function inTime(promise: Promise<void>): Promise<void> {
  return Promise.race([promise, sleep(READY_MS)])
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
