import { QUEUE } from '@pesebre/contract/local-stack'
import { type Args, Failure, type Io, Misuse, type Option } from './command.ts'
import type { DeadLetter, DeadLetters } from './dead-letters.ts'
import { TARGET_OPTIONS, type Target, targetOf } from './target.ts'

/** So much is read of a dead-letter queue at a time, so that it fits into memory and into the time we may hold it. */
export const LETTERS_MAX = 1000

/** For every `dlq` command. */
export const DLQ_OPTIONS = {
  queue: { type: 'string', value: 'name', help: `The queue whose dead-letter queue is meant (${QUEUE})` },
  ...TARGET_OPTIONS,
} as const satisfies Record<string, Option>

/** Shorter than this, what is typed of an id is taken for a mistake. */
const ID_MIN = 4
/** So much of an id is taken to be the only one that begins so: the search ends with the first. */
const ID_SURE = 8

/** The dead-letter queue that a command line means. */
export async function dlqOf(args: Args, io: Io): Promise<{ target: Target; letters: DeadLetters }> {
  const target = targetOf(args, io.env)
  // Loaded here, since the AWS client takes longer to load than most commands take to run.
  const { openDeadLetters } = await import('./dead-letters.ts')
  return { target, letters: await openDeadLetters(target, args.text['queue'] ?? QUEUE) }
}

/**
 * Takes messages until the one with this id comes, and lets the others go.
 * @param id its message id, or enough of the beginning
 */
export async function takeOne(letters: DeadLetters, id: string): Promise<DeadLetter> {
  if (id.length < ID_MIN) throw new Misuse(`An id has at least ${ID_MIN} characters: "${id}"`)
  const all = await letters.take(LETTERS_MAX, (letter) => id.length >= ID_SURE && letter.id.startsWith(id))
  const found = all.filter((letter) => letter.id.startsWith(id))
  await letters.release(all.filter((letter) => found.length !== 1 || letter !== found[0]))
  if (found.length > 1) throw new Misuse(`More than one id begins so: give more of it: "${id}"`)
  if (found[0] === undefined)
    throw new Failure(`No such message in ${letters.name}: see npx pesebre dlq list: ${id}`)
  return found[0]
}
