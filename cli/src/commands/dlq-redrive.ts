import { positionalsOf } from '../args.ts'
import { type Args, type Command, EXIT, type Io, Misuse } from '../command.ts'
import type { DeadLetter, DeadLetters } from '../dead-letters.ts'
import { DLQ_OPTIONS, dlqOf, LETTERS_MAX, takeOne } from '../dlq.ts'
import { TARGET_HELP } from '../target.ts'

/** `dlq redrive`: puts dead letters back into their queue. */
export const dlqRedrive: Command = {
  name: 'dlq redrive',
  summary: 'Put dead letters back into the queue: all of them, or one',
  usage: '(--all | <id>) [options]',
  about: [
    [
      'Each message is sent to the queue as it was and then deleted here, in this order, so that none can be lost; one that',
      'is sent twice does no harm, since a shadow takes a report once. What is still wrong comes back here.',
      `At most ${LETTERS_MAX} are put back by one command.`,
    ].join('\n'),
    TARGET_HELP,
  ],
  options: { all: { type: 'boolean', help: 'Put back all of them' }, ...DLQ_OPTIONS },
  endsItself: true,
  examples: [
    ['dlq redrive --all', 'after the cause is mended'],
    ['dlq redrive 3f2a9c01', 'only one, by its id or the beginning of it'],
  ],
  run: async (args, io) => {
    const all = args.flag['all'] === true
    if (all && args.positionals.length > 0) throw new Misuse('Only one of --all and <id> can be given')
    if (!all && args.positionals.length === 0) throw new Misuse('Missing: <id> or --all')
    const { target, letters } = await dlqOf(args, io)
    const taken = await choose(args, letters)
    const done = await redriveEach(letters, taken, io)
    if (args.flag['json']) io.out(JSON.stringify({ redriven: done.map(({ id }) => id) }))
    else
      io.out(`${done.length} ${done.length === 1 ? 'message' : 'messages'} put back, in ${target.sqsPlace}`)
    if (taken.length === LETTERS_MAX) io.note('There may be more: run it again')
    return EXIT.ok
  },
}

/** All are taken before the first is put back: one that fails again at once is not met a second time. */
async function choose(args: Args, letters: DeadLetters): Promise<DeadLetter[]> {
  if (args.flag['all']) return letters.take(LETTERS_MAX)
  const [id] = positionalsOf(args, 'id') as [string]
  return [await takeOne(letters, id)]
}

async function redriveEach(
  letters: DeadLetters,
  taken: readonly DeadLetter[],
  io: Io,
): Promise<DeadLetter[]> {
  const done: DeadLetter[] = []
  try {
    for (const letter of taken) {
      if (io.signal.aborted) break
      await letters.redrive(letter)
      done.push(letter)
    }
  } finally {
    await letters.release(taken.slice(done.length))
  }
  return done
}
