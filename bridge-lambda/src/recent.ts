/** A map that holds at most so many entries; the one that was set or got longest ago goes first. */
export type Recent<V> = {
  get(key: string): V | undefined
  set(key: string, value: V): void
  delete(key: string): void
  readonly size: number
}

/** @param max most entries held, at least 1 */
export function createRecent<V>(max: number): Recent<V> {
  // A Map keeps the order of insertion, so that its first key is the one untouched for longest.
  const entries = new Map<string, V>()
  return {
    get(key) {
      const value = entries.get(key)
      if (value === undefined) return undefined
      entries.delete(key)
      entries.set(key, value)
      return value
    },
    set(key, value) {
      entries.delete(key)
      entries.set(key, value)
      if (entries.size > max) entries.delete(entries.keys().next().value!)
    },
    delete(key) {
      entries.delete(key)
    },
    get size() {
      return entries.size
    },
  }
}
