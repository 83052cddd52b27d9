import { positionalsOf } from '../args.ts'
import { type Command, EXIT } from '../command.ts'
import { deviceArg } from '../device-args.ts'
import { TARGET_HELP, TARGET_OPTIONS, targetOf } from '../target.ts'

/** `enable`: lets a disabled device speak again. */
export const enable = switching({
  name: 'enable',
  enabled: true,
  summary: 'Let a disabled device speak again',
  about: 'Commands that wait for it, and whose time is not past, are handed out.',
})

/** `disable`: stops a device at once. */
export const disable = switching({
  name: 'disable',
  enabled: false,
  summary: 'Refuse everything that a device sends, from now on',
  about:
    'For a device that was lost or opened. Its key stays what it is: one that was stolen needs a new number, not enable.',
})

type Switch = { name: string; enabled: boolean; summary: string; about: string }

function switching({ name, enabled, summary, about }: Switch): Command {
  return {
    name,
    summary,
    usage: '<thing> [options]',
    about: [about, TARGET_HELP],
    options: TARGET_OPTIONS,
    examples: [[`${name} feeder-1a2b3c4d`, 'in the local stack']],
    run: async (args, io) => {
      const [thing] = positionalsOf(args, 'thing') as [string]
      deviceArg(thing)
      const target = targetOf(args, io.env)
      const { openControls } = await import('../control.ts')
      await openControls(target).change(thing, ({ desired }) => ({ desired: { ...desired, enabled } }))
      if (args.flag['json']) io.out(JSON.stringify({ thing, enabled }))
      else io.out(`${thing} is ${enabled ? 'enabled' : 'disabled'} in ${target.iotPlace}`)
      return EXIT.ok
    },
  }
}
