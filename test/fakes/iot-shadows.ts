import { CallError } from '../../bridge-lambda/src/errors.ts'
import type { Ports } from '../../bridge-lambda/src/ports.ts'

type Json = Record<string, unknown>
type Document = { reported: Json; version: number }

/** What a test may change about the fake. Each hook may throw, and is called before the effect. */
export type ShadowHooks = {
  onGet?: (thing: string) => void | Promise<void>
  onUpdate?: (thing: string, update: { reported: Json; version?: number }) => void | Promise<void>
  /** The developer guide does not say whether an object without content is kept. */
  prunesEmpty?: boolean
}

/** Classic shadows in memory under AWS's rules: deep merge, null removes, versions, 48 h version memory, size, depth. */
export function createShadows(hooks: ShadowHooks = {}) {
  const documents = new Map<string, Document>()
  /** Versions of deleted shadows. */
  const graves = new Map<string, number>()
  const counts = { gets: 0, updates: 0, conflicts: 0, refusals: 0, bytes: 0, longest: 0 }

  const getShadow: Ports['getShadow'] = async (thing) => {
    counts.gets++
    await hooks.onGet?.(thing)
    const document = documents.get(thing)
    if (document === undefined) throw new CallError('missing', `No shadow exists with name: '${thing}'`)
    return JSON.parse(JSON.stringify(document))
  }

  const updateShadow: Ports['updateShadow'] = async (thing, update) => {
    const text = JSON.stringify({ state: { reported: update.reported }, version: update.version })
    counts.updates++
    counts.bytes += text.length
    counts.longest = Math.max(counts.longest, text.length)
    const { state, version } = JSON.parse(text)
    await hooks.onUpdate?.(thing, { reported: state.reported, version })
    const document = documents.get(thing)
    if (version !== undefined && version !== document?.version) {
      counts.conflicts++
      throw new CallError('conflict', 'Version conflict')
    }
    const problem = invalid(state.reported, 1)
    if (problem !== undefined) {
      counts.refusals++
      throw new CallError('refused', problem)
    }
    const reported = merge(document?.reported ?? {}, state.reported, hooks.prunesEmpty ?? false)
    if (JSON.stringify(reported).length > 8_192) {
      counts.refusals++
      throw new CallError('refused', 'The payload exceeds the maximum size allowed')
    }
    const next = (document?.version ?? graves.get(thing) ?? 0) + 1
    documents.set(thing, { reported, version: next })
    return next
  }

  return {
    getShadow,
    updateShadow,
    counts,
    hooks,
    documents,
    /** A copy of the section, as a reader would parse it. */
    reported(thing: string): Json | undefined {
      const document = documents.get(thing)
      return document && JSON.parse(JSON.stringify(document.reported))
    },
    /** DeleteThingShadow: a new one goes on from this version. */
    remove(thing: string) {
      graves.set(thing, documents.get(thing)?.version ?? 0)
      documents.delete(thing)
    },
    /** What somebody else writes, past the hooks. */
    write(thing: string, reported: Json) {
      const document = documents.get(thing)
      documents.set(thing, {
        reported: merge(document?.reported ?? {}, reported, false),
        version: (document?.version ?? graves.get(thing) ?? 0) + 1,
      })
    },
  }
}

/** AWS's merge of one section. Own properties only, so that `__proto__` is a key like any other. */
export function merge(into: Json, patch: Json, prunesEmpty: boolean): Json {
  const merged: Json = Object.create(null)
  for (const key of Object.keys(into)) merged[key] = into[key]
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    const held = merged[key]
    if (value === null) delete merged[key]
    else if (isObject(value))
      merged[key] = merge(isObject(held) ? held : Object.create(null), value, prunesEmpty)
    else merged[key] = value
    const after = merged[key]
    if (prunesEmpty && isObject(after) && Object.keys(after).length === 0) delete merged[key]
  }
  return merged
}

function invalid(value: unknown, depth: number): string | undefined {
  if (Array.isArray(value) && value.includes(null)) return 'State contains an invalid node'
  if (typeof value !== 'object' || value === null) return undefined
  if (depth > 8) return 'JSON contains too many levels of nesting'
  for (const inner of Object.values(value)) {
    const problem = invalid(inner, depth + 1)
    if (problem !== undefined) return problem
  }
  return undefined
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
