import { parseArgs } from 'node:util'
import { type Args, type Command, Misuse } from './command.ts'
import { COMMON_OPTIONS } from './help.ts'

/** Finds the command whose name the line begins with, the longest name first. */
export function findCommand(
  commands: readonly Command[],
  line: readonly string[],
): { command: Command; rest: string[] } | undefined {
  const byLength = commands.toSorted((a, b) => b.name.length - a.name.length)
  for (const command of byLength) {
    const words = command.name.split(' ')
    if (words.every((word, index) => line[index] === word)) return { command, rest: line.slice(words.length) }
  }
  return undefined
}

/**
 * Reads what follows the name of a command.
 * @throws Misuse for an option that the command does not have, or that lacks its value
 */
export function readArgs(command: Command, rest: readonly string[]): Args {
  const options: Record<string, { type: 'string' | 'boolean'; short?: string }> = {}
  for (const [name, { type, ...option }] of Object.entries({ ...command.options, ...COMMON_OPTIONS })) {
    const short = 'short' in option ? option.short : undefined
    options[name] = short === undefined ? { type } : { type, short }
  }
  const text: Record<string, string> = {}
  const flag: Record<string, boolean> = {}
  try {
    const { values, positionals } = parseArgs({
      args: [...rest],
      options,
      allowPositionals: true,
      strict: true,
    })
    for (const [name, value] of Object.entries(values)) {
      if (typeof value === 'string') text[name] = value
      else flag[name] = value === true
    }
    return { positionals, text, flag }
  } catch (error) {
    throw new Misuse(firstSentence((error as Error).message), { cause: error })
  }
}

/** Reads an option that is a number of seconds. */
export function secondsOf(args: Args, name: string): number | undefined {
  const given = args.text[name]
  if (given === undefined) return undefined
  const seconds = Number(given)
  if (!(seconds > 0 && seconds <= 86_400))
    throw new Misuse(`--${name} must be a number of seconds: "${given}"`)
  return seconds
}

/** Exactly `names.length` positionals, or a Misuse that says which one lacks or is too much. */
export function positionalsOf(args: Args, ...names: string[]): string[] {
  const missing = names[args.positionals.length]
  if (missing !== undefined) throw new Misuse(`Missing: <${missing}>`)
  const extra = args.positionals[names.length]
  if (extra !== undefined) throw new Misuse(`One argument too many: "${extra}"`)
  return [...args.positionals]
}

/** parseArgs explains at length how a positional may begin with a dash; the first sentence is what went wrong. */
function firstSentence(message: string): string {
  return message.split(/\. |\n/)[0]!.replace(/\.$/, '')
}
