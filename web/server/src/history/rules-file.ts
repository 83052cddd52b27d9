import { readFileSync } from 'node:fs'
import { parseRules, type Rule, STANDARD_RULES } from './rules.ts'

/** The rules of a file; the standard ones without a file. @throws Error with the file and what is wrong with it */
export function readRules(file: string | undefined): readonly Rule[] {
  if (file === undefined) return STANDARD_RULES
  try {
    return parseRules(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new Error(`Cannot use PESEBRE_HISTORY_RULES: ${file}: ${(cause as Error).message}`, { cause })
  }
}
