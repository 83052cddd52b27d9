import { COMMAND_NUMBER_MAX } from '@pesebre/contract/check-in'
import { cancel as cancelCommand } from '@pesebre/contract/commands/rules'
import { standings } from '@pesebre/contract/commands/standing'
import { positionalsOf } from '../args.ts'
import { type Command, EXIT, Failure } from '../command.ts'
import { deviceArg, wholeNumber } from '../device-args.ts'
import { refusalText } from '../standing-text.ts'
import { TARGET_HELP, TARGET_OPTIONS, targetOf } from '../target.ts'

/** `cancel`: takes a command back. */
export const cancel: Command = {
  name: 'cancel',
  summary: 'Take a command back that waits for its device',
  usage: '<thing> <number> [options]',
  about: [
    [
      'From then on no gateway hands it out. One that the device has been sent, or is being sent at this moment, may still',
      'run; then exit code 1, and npx pesebre commands shows its end.',
    ].join('\n'),
    TARGET_HELP,
  ],
  options: TARGET_OPTIONS,
  examples: [['cancel feeder-1a2b3c4d 12', 'the number is that of npx pesebre commands']],
  run: async (args, io) => {
    const [thing, text] = positionalsOf(args, 'thing', 'number') as [string, string]
    deviceArg(thing)
    const n = wholeNumber(text, 'The number of the command', { min: 1, max: COMMAND_NUMBER_MAX })
    const target = targetOf(args, io.env)
    const { openControls } = await import('../control.ts')
    const { change, wasSent } = await openControls(target).change(thing, (control) => {
      const now = Date.now()
      const change = cancelCommand(control, n, now)
      const wasSent = standings(control, now).some((each) => each.n === n && each.state !== 'queued')
      return { desired: change.ok ? change.desired : undefined, change, wasSent }
    })
    if (!change.ok) throw new Failure(`Not taken back: ${refusalText(change.refusal, thing)}`)
    if (args.flag['json']) io.out(JSON.stringify({ thing, n, cancelled: true, mayStillRun: wasSent }))
    else if (wasSent)
      io.out(`Command ${n} was handed out already and may still run: npx pesebre commands ${thing}`)
    else io.out(`Command ${n} is taken back`)
    return wasSent ? EXIT.failed : EXIT.ok
  },
}
