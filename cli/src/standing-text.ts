import type { Refusal } from '@pesebre/contract/commands/rules'
import type { CommandState, Standing } from '@pesebre/contract/commands/standing'
import { showDuration } from './age.ts'
import type { Paint } from './command.ts'

/** What a state means for a person, beyond its name. */
const MEANINGS: Readonly<Record<CommandState, string>> = {
  queued: 'waits for its next check-in',
  sent: 'was in the answer to a check-in; no word yet that it came',
  accepted: 'it has taken it on',
  dispensing: 'it is dispensing',
  done: '',
  partial: 'less than asked for',
  jammed: 'stuck: it waits for somebody to clear it and press its button',
  refused: '',
  interrupted: 'the power failed while it was dispensing: it is not repeated by itself',
  expired: 'its time passed before it could begin',
  cancelled: 'taken back before it was handed out',
  unknown: 'no word of its end: look, before you give another; it is not repeated by itself',
}

const TOO_LATE = 'its time is past: only word that it was handed out before may still come'

/** Why a device refuses, by the contract's names. */
const REASONS: Readonly<Record<string, string>> = {
  busy: 'it was busy with another',
  stale: 'it has seen a newer command',
  expired: 'its time was past',
  portion: 'more than the device gives in one portion',
  daily: 'more than the device gives in a day',
  gap: 'too soon after the last portion',
  battery: 'its battery is too weak for the motor',
  latched: 'it is latched after a jam: clear it and press its button',
  no_time: 'it does not know the time yet',
  unknown_kind: 'it does not know this kind of command',
}

const COLORS: Readonly<Record<CommandState, Parameters<Paint>[0]>> = {
  queued: 'dim',
  sent: 'cyan',
  accepted: 'cyan',
  dispensing: 'cyan',
  done: 'green',
  partial: 'yellow',
  jammed: 'red',
  refused: 'red',
  interrupted: 'red',
  expired: 'yellow',
  cancelled: 'dim',
  unknown: 'red',
}

/** The state of a command for the eye: `done  500 g`. `now` in milliseconds since 1970. */
export function standingText(standing: Standing, now: number, paint: Paint): string {
  const { state, dispensed, reason, late, isCancelled } = standing
  const notes = [
    ...(dispensed === undefined ? [] : [`${dispensed} g`]),
    ...(reason === undefined ? [] : [REASONS[reason] ?? reason]),
    ...(meaningOf(standing, now) === '' ? [] : [meaningOf(standing, now)]),
    ...(late ? ['after its time'] : []),
    ...(isCancelled && state !== 'cancelled' ? ['taken back too late'] : []),
  ]
  return `${paint(COLORS[state], state.padEnd(11))} ${notes.join('; ')}`.trimEnd()
}

function meaningOf({ state, given }: Standing, now: number): string {
  const isPast = given !== undefined && given.notAfter * 1000 <= now
  return isPast && state === 'queued' ? TOO_LATE : MEANINGS[state]
}

/** Why a wish is not granted, and what to do, in one line. */
export function refusalText(refusal: Refusal, thing: string): string {
  switch (refusal.reason) {
    case 'disabled':
      return `It is disabled: npx pesebre enable ${thing}`
    case 'open':
      return `Command ${refusal.n} is still open: wait, or npx pesebre cancel ${thing} ${refusal.n}`
    case 'sent':
      return `Command ${refusal.n} has been handed out already: wait for its end with npx pesebre commands ${thing}`
    case 'portion':
      return `A portion is 1 to ${refusal.max} g`
    case 'gap':
      return `Too soon after the last portion: try again in ${showDuration(refusal.wait_s * 1000)}`
    case 'expired':
      return 'Its time is past: give it more with --valid, and check the clock'
    case 'full':
      return `Too many commands wait: npx pesebre commands ${thing}`
    case 'missing':
      return `It has no such command: npx pesebre commands ${thing}`
    case 'ended':
      return `It has ended already: ${refusal.state}`
    case 'exhausted':
      return 'No command numbers are left for it: register it anew'
  }
}
