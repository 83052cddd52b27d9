import { afterDeath, NO_DEATHS } from './back-off.ts'
import { type Child, startChild } from './child.ts'
import { openLogFile } from './log-file.ts'
import { type LogEvent, readLogLine } from './log-line.ts'
import { untilReady } from './ready.ts'

/** What happens to a process of the stack. */
export type ProcessEvent =
  | { readonly kind: 'log'; readonly name: string; readonly event: LogEvent }
  /** `afterMs` is undefined for a process that does not say when it is ready. */
  | {
      readonly kind: 'ready'
      readonly name: string
      readonly afterMs: number | undefined
      readonly again: boolean
    }
  | { readonly kind: 'died'; readonly name: string; readonly how: string; readonly restartInMs: number }
  | { readonly kind: 'ended'; readonly name: string; readonly withinMs: number }

export type SupervisedOptions = {
  readonly name: string
  /** See Supervised. */
  readonly group: string
  /** Script, absolute. */
  readonly main: string
  /** Its whole environment, asked for at each start. */
  readonly env: () => Readonly<Record<string, string>>
  /** See ProcessSpec. */
  readonly ready: string | undefined
  readonly stopMs: number
  /** Wait before the first restart, milliseconds; see back-off.ts. */
  readonly restartMs: number | undefined
  readonly logPath: string
  readonly onEvent: (event: ProcessEvent) => void
  /** It died too often. The message names it and says where to look. */
  readonly onGivenUp: (error: Error) => void
}

/** A process that is kept running. */
export type Supervised = {
  readonly name: string
  /** Processes of one group may stop side by side. */
  readonly group: string
  /** Of its present run; undefined while it waits to be started again. */
  pid(): number | undefined
  /** Resolves when it is ready for the first time; rejects when it dies before, or is not ready within 30 s. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Ends it without asking. */
  kill(): void
}

/** Lines of output that are repeated when a process dies at its start. */
const LAST_LINES = 5

/** Prepares a process; `start` runs it, and runs it again, with back-off, each time that it dies. */
export function supervise(options: SupervisedOptions): Supervised {
  const { name, onEvent } = options
  const log = openLogFile(options.logPath)
  const stopping = new AbortController()
  const lastLines: string[] = []
  let child: Child | undefined
  let deaths = NO_DEATHS
  let restart: NodeJS.Timeout | undefined
  let started = false

  function onLine(line: string, source: 'stdout' | 'stderr'): void {
    log.write(line)
    const event = readLogLine(line, source)
    if (event === undefined) return
    lastLines.push(event.text)
    if (lastLines.length > LAST_LINES) lastLines.shift()
    onEvent({ kind: 'log', name, event })
  }

  let wasReady = false

  /** Runs it once. Resolves when it is ready; rejects when this run ends before. */
  function run(): Promise<void> {
    const from = performance.now()
    const over = new AbortController()
    wasReady = false
    return new Promise((resolve, reject) => {
      child = startChild({
        main: options.main,
        env: options.env(),
        onLine,
        onExit: (how, ranMs) => {
          child = undefined
          over.abort()
          log.write(JSON.stringify({ time: Date.now(), msg: 'process ended', how }))
          if (!stopping.signal.aborted && started) onDeath(how, ranMs)
          reject(new Error(`${name} ended at its start (${how})${excerpt(lastLines)}`))
        },
      })
      const ready = options.ready === undefined ? Promise.resolve() : untilReady(options.ready, over.signal)
      ready.then(() => {
        wasReady = true
        const afterMs = options.ready === undefined ? undefined : performance.now() - from
        onEvent({ kind: 'ready', name, afterMs, again: started })
        resolve()
      }, reject)
    })
  }

  function onDeath(how: string, ranMs: number): void {
    // Somebody stopped it, in order, to see that the rest goes on: however often that is, nothing is wrong with it.
    const before = how === 'exit code 0' && wasReady ? NO_DEATHS : deaths
    const next = afterDeath(before, ranMs, options.restartMs)
    deaths = next.deaths
    if (next.delayMs === undefined) {
      const times = `${deaths.inARow} times in a row, the last time with ${how}`
      options.onGivenUp(new Error(`${name} died ${times}: its log is ${log.path}${excerpt(lastLines)}`))
      return
    }
    onEvent({ kind: 'died', name, how, restartInMs: next.delayMs })
    restart = setTimeout(() => {
      run().catch((error: Error) => {
        // That it died again is told by onDeath.
        if (child !== undefined) onLine(error.message, 'stderr')
      })
    }, next.delayMs)
  }

  return {
    name,
    group: options.group,
    pid: () => child?.pid,
    async start() {
      if (stopping.signal.aborted) throw new Error(`${name} was stopped before its start`)
      await run()
      started = true
    },
    async stop() {
      stopping.abort()
      clearTimeout(restart)
      const inTime = (await child?.stop(options.stopMs)) ?? true
      if (!inTime) onEvent({ kind: 'ended', name, withinMs: options.stopMs })
      log.close()
    },
    kill() {
      stopping.abort()
      clearTimeout(restart)
      if (child?.pid !== undefined) process.kill(child.pid, 'SIGKILL')
    },
  }
}

function excerpt(lines: readonly string[]): string {
  return lines.map((line) => `\n  ${line}`).join('')
}
