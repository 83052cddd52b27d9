import type { styleText } from 'node:util'

/** One option of a command, as `parseArgs` takes it, with what `--help` says about it. */
export type Option = {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  /** What stands for the value in the help, e.g. `seconds`. */
  readonly value?: string
  readonly help: string
}

/** What was typed after the name of the command. */
export type Args = {
  readonly positionals: readonly string[]
  /** Options with a value. */
  readonly text: Readonly<Record<string, string | undefined>>
  /** Options without one. */
  readonly flag: Readonly<Record<string, boolean | undefined>>
}

export type Paint = (style: Parameters<typeof styleText>[0], text: string) => string

/** The world outside a command. */
export type Io = {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Writes one line to stdout. */
  readonly out: (line: string) => void
  /** Writes one line to stderr: what is for the eye only when stdout goes into a pipe. */
  readonly note: (line: string) => void
  /** Writes one line about what went wrong to stderr. */
  readonly complain: (line: string) => void
  readonly paint: Paint
  /** All of stdin; undefined when it is a terminal. */
  readonly stdin: () => Promise<Uint8Array | undefined>
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

/** Exit codes, the same for every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const
export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export type Command = {
  /** As typed: one word, or two (`dlq list`). */
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** What follows the name, e.g. `<url> [options]`. */
  readonly usage: string
  /** Paragraphs between usage and options. */
  readonly about: readonly string[]
  readonly options: Readonly<Record<string, Option>>
  /** Command lines without the leading `npx pesebre`, each with what it does. */
  readonly examples: readonly (readonly [string, string])[]
  /** On Ctrl-C it ends by itself, because of `io.signal`. All others are ended at once. */
  readonly endsItself?: boolean
  readonly run: (args: Args, io: Io) => Promise<ExitCode>
}

/** Something did not work. The message is one line and says what to do. Exit code 1. */
export class Failure extends Error {
  override name = 'Failure' as const
}

/** The command line was typed wrongly. Exit code 2. */
export class Misuse extends Error {
  override name = 'Misuse' as const
}
