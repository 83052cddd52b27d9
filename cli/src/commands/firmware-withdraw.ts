import { type Command, EXIT, Misuse } from '../command.ts'
import { feedersOf, forEach } from '../firmware-targets.ts'
import { TARGET_HELP, TARGET_OPTIONS, targetOf } from '../target.ts'

/** `firmware withdraw`: stops a roll-out. */
export const firmwareWithdraw: Command = {
  name: 'firmware withdraw',
  summary: 'Stop a roll-out: feeders stay with the firmware that they run',
  usage: '<thing>... | --all [options]',
  about: [
    [
      'A feeder that is just fetching it goes on; all others never begin. One that has taken it stays with it: to take it back,',
      'roll out the version before.',
    ].join('\n'),
    TARGET_HELP,
  ],
  options: {
    all: { type: 'boolean', help: 'All feeders that are registered' },
    ...TARGET_OPTIONS,
  },
  examples: [['firmware withdraw --all', 'when the first reports are bad']],
  run: async (args, io) => {
    if (args.positionals.length === 0 && !args.flag['all']) throw new Misuse('Missing: <thing> or --all')
    if (args.positionals.length > 0 && args.flag['all'])
      throw new Misuse('Only one of <thing> and --all can be given')
    const target = targetOf(args, io.env)
    const things = await feedersOf(target, args.positionals)
    const { openControls } = await import('../control.ts')
    const { change } = openControls(target)
    const withdrawn: string[] = []
    await forEach(things, async (thing) => {
      const { had } = await change(thing, ({ desired: { firmware, ...desired } }) => ({
        desired: firmware === undefined ? undefined : desired,
        had: firmware !== undefined,
      }))
      if (had) withdrawn.push(thing)
    })
    if (args.flag['json']) io.out(JSON.stringify({ withdrawn: withdrawn.sort() }))
    else io.out(`Withdrawn from ${withdrawn.length} of ${things.length}`)
    return EXIT.ok
  },
}
