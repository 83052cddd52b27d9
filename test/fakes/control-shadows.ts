import { type ControlPorts, changeControl } from '@pesebre/contract/commands/change'
import { CONTROL_SHADOW } from '@pesebre/contract/control'
import type { ShadowDocument, Shadows } from '../../web/server/src/iot/shadows.ts'
import { merge } from './iot-shadows.ts'

type Json = Record<string, unknown>
type State = { desired?: Json; reported?: Json }

export type ControlShadowHooks = {
  /** Before a read or a write takes effect: may throw. */
  onRead?: (thing: string) => void
  onWrite?: (thing: string) => void
  /** After a write has taken effect, before who wrote it learns: may throw. */
  onWritten?: (thing: string) => void
}

/** Shadows of AWS IoT in memory, as the web server sees them: both sections, AWS's merge rules, versions. */
export function createControlShadows(hooks: ControlShadowHooks = {}) {
  const controls = new Map<string, { state: State; version: number }>()
  const classics = new Map<string, { state: State; version: number }>()
  const counts = { reads: 0, writes: 0 }
  const listeners: ((thing: string, document: ShadowDocument) => void)[] = []

  /** What somebody writes, past the hooks. */
  function write(thing: string, patch: State): void {
    const { state, version } = controls.get(thing) ?? { state: {}, version: 0 }
    const next = { state: merge(state as Json, patch as Json, false) as State, version: version + 1 }
    controls.set(thing, next)
    for (const listener of listeners) listener(thing, copy(next))
  }

  async function read(thing: string, name?: string): Promise<ShadowDocument | undefined> {
    counts.reads++
    hooks.onRead?.(thing)
    const found = (name === CONTROL_SHADOW ? controls : classics).get(thing)
    return found && copy(found)
  }

  /** @param turn lets others in between a read and a write */
  function shadowsOf(turn: () => Promise<void> = async () => undefined): Shadows {
    const ports: ControlPorts = {
      read: async (thing) => {
        const found = await read(thing, CONTROL_SHADOW)
        await turn()
        return found
      },
      write: async (thing, patch, version) => {
        counts.writes++
        await turn()
        hooks.onWrite?.(thing)
        if (version !== controls.get(thing)?.version) return false
        write(thing, { desired: JSON.parse(JSON.stringify(patch)) as Json })
        hooks.onWritten?.(thing)
        await turn()
        return true
      },
      sleep: () => turn(),
      random: () => 0,
    }
    return {
      read,
      changeControl: (thing, decide) => changeControl(ports, thing, decide),
      close: () => undefined,
    }
  }

  return {
    shadowsOf,
    write,
    counts,
    controls,
    classics,
    /** As MQTT tells of each change. */
    onChange: (listener: (thing: string, document: ShadowDocument) => void) => void listeners.push(listener),
  }
}

function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
