import type { DeviceConfig } from '@pesebre/contract/check-in'
import { type Command, EXIT, type Io, Misuse } from '../command.ts'
import { applySettings, SETTINGS_HELP, slotText } from '../config-values.ts'
import { deviceArg } from '../device-args.ts'
import { TARGET_HELP, TARGET_OPTIONS, targetOf } from '../target.ts'

/** `config set`: changes what a device is told to keep to. */
export const configSet: Command = {
  name: 'config set',
  summary: 'Change the configuration of a device: its interval, schedule, limits',
  usage: '<thing> <key>=<value>... [options]',
  about: [
    [
      'The device takes the new version with its next check-in that has an answer; until it says that it holds it, npx',
      'pesebre commands shows it as pending. The schedule runs on the device, without a network.',
    ].join('\n'),
    SETTINGS_HELP,
    TARGET_HELP,
  ],
  options: TARGET_OPTIONS,
  examples: [
    ['config set feeder-1a2b3c4d interval_s=300', 'to check in every five minutes'],
    ['config set feeder-1a2b3c4d zone=Europe/Madrid slot=07:00/1500 slot=19:00/1500', 'two meals a day'],
  ],
  run: async (args, io) => {
    const [thing, ...settings] = args.positionals
    if (thing === undefined) throw new Misuse('Missing: <thing>')
    deviceArg(thing)
    if (settings.length === 0) throw new Misuse('Missing: <key>=<value>')
    // Before anything is asked of AWS: what is wrong in the line itself, except for what the rest of the configuration mends.
    applySettings({ version: 0, zone: 'UTC' }, settings, 1)
    const target = targetOf(args, io.env)
    const { openControls } = await import('../control.ts')
    const { config } = await openControls(target).change(thing, ({ desired, reported }) => {
      const version = Math.max(desired.config?.version ?? 0, reported.config?.version ?? 0) + 1
      const config = applySettings(desired.config, settings, version)
      return { desired: { ...desired, config }, config }
    })
    if (args.flag['json']) io.out(JSON.stringify({ thing, config }))
    else print(thing, config, io)
    return EXIT.ok
  },
}

function print(
  thing: string,
  { version, interval_s, zone, schedule = [], limits = {} }: DeviceConfig,
  io: Io,
) {
  const line = (key: string, value: string) => io.out(`  ${io.paint('cyan', key.padEnd(10))} ${value}`)
  io.out(
    `${io.paint('bold', thing)}  configuration ${version}, pending until the device says that it holds it`,
  )
  if (interval_s !== undefined) line('interval_s', `${interval_s}`)
  if (zone !== undefined) line('zone', zone)
  for (const [key, value] of Object.entries(limits)) line(key, `${value}`)
  for (const slot of schedule) line('slot', slotText(slot))
}
