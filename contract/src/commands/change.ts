import { type Control, type ControlDesired, NO_CONTROL, readControl } from '../control.ts'

/** The control shadow of a thing, read and written by somebody who has a client for AWS IoT. */
export type ControlPorts = {
  /** `state` and `version` of the document; undefined when there is none. */
  read: (thing: string) => Promise<{ state: unknown; version: number } | undefined>
  /**
   * Merges a patch into `desired` (null removes a key) if the document still has this version; a version of undefined
   * means that there was none. Resolves to false when it has another (AWS IoT: 409).
   */
  write: (thing: string, patch: object, version: number | undefined) => Promise<boolean>
  /** Waits, milliseconds. */
  sleep: (ms: number) => Promise<void>
  /** From 0 to 1. */
  random: () => number
}

/** Tries before giving up: only bridge and other givers write here, so that more is a fault. */
export const TRIES_MAX = 10

/** A thing without a control shadow was never registered. */
export type Attempt = { desired: ControlDesired | undefined }

/**
 * Changes the `desired` section of a control shadow by compare-and-set: reads it, lets `decide` make a new one of it, and
 * writes the difference; when somebody else was faster, all over again. An answer without `desired` changes nothing.
 * @throws Error when others were faster TRIES_MAX times; and whatever the ports throw
 */
export async function changeControl<T extends Attempt>(
  { read, write, sleep, random }: ControlPorts,
  thing: string,
  decide: (control: Control, exists: boolean) => T,
): Promise<T> {
  for (let attempt = 1; attempt <= TRIES_MAX; attempt++) {
    const found = await read(thing)
    const control = found === undefined ? NO_CONTROL : readControl(found.state)
    const decision = decide(control, found !== undefined)
    if (decision.desired === undefined) return decision
    const before = found === undefined ? {} : desiredOf(found.state)
    const patch = patchOf(before, decision.desired)
    if (patch === undefined || (await write(thing, patch, found?.version))) return decision
    await sleep(random() * 20 * 2 ** attempt)
  }
  throw new Error(`Change control of ${thing}: others were faster ${TRIES_MAX} times`)
}

type Json = Record<string, unknown>

/**
 * The patch that turns one section into another under AWS IoT's rules: objects merge, null removes, all else is replaced.
 * Undefined when they are the same. Keys that ours does not know (somebody else's) stay.
 */
function patchOf(from: Json, to: Json, own?: readonly string[]): Json | undefined {
  const patch: Json = {}
  const keys = new Set([...Object.keys(to), ...(own ?? KEYS)])
  for (const key of keys) {
    const [before, after] = [from[key], to[key]]
    if (after === undefined) {
      if (before !== undefined) patch[key] = null
    } else if (isJson(before) && isJson(after)) {
      const inner = patchOf(before, after, Object.keys(before))
      if (inner !== undefined) patch[key] = inner
    } else if (JSON.stringify(before) !== JSON.stringify(after)) patch[key] = after
  }
  return Object.keys(patch).length === 0 ? undefined : patch
}

/** Keys of `desired` that are ours to remove. */
const KEYS: readonly (keyof ControlDesired)[] = [
  'enabled',
  'name',
  'config',
  'queue',
  'cancelled',
  'next',
  'firmware',
]

function desiredOf(state: unknown): Json {
  const desired = isJson(state) ? state['desired'] : undefined
  return isJson(desired) ? desired : {}
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
