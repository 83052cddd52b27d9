/**
 * What was read over HTTP, each path once, as signals that pages render from. A page that comes back shows at once what it had,
 * and reads again behind it; live events change entries in place or mark them as old.
 */
import { type Signal, signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { get, Problem } from './client.ts'

/** `data` stays while it is read again, and when that fails: then both are there. */
export type Loaded<T> = { data?: T; error?: Problem; isLoading: boolean }

type Entry = {
  state: Signal<Loaded<unknown>>
  users: number
  running: Promise<void> | undefined
  isOld: boolean
}

const entries = new Map<string, Entry>()
/** Entries that nobody shows are kept for going back. */
const KEPT_MAX = 60

function entryOf(path: string): Entry {
  const found = entries.get(path)
  if (found !== undefined) return found
  const entry: Entry = { state: signal({ isLoading: true }), users: 0, running: undefined, isOld: true }
  entries.set(path, entry)
  for (const [key, { users }] of entries) {
    if (entries.size <= KEPT_MAX) break
    if (users === 0 && key !== path) entries.delete(key)
  }
  return entry
}

function load(path: string, entry: Entry): Promise<void> {
  // Whatever changed while an answer was on its way may not be in it: read once more after it.
  entry.isOld = true
  entry.running ??= (async () => {
    while (entry.isOld) {
      entry.isOld = false
      entry.state.value = { ...entry.state.peek(), isLoading: true }
      try {
        entry.state.value = { data: await get<unknown>(path), isLoading: false }
      } catch (error) {
        const problem =
          error instanceof Problem ? error : new Problem(0, 'unknown', { detail: String(error) })
        entry.state.value = { ...entry.state.peek(), error: problem, isLoading: false }
      }
    }
    entry.running = undefined
  })()
  return entry.running
}

/** Reads a path and renders again when it changes. Undefined: nothing to read yet. */
export function useData<T>(path: string | undefined): Loaded<T> {
  const none = useSignal<Loaded<unknown>>({ isLoading: true })
  useEffect(() => {
    if (path === undefined) return
    const entry = entryOf(path)
    entry.users++
    load(path, entry).catch(() => undefined)
    return () => {
      entry.users--
      entry.isOld = true
    }
  }, [path])
  return (path === undefined ? none : entryOf(path).state).value as Loaded<T>
}

/** Reads again, now or when somebody shows them, all paths that `matches`. */
export function refresh(matches: string | ((path: string) => boolean)): Promise<unknown> {
  const isMeant = typeof matches === 'string' ? (path: string) => path === matches : matches
  const found = [...entries].filter(([path]) => isMeant(path))
  return Promise.all(
    found.map(([path, entry]) => (entry.users > 0 ? load(path, entry) : entries.delete(path) && undefined)),
  )
}

/** Changes what is there in place; does nothing where nothing was read yet. */
export function change<T>(path: string, to: (data: T) => T): void {
  const entry = entries.get(path)
  const data = entry?.state.peek().data
  if (entry !== undefined && data !== undefined)
    entry.state.value = { ...entry.state.peek(), data: to(data as T) }
}

/** What was read of this path; undefined when nothing was. */
export function peek<T>(path: string): T | undefined {
  return entries.get(path)?.state.peek().data as T | undefined
}

/** Every path that was read. */
export function known(): string[] {
  return [...entries.keys()]
}

/** Puts an answer of a write where its path is read. */
export function keep<T>(path: string, data: T): void {
  entryOf(path).state.value = { data, isLoading: false }
}

/** After signing out nothing of the last person may be seen. */
export function forgetAll(): void {
  entries.clear()
}
