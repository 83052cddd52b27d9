import { CallError } from '../../bridge-lambda/src/errors.ts'
import type { Ports } from '../../bridge-lambda/src/ports.ts'
import { merge } from './iot-shadows.ts'

type Json = Record<string, unknown>
type Document = { state: { desired?: Json; reported?: Json }; version: number }

export type ControlHooks = {
  onGet?: (thing: string) => void
  onUpdate?: (thing: string, update: { version?: number }) => void
}

/** Control shadows in memory, both sections, under AWS's merge rules. A thing has one once somebody wrote it. */
export function createControls(hooks: ControlHooks = {}) {
  const documents = new Map<string, Document>()
  const counts = { gets: 0, updates: 0, longest: 0 }

  const getControl: Ports['getControl'] = async (thing) => {
    counts.gets++
    hooks.onGet?.(thing)
    const document = documents.get(thing)
    if (document === undefined)
      throw new CallError('missing', `No shadow exists with name: '${thing}~control'`)
    return JSON.parse(JSON.stringify(document))
  }

  const updateControl: Ports['updateControl'] = async (thing, { reported, version }) => {
    const text = JSON.stringify({ state: { reported }, version })
    counts.updates++
    counts.longest = Math.max(counts.longest, text.length)
    hooks.onUpdate?.(thing, version === undefined ? {} : { version })
    if (version !== undefined && version !== documents.get(thing)?.version)
      throw new CallError('conflict', 'Version conflict')
    return write(thing, { reported: JSON.parse(text).state.reported })
  }

  /** What somebody writes, past the hooks. */
  function write(thing: string, patch: { desired?: Json; reported?: Json }): number {
    const { state, version } = documents.get(thing) ?? { state: {}, version: 0 }
    documents.set(thing, { state: merge(state as Json, patch, false), version: version + 1 })
    return version + 1
  }

  return {
    getControl,
    updateControl,
    write,
    counts,
    documents,
    reported: (thing: string): Json | undefined => {
      const { reported } = documents.get(thing)?.state ?? {}
      return reported && JSON.parse(JSON.stringify(reported))
    },
  }
}
