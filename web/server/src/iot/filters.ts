/** Who wants which topics, and which of them the broker has granted. Pure. */

export type Handler = (topic: string, payload: Uint8Array) => void

export type Filters = {
  add(filter: string, handler: Handler): { readonly ready: Promise<void>; stop(): void }
  wanted(): string[]
  /** The broker has granted it: those who wait for it go on. */
  granted(filter: string): void
  /** Nothing is granted any more. */
  lost(): void
  deliver(topic: string, payload: Uint8Array): void
}

type Entry = {
  readonly pattern: RegExp
  readonly handlers: Set<Handler>
  granted: PromiseWithResolvers<void>
}

/** @param onChange told when what is wanted has changed */
export function createFilters(onChange: (wanted: string[]) => void): Filters {
  const entries = new Map<string, Entry>()
  const wanted = () => [...entries.keys()]

  return {
    wanted,
    add(filter, handler) {
      let entry = entries.get(filter)
      if (entry === undefined) {
        entry = { pattern: patternOf(filter), handlers: new Set(), granted: Promise.withResolvers() }
        entries.set(filter, entry)
        onChange(wanted())
      }
      const { handlers, granted } = entry
      // Two who want the same with one function are two.
      const own: Handler = (topic, payload) => handler(topic, payload)
      handlers.add(own)
      return {
        ready: granted.promise,
        stop() {
          if (!handlers.delete(own) || handlers.size > 0 || entries.get(filter)?.handlers !== handlers) return
          entries.delete(filter)
          onChange(wanted())
        },
      }
    },
    granted: (filter) => entries.get(filter)?.granted.resolve(),
    lost() {
      for (const entry of entries.values()) entry.granted = renewed(entry.granted)
    },
    deliver(topic, payload) {
      for (const { pattern, handlers } of [...entries.values()]) {
        if (!pattern.test(topic)) continue
        for (const handler of [...handlers]) handler(topic, payload)
      }
    },
  }
}

/** Those who wait already go on waiting; those who come from now on wait for the next grant, as do they. */
function renewed(before: PromiseWithResolvers<void>): PromiseWithResolvers<void> {
  const next = Promise.withResolvers<void>()
  // A promise that is resolved already takes no second resolution.
  next.promise.then(before.resolve)
  return next
}

/** A topic filter (MQTT 3.1.1 section 4.7) as an expression. */
function patternOf(filter: string): RegExp {
  const levels = filter.split('/').map((level) => {
    if (level === '+') return '[^/]*'
    return level === '#' ? '.*' : level.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  })
  return new RegExp(`^${levels.join('/').replace(/\/\.\*$/, '(?:/.*)?')}$`)
}
