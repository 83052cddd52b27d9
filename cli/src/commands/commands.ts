import { type Standing, standings } from '@pesebre/contract/commands/standing'
import { type KeptMeal, mealsOf } from '@pesebre/contract/control'
import { dateOf, minuteOfDay } from '@pesebre/contract/wall-clock'
import { showAge, showDuration } from '../age.ts'
import { positionalsOf } from '../args.ts'
import { type Command, EXIT, type Io } from '../command.ts'
import { deviceArg } from '../device-args.ts'
import { firmwareStanding, firmwareText } from '../firmware.ts'
import { standingText } from '../standing-text.ts'
import { TARGET_HELP, TARGET_OPTIONS, targetOf } from '../target.ts'

/** The last meals of the schedule that are shown. */
const MEALS_SHOWN = 8

/** `commands`: shows what was asked of a device, and what became of it. */
export const commands: Command = {
  name: 'commands',
  summary: 'Show the commands of a device, and what became of them',
  usage: '<thing> [options]',
  about: [
    [
      'The device tells of its last eight; those that wait, or of which there is no word yet, stand beside them, and below them',
      'the last meals that its schedule gave.',
    ].join('\n'),
    TARGET_HELP,
  ],
  options: TARGET_OPTIONS,
  examples: [
    ['commands feeder-1a2b3c4d', 'in the local stack'],
    ['commands feeder-1a2b3c4d --json', 'for programs'],
  ],
  run: async (args, io) => {
    const [thing] = positionalsOf(args, 'thing') as [string]
    deviceArg(thing)
    const target = targetOf(args, io.env)
    const { openControls } = await import('../control.ts')
    const control = await openControls(target).read(thing)
    const now = Date.now()
    const all = standings(control, now)
    const meals = mealsOf(control.reported)
    const { enabled, name, config } = control.desired
    const firmware = firmwareStanding(thing, control)
    if (args.flag['json']) {
      io.out(
        JSON.stringify({
          thing,
          enabled,
          name,
          config,
          held: control.reported.config?.version,
          firmware,
          commands: all,
          meals,
        }),
      )
      return EXIT.ok
    }
    const state = enabled ? '' : `  ${io.paint('red', 'disabled')}`
    io.out(`${io.paint('bold', name === undefined ? thing : `${thing}, ${name}`)}${state}`)
    if (config !== undefined) io.out(`  ${configText(config.version, control.reported.config?.version, io)}`)
    if (firmware.runs !== undefined || firmware.wanted !== undefined)
      io.out(`  ${firmwareText(firmware, io.paint)}`)
    if (all.length === 0) io.out(io.paint('dim', '  No commands'))
    for (const standing of all) io.out(lineOf(standing, now, io))
    for (const meal of meals.slice(-MEALS_SHOWN)) io.out(mealOf(meal, now, io))
    return EXIT.ok
  },
}

/** A meal of the schedule, by the wall clock of its zone: `07:00     done  900 g`. */
function mealOf({ occurrence, state, at, grams, reason }: KeptMeal, now: number, io: Io): string {
  const minute = minuteOfDay(occurrence)
  const time = `${Math.floor(minute / 60)}`.padStart(2, '0')
  const word = {
    n: 0,
    state,
    at,
    ...(grams !== undefined && { dispensed: grams }),
    ...(reason && { reason }),
  }
  const note = `schedule, ${dateOf(occurrence)}, its word ${showAge(now - at)}`
  const clock = io.paint('cyan', `${time}:${`${minute % 60}`.padStart(2, '0')}`)
  return `  ${clock}         ${standingText(word, now, io.paint)}  ${io.paint('dim', note)}`
}

function configText(wanted: number, held: number | undefined, io: Io): string {
  if (held === wanted) return io.paint('dim', `configuration ${wanted}`)
  const has = held === undefined ? 'has told of none yet' : `holds ${held}`
  return io.paint('yellow', `configuration ${wanted} pending: the device ${has}`)
}

function lineOf(standing: Standing, now: number, io: Io): string {
  const { n, given, at, state } = standing
  const asked = given === undefined ? '' : `${given.grams} g`
  const notes = [
    ...(given === undefined ? [] : [`by ${given.by} ${showAge(now - given.at * 1000)}`]),
    ...(at === undefined ? [] : [`its word ${showAge(now - at)}`]),
    ...(given !== undefined && (state === 'queued' || state === 'sent') && given.notAfter * 1000 > now
      ? [`may begin for ${showDuration(given.notAfter * 1000 - now)}`]
      : []),
  ]
  return `  ${io.paint('cyan', `${n}`.padStart(4))}  ${asked.padStart(7)}  ${standingText(standing, now, io.paint)}  ${io.paint('dim', notes.join(', '))}`
}
