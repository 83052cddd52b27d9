import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const LEASH = fileURLToPath(import.meta.resolve('./leash.ts'))

export type ChildOptions = {
  /** Script to run, absolute. */
  readonly main: string
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string>>
  readonly onLine: (line: string, source: 'stdout' | 'stderr') => void
  /** It ended, whoever wanted that. */
  readonly onExit: (how: string, ranMs: number) => void
}

/** One run of one process of the stack. */
export type Child = {
  readonly pid: number | undefined
  /** Asks it to stop, and ends it if it has not after `withinMs`. Resolves to false if it had to be ended. */
  stop(withinMs: number): Promise<boolean>
}

/** Starts a process with this same Node, in a process group of its own: see leash.ts. */
export function startChild(options: ChildOptions): Child {
  const started = performance.now()
  const child = spawn(process.execPath, ['--import', LEASH, options.main], {
    env: options.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  for (const source of ['stdout', 'stderr'] as const) {
    const stream = child[source]
    if (stream !== null) createInterface(stream).on('line', (line) => options.onLine(line, source))
  }

  let gone = false
  const ended = (how: string) => {
    if (gone) return
    gone = true
    options.onExit(how, performance.now() - started)
  }
  // 'close' comes after the last line of output, so that its reason stands in the log before its death is told.
  child.once('close', (code, signal) => ended(signal === null ? `exit code ${code}` : signal))
  child.once('error', (error) => ended(error.message))

  return {
    pid: child.pid,
    async stop(withinMs) {
      if (gone) return true
      const closed = once(child, 'close')
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), withinMs)
      await closed
      clearTimeout(timer)
      return child.signalCode !== 'SIGKILL'
    },
  }
}
