import { type Command, EXIT } from '../command.ts'
import { type FirmwareStanding, firmwareStanding, firmwareText } from '../firmware.ts'
import { feedersOf, forEach } from '../firmware-targets.ts'
import { TARGET_HELP, TARGET_OPTIONS, targetOf } from '../target.ts'

/** `firmware show`: which firmware feeders run, and which they should. */
export const firmwareShow: Command = {
  name: 'firmware show',
  summary: 'Show which firmware feeders run, and how far a roll-out is',
  usage: '[<thing>...] [options]',
  about: ['Without names: all feeders that are registered.', TARGET_HELP],
  options: TARGET_OPTIONS,
  examples: [
    ['firmware show', 'all feeders'],
    ['firmware show feeder-1a2b3c4d --json', 'one of them, for programs'],
  ],
  run: async (args, io) => {
    const target = targetOf(args, io.env)
    const things = await feedersOf(target, args.positionals)
    const { openControls } = await import('../control.ts')
    const { read } = openControls(target)
    const standings: FirmwareStanding[] = []
    await forEach(things, async (thing) => standings.push(firmwareStanding(thing, await read(thing))))
    standings.sort((a, b) => (a.thing < b.thing ? -1 : 1))
    if (args.flag['json']) {
      io.out(JSON.stringify(standings))
      return EXIT.ok
    }
    for (const one of standings) io.out(`${io.paint('bold', one.thing)}  ${firmwareText(one, io.paint)}`)
    const count = (state: FirmwareStanding['state']) => standings.filter((one) => one.state === state).length
    io.note(`${count('as wanted')} as wanted, ${count('pending')} pending, ${count('failed')} failed`)
    return EXIT.ok
  },
}
