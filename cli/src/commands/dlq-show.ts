import { showAge } from '../age.ts'
import { positionalsOf } from '../args.ts'
import { type Command, EXIT } from '../command.ts'
import { DLQ_OPTIONS, dlqOf, takeOne } from '../dlq.ts'
import { bodyOf, reasonOf, showLetterBody, showThings } from '../letter-text.ts'
import { TARGET_HELP } from '../target.ts'

/** `dlq show`: prints one dead letter in full. */
export const dlqShow: Command = {
  name: 'dlq show',
  summary: 'Show one dead letter in full',
  usage: '<id> [options]',
  about: ['The id, or the beginning of it, is one that "dlq list" printed.', TARGET_HELP],
  options: DLQ_OPTIONS,
  examples: [['dlq show 3f2a9c01', 'the message whose id begins so']],
  run: async (args, io) => {
    const [id] = positionalsOf(args, 'id') as [string]
    const { letters } = await dlqOf(args, io)
    const letter = await takeOne(letters, id)
    await letters.release([letter])
    if (args.flag['json']) {
      io.out(
        JSON.stringify({ id: letter.id, sent: letter.sent, reason: reasonOf(letter), body: bodyOf(letter) }),
      )
      return EXIT.ok
    }
    const line = (name: string, value: string) => io.out(`${io.paint('dim', name.padEnd(7))} ${value}`)
    line('id', letter.id)
    line('sent', `${new Date(letter.sent).toISOString()} (${showAge(Date.now() - letter.sent)})`)
    line('thing', showThings(letter))
    line('reason', reasonOf(letter))
    io.out(showLetterBody(letter))
    return EXIT.ok
  },
}
