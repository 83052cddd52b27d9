import type { styleText } from 'node:util'
import type { LogLevel } from './config.ts'

/** Paints text for a terminal, or leaves it alone. */
export type Paint = (style: Parameters<typeof styleText>[0], text: string) => string

/** One event of a process. */
export type LogEvent = {
  readonly level: LogLevel
  /** What happened, in one line. */
  readonly text: string
  /** Everything else that it said about it. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** pino's numbers (https://getpino.io/#/docs/api?id=level-string); fatal counts as error here. */
const RANK = { trace: 10, debug: 20, info: 30, warn: 40, error: 50 } as const

/** Fields that are the same in every line, or are shown in another way. */
const UNSHOWN = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg', 'v', 'err', 'error'])
/** A line on the terminal is for the eye; the log file has it whole. */
const SHOWN_CHARS = 400

/** Whether an event is at least as grave as `threshold`. */
export function isShown(event: LogEvent, threshold: LogLevel): boolean {
  return RANK[event.level] >= RANK[threshold]
}

/**
 * Reads one line that a process wrote: pino's JSON, or plain text from Node itself (a warning, a stack trace).
 * @returns undefined for lines that belong to a stack trace
 */
export function readLogLine(line: string, source: 'stdout' | 'stderr'): LogEvent | undefined {
  const json = parseObject(line)
  if (json !== undefined) {
    const text = typeof json['msg'] === 'string' ? json['msg'] : 'event'
    return { level: levelOf(json['level']), text: withCause(text, json), fields: json }
  }
  if (line.trim() === '' || /^\s+(at |\^|~)/.test(line)) return undefined
  return { level: source === 'stderr' ? 'warn' : 'info', text: line.trimEnd(), fields: {} }
}

/**
 * One readable line: process, level, what happened, and its fields.
 */
export function formatEvent(event: LogEvent, name: string, paint: Paint): string {
  const fields = Object.entries(event.fields)
    .filter(([key, value]) => !UNSHOWN.has(key) && value !== undefined)
    .map(
      ([key, value]) =>
        `${paint('dim', `${key}=`)}${typeof value === 'string' ? value : JSON.stringify(value)}`,
    )
  const text = [event.text, ...fields].join(' ')
  const cut = text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)} …` : text
  return `${paint('cyan', name.padEnd(8))} ${paint(STYLE[event.level], event.level.padEnd(5))} ${cut}`
}

const STYLE = { trace: 'dim', debug: 'dim', info: 'green', warn: 'yellow', error: 'red' } as const

function levelOf(level: unknown): LogLevel {
  const rank = typeof level === 'number' ? level : RANK[level as LogLevel]
  if (rank >= RANK.error) return 'error'
  if (rank >= RANK.warn) return 'warn'
  if (rank >= RANK.info) return 'info'
  if (rank >= RANK.debug) return 'debug'
  return rank === undefined ? 'info' : 'trace'
}

/** pino puts an error under `err`; its message says more than the event's own. */
function withCause(text: string, json: Record<string, unknown>): string {
  const cause = (json['err'] ?? json['error']) as { message?: unknown } | string | undefined
  const message = typeof cause === 'string' ? cause : cause?.message
  return typeof message === 'string' && message !== '' && !text.includes(message)
    ? `${text}: ${message}`
    : text
}

function parseObject(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
