import { type Logger, pino } from 'pino'

export type { Logger } from 'pino'

/** JSON lines on standard output. Events have a stable name in `msg` and their values in fields. */
export function createLog(level: string, gateway: string): Logger {
  return pino({ level, base: { gateway } })
}
