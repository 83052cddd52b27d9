import { setTimeout as sleep } from 'node:timers/promises'
import { GRAMS_MAX } from '@pesebre/contract/check-in'
import { give, supersede, type Wish } from '@pesebre/contract/commands/rules'
import { isEnd, type Standing, standings } from '@pesebre/contract/commands/standing'
import type { Control } from '@pesebre/contract/control'
import { showDuration } from '../age.ts'
import { positionalsOf, secondsOf } from '../args.ts'
import { type Args, type Command, EXIT, type ExitCode, Failure, type Io, Misuse } from '../command.ts'
import type { Controls } from '../control.ts'
import { deviceArg, giverOf, wholeNumber } from '../device-args.ts'
import { refusalText, standingText } from '../standing-text.ts'
import { TARGET_HELP, TARGET_OPTIONS, type Target, targetOf } from '../target.ts'

/** How long a command may be begun: this, or two check-ins of the device, whichever is longer; seconds. */
const VALID_S = 600
/** How often to look, milliseconds: every look at AWS is paid for. */
const LOOK_MS = { local: 200, aws: 1000 } as const

/** `feed`: gives a feeder a command and follows it to its end. */
export const feed: Command = {
  name: 'feed',
  summary: 'Have a feeder dispense, and follow it: queued, sent, accepted, dispensing, done',
  usage: '<thing> --grams <number> [options]',
  about: [
    [
      'The feeder takes the command with its next check-in, and runs it once or not at all. Only its own authenticated word',
      'makes it accepted, dispensing, done. Exit code 0 means done. Ctrl-C ends the watching, not the command.',
    ].join('\n'),
    TARGET_HELP,
  ],
  options: {
    grams: { type: 'string', value: 'number', help: 'How much' },
    valid: {
      type: 'string',
      value: 'seconds',
      help: `How long it may still be begun (${VALID_S}, or two check-ins)`,
    },
    wait: { type: 'string', value: 'seconds', help: 'How long to follow it (to its end)' },
    replace: { type: 'boolean', help: 'Take back the command that waits, if it was not handed out yet' },
    large: { type: 'boolean', help: 'Allow more than 2000 g at once: large meals give horses colic' },
    ...TARGET_OPTIONS,
  },
  endsItself: true,
  examples: [
    ['feed feeder-1a2b3c4d --grams 500', 'until it is done, or it is known that it will not be'],
    ['feed feeder-1a2b3c4d --grams 500 --wait 5 --json', 'one JSON object per line'],
  ],
  run: async (args, io) => {
    const [thing] = positionalsOf(args, 'thing') as [string]
    deviceArg(thing, 'feeder')
    const given = args.text['grams']
    if (given === undefined) throw new Misuse('Missing: --grams')
    const grams = wholeNumber(given, '--grams', { min: 1, max: GRAMS_MAX })
    const wait = secondsOf(args, 'wait')
    const target = targetOf(args, io.env)
    const { openControls } = await import('../control.ts')
    const controls = openControls(target)
    const wish = { kind: 'feed', grams, by: giverOf(io), key: crypto.randomUUID() } as const
    const command = await giveCommand(controls, { thing, wish, args })
    if (!args.flag['json'])
      io.out(
        `${io.paint('bold', thing)}  ${grams} g, command ${command.n}  ${io.paint('dim', `in ${target.iotPlace}`)}`,
      )
    return follow({ controls, thing, n: command.n, wait, target, json: args.flag['json'] === true }, io)
  },
}

type Giving = { thing: string; wish: Omit<Wish, 'notAfter'>; args: Args }

async function giveCommand(controls: Controls, { thing, wish, args }: Giving) {
  const valid = secondsOf(args, 'valid')
  const decide = args.flag['replace'] ? supersede : give
  const limits = args.flag['large'] ? { portion: GRAMS_MAX } : {}
  const { change } = await controls.change(thing, (control) => {
    const now = Date.now()
    const notAfter = Math.ceil(now / 1000 + (valid ?? validityOf(control)))
    const change = decide(control, { ...wish, notAfter }, { now, limits })
    return { desired: change.ok ? change.desired : undefined, change }
  })
  if (!change.ok) throw new Failure(`Not given to ${thing}: ${refusalText(change.refusal, thing)}`)
  return change.command
}

function validityOf({ desired }: Control): number {
  return Math.max(VALID_S, 2 * (desired.config?.interval_s ?? 0))
}

type Following = {
  controls: Controls
  thing: string
  n: number
  wait: number | undefined
  target: Target
  json: boolean
}

/** Prints each state that is seen, until the last one. States that follow each other between two looks are not seen. */
async function follow({ controls, thing, n, wait, target, json }: Following, io: Io): Promise<ExitCode> {
  const started = Date.now()
  const until = wait === undefined ? Number.POSITIVE_INFINITY : started + wait * 1000
  let shown = ''
  for (;;) {
    const now = Date.now()
    const standing = standings(await controls.read(thing), now).find((each) => each.n === n)
    if (standing === undefined)
      throw new Failure(`Command ${n} is not there any more: somebody swept it: ${thing}`)
    if (standing.state !== shown) {
      shown = standing.state
      if (json) io.out(JSON.stringify({ thing, ...standing, seen: now }))
      else
        io.out(
          `  ${io.paint('dim', clock(now))}  ${standingText(standing, now, io.paint)}${since(standing, io)}`,
        )
    }
    if (isEnd(standing.state)) return standing.state === 'done' ? EXIT.ok : EXIT.failed
    const rest = until - Date.now()
    if (rest <= 0 || io.signal.aborted) {
      io.note(`Still ${standing.state}; it goes on: npx pesebre commands ${thing}`)
      return EXIT.failed
    }
    await sleep(Math.min(rest, target.isLocal ? LOOK_MS.local : LOOK_MS.aws), undefined, {
      signal: io.signal,
    }).catch(() => undefined)
  }
}

/** How long after it was given, by the device's word where there is one. */
function since({ given, at }: Standing, io: Io): string {
  if (given === undefined || at === undefined) return ''
  return io.paint('dim', `  after ${showDuration(Math.max(0, at - given.at * 1000))}`)
}

function clock(now: number): string {
  return new Date(now).toTimeString().slice(0, 8)
}
