import { FIRMWARE_VERSION_MAX, type FirmwareRelease } from '@pesebre/contract/check-in'
import { nameRelease } from '@pesebre/contract/numbered'
import { type Args, type Command, EXIT, Misuse } from '../command.ts'
import { wholeNumber } from '../device-args.ts'
import { checkHost, isInShare, releaseOf } from '../firmware.ts'
import { FEEDERS_OPTIONS, feedersOf, forEach } from '../firmware-targets.ts'
import { TARGET_HELP, TARGET_OPTIONS, targetOf } from '../target.ts'

/** `firmware roll-out`: tells feeders which firmware to run. */
export const firmwareRollOut: Command = {
  name: 'firmware roll-out',
  summary: 'Tell feeders which firmware to run: one, several, or a share of all',
  usage: '<thing>... --image <file> --version <number> --url <url> [options]',
  about: [
    [
      'The image has to be at the URL already, on any host: its digest goes to the feeder in a verified answer, so where it',
      'comes from needs no trust. It is fetched once from there, and compared, before anything is told.',
    ].join('\n'),
    [
      'A feeder asks after a start and about once an hour. It takes the firmware when its battery is above half and no meal is',
      'due in ten minutes, boots it on trial, and goes back by itself when it gets no verified answer. What failed for good',
      'is not tried again; a release whose URL or image differs is another one. A lower version is taken as well.',
    ].join('\n'),
    [
      'A share is the same for each feeder of one version: who is in 10 % is in 50 %. Another version begins with others.',
      TARGET_HELP,
    ].join('\n\n'),
  ],
  options: {
    image: { type: 'string', value: 'file', help: 'The image that is served there' },
    version: { type: 'string', value: 'number', help: 'What the image says of itself when it runs, from 1' },
    url: { type: 'string', value: 'url', help: 'Where feeders fetch it: http or https' },
    percent: { type: 'string', value: 'share', help: 'Of all feeders, instead of names: 1 to 100' },
    unchecked: { type: 'boolean', help: 'Do not fetch it from there: only feeders can reach the host' },
    ...TARGET_OPTIONS,
  },
  examples: [
    [
      'firmware roll-out feeder-1a2b3c4d --image feeder.bin --version 8 --url https://fw.example.org/feeder-8.bin',
      'one feeder first',
    ],
    [
      'firmware roll-out --percent 10 --image feeder.bin --version 8 --url https://fw.example.org/feeder-8.bin',
      'then a tenth of all',
    ],
  ],
  run: async (args, io) => {
    const { image, url } = args.text
    if (image === undefined) throw new Misuse('Missing: --image')
    if (url === undefined) throw new Misuse('Missing: --url')
    const version = wholeNumber(args.text['version'] ?? '', '--version', {
      min: 1,
      max: FIRMWARE_VERSION_MAX,
    })
    const percent = percentOf(args)
    const target = targetOf(args, io.env)
    const release = await releaseOf(image, version, url)
    const wrong = nameRelease(release)
    if (typeof wrong === 'string') throw new Misuse(`No device can follow this: ${wrong}`)
    if (!args.flag['unchecked']) await checkHost(release)
    const all = await feedersOf(target, args.positionals)
    const things = percent === undefined ? all : all.filter((thing) => isInShare(thing, version, percent))
    const told = await tell(target, things, release)
    if (args.flag['json']) io.out(JSON.stringify({ release, told, feeders: all.length }))
    else {
      const share = percent === undefined ? '' : ` of ${all.length} feeders (${percent} %)`
      io.out(`Firmware ${version}, ${release.size} bytes, SHA-256 ${release.sha256}`)
      io.out(`told to ${told.length}${share}; see npx pesebre firmware show`)
    }
    return EXIT.ok
  },
}

async function tell(
  target: Parameters<typeof feedersOf>[0],
  things: readonly string[],
  release: FirmwareRelease,
): Promise<string[]> {
  const { openControls } = await import('../control.ts')
  const { change } = openControls(target)
  await forEach(things, (thing) =>
    change(thing, ({ desired }) => ({ desired: { ...desired, firmware: release } })),
  )
  return [...things]
}

function percentOf({ text, positionals }: Args): number | undefined {
  const given = text['percent']
  if (given === undefined && positionals.length === 0) throw new Misuse('Missing: <thing> or --percent')
  if (given === undefined) return undefined
  if (positionals.length > 0) throw new Misuse('Only one of <thing> and --percent can be given')
  return wholeNumber(given, '--percent', FEEDERS_OPTIONS.percent)
}
