import { showAge } from '../age.ts'
import { positionalsOf } from '../args.ts'
import { type Command, EXIT } from '../command.ts'
import { DLQ_OPTIONS, dlqOf, LETTERS_MAX } from '../dlq.ts'
import { reasonOf, showThings, thingsOf } from '../letter-text.ts'
import { TARGET_HELP } from '../target.ts'

/** Characters of an id that are shown; `dlq show` and `dlq redrive` take them. */
const ID_SHOWN = 8

/** `dlq list`: prints what could not be brought into a shadow, and why. */
export const dlqList: Command = {
  name: 'dlq list',
  summary: 'List the dead letters: reports that could not be brought into a shadow',
  usage: '[options]',
  about: [
    `Reads up to ${LETTERS_MAX} messages and leaves them where they are. SQS counts that as a delivery, which does no harm there.`,
    TARGET_HELP,
  ],
  options: DLQ_OPTIONS,
  examples: [
    ['dlq list', 'of the local stack'],
    ['dlq list --aws --queue stable-pesebre-reports', 'of an installation on AWS with a name prefix'],
  ],
  run: async (args, io) => {
    positionalsOf(args)
    const { target, letters } = await dlqOf(args, io)
    const all = await letters.take(LETTERS_MAX)
    await letters.release(all)
    const sorted = all.toSorted((a, b) => a.sent - b.sent)
    if (args.flag['json']) {
      io.out(
        JSON.stringify(
          sorted.map((letter) => ({
            id: letter.id,
            sent: letter.sent,
            reason: reasonOf(letter),
            things: thingsOf(letter),
          })),
        ),
      )
      return EXIT.ok
    }
    const count = sorted.length === 1 ? '1 message' : `${sorted.length === 0 ? 'No' : sorted.length} messages`
    io.out(`${io.paint('bold', count)} in ${letters.name}, ${target.sqsPlace}`)
    if (sorted.length === 0) return EXIT.ok
    const things = sorted.map(showThings)
    const width = Math.max(5, ...things.map(({ length }) => length))
    io.out(
      io.paint('dim', `${'id'.padEnd(ID_SHOWN)}  ${'since'.padEnd(10)}  ${'thing'.padEnd(width)}  reason`),
    )
    for (const [index, letter] of sorted.entries()) {
      const id = io.paint('cyan', letter.id.slice(0, ID_SHOWN))
      const since = showAge(Date.now() - letter.sent).padEnd(10)
      io.out(`${id}  ${since}  ${things[index]!.padEnd(width)}  ${reasonOf(letter)}`)
    }
    io.note(
      io.paint(
        'dim',
        'One in full: npx pesebre dlq show <id>; back into the queue: npx pesebre dlq redrive <id>',
      ),
    )
    return EXIT.ok
  },
}
