import type { DeadLetter } from './dead-letters.ts'

/** Why a message is in the dead-letter queue. */
export function reasonOf(letter: DeadLetter): string {
  return letter.reason ?? 'given up by SQS after too many deliveries'
}

/** The things whose reports a message holds, each once, as far as that can be read. */
export function thingsOf(letter: DeadLetter): string[] {
  const body = parse(letter.body)
  const records = (body as { records?: unknown } | undefined)?.records
  if (!Array.isArray(records)) return []
  const things = records.map((record: unknown) => (record as { thing?: unknown } | null)?.thing)
  return [...new Set(things.filter((thing) => typeof thing === 'string'))]
}

/** `bella`, `bella and 2 more`, or what to show when no thing can be read. */
export function showThings(letter: DeadLetter): string {
  const [first, ...others] = thingsOf(letter)
  if (first === undefined) return '(not readable)'
  return others.length === 0 ? first : `${first} and ${others.length} more`
}

/** The body for the eye: laid out when it is JSON, as it is otherwise. */
export function showLetterBody(letter: DeadLetter): string {
  const body = parse(letter.body)
  return body === undefined ? letter.body : JSON.stringify(body, undefined, 2)
}

/** The body as `--json` prints it. */
export function bodyOf(letter: DeadLetter): unknown {
  return parse(letter.body) ?? letter.body
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
