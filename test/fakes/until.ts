import { inspect } from 'node:util'

/** Nothing in a test waits longer for one thing, however slow the machine: what does not come by then was lost. Milliseconds. */
const PATIENCE_MS = 60_000
/** How often is looked: soon at first, since most things come at once, and then less and less often. Milliseconds. */
const LOOK_STEP_MS = 5
const LOOK_MAX_MS = 50

/**
 * Looks until there is something, neither false nor undefined, and returns it.
 * @param what is waited for, for the error
 * @param there what is there instead, for the error
 * @throws Error after a minute, also when a look itself does not end
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  there: () => unknown,
): Promise<Exclude<T, false | undefined>> {
  let isOver = false
  async function looking(): Promise<T> {
    for (let pause = LOOK_STEP_MS; ; pause = Math.min(pause + LOOK_STEP_MS, LOOK_MAX_MS)) {
      const found = await look()
      if (isOver || (found !== false && found !== undefined)) return found
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
  }
  try {
    return (await within(what, looking(), there)) as Exclude<T, false | undefined>
  } finally {
    isOver = true
  }
}

/**
 * What `promise` brings.
 * @param what and `there` are as those of `until`
 * @throws Error after a minute
 */
export async function within<T>(what: string, promise: Promise<T>, there: () => unknown): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Waited ${PATIENCE_MS / 1000} s: ${what}: ${textOf(there())}`)),
      PATIENCE_MS,
    )
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function textOf(there: unknown): string {
  return typeof there === 'string'
    ? there
    : inspect(there, { depth: 6, breakLength: Number.POSITIVE_INFINITY })
}
