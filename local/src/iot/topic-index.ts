/**
 * Values filed under MQTT topic filters, found by topic. As AWS does it, and unlike the MQTT specification,
 * `sensor/#` does not match `sensor` itself (Developer Guide, "AWS IoT differences from MQTT specifications").
 */
export type TopicIndex<V> = {
  add(filter: string, value: V): void
  remove(filter: string, value: V): void
  /** Values of all filters that match, in the order of their filing within a filter. */
  match(topic: string): V[]
  /** Whether any filter matches: cheaper than `match`. */
  has(topic: string): boolean
}

type Wild<V> = { readonly levels: readonly string[]; readonly values: Set<V> }

export function createTopicIndex<V>(): TopicIndex<V> {
  const exact = new Map<string, Set<V>>()
  const wild = new Map<string, Wild<V>>()

  function valuesOf(filter: string): Set<V> {
    const found = isWild(filter) ? wild.get(filter)?.values : exact.get(filter)
    if (found !== undefined) return found
    const values = new Set<V>()
    if (isWild(filter)) wild.set(filter, { levels: filter.split('/'), values })
    else exact.set(filter, values)
    return values
  }

  return {
    add: (filter, value) => valuesOf(filter).add(value),
    remove(filter, value) {
      const values = valuesOf(filter)
      values.delete(value)
      if (values.size > 0) return
      exact.delete(filter)
      wild.delete(filter)
    },
    match(topic) {
      const found = [...(exact.get(topic) ?? [])]
      if (wild.size === 0) return found
      const levels = topic.split('/')
      for (const filter of wild.values()) {
        if (matches(filter.levels, levels)) found.push(...filter.values)
      }
      return found
    },
    has(topic) {
      if (exact.has(topic)) return true
      if (wild.size === 0) return false
      const levels = topic.split('/')
      for (const filter of wild.values()) if (matches(filter.levels, levels)) return true
      return false
    },
  }
}

/** Whether a filter, split at its slashes, matches a topic, split likewise. */
export function matches(filter: readonly string[], topic: readonly string[]): boolean {
  // A wildcard at the front does not match topics of the broker itself [MQTT-4.7.2-1].
  if (topic[0]?.startsWith('$') && (filter[0] === '#' || filter[0] === '+')) return false
  for (const [index, level] of filter.entries()) {
    if (level === '#') return topic.length > index
    if (index >= topic.length || (level !== '+' && level !== topic[index])) return false
  }
  return filter.length === topic.length
}

export function isWild(filter: string): boolean {
  return filter.includes('+') || filter.includes('#')
}
