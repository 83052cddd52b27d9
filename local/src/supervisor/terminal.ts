import type { LogLevel } from './config.ts'
import { formatEvent, isShown, type Paint } from './log-line.ts'
import type { ProcessEvent } from './supervised.ts'

/** The same event of the same process is shown once in this time, milliseconds; the next one says how many were not. */
const QUIET_MS = 5000

export type TerminalOptions = {
  readonly paint: Paint
  /** Events of processes below this are only in their log files. */
  readonly shownLevel: LogLevel
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

/** Turns what happens to the processes into the lines that a person reads; undefined: nothing to show. */
export function createTerminal(options: TerminalOptions): (event: ProcessEvent) => string | undefined {
  const { paint } = options
  const told = new Map<string, { at: number; hidden: number }>()

  /** How many like it were hidden since the last one shown; undefined: hide this one, too. */
  function repeats(key: string): number | undefined {
    const now = options.now()
    const last = told.get(key)
    if (last !== undefined && now - last.at < QUIET_MS) {
      last.hidden += 1
      return undefined
    }
    if (told.size > 500) told.clear()
    told.set(key, { at: now, hidden: 0 })
    return last?.hidden ?? 0
  }

  return (event) => {
    switch (event.kind) {
      case 'log': {
        if (!isShown(event.event, options.shownLevel)) return undefined
        const hidden = repeats(`${event.name} ${event.event.level} ${event.event.text}`)
        if (hidden === undefined) return undefined
        const line = formatEvent(event.event, event.name, paint)
        return hidden === 0 ? line : `${line} ${paint('dim', `(and ${hidden} more like it)`)}`
      }
      case 'ready': {
        const after = event.afterMs === undefined ? '' : ` after ${(event.afterMs / 1000).toFixed(1)} s`
        const how = event.again ? 'is back' : event.afterMs === undefined ? 'started' : 'ready'
        return `${paint('cyan', event.name.padEnd(8))} ${paint('green', how)}${paint('dim', after)}`
      }
      case 'died': {
        const seconds = `${event.restartInMs / 1000} s`
        return paint('red', `${event.name} died (${event.how}): it is started again in ${seconds}`)
      }
      case 'ended':
        return paint('yellow', `${event.name} did not stop within ${event.withinMs} ms and was ended`)
    }
  }
}
