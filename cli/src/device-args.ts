import { userInfo } from 'node:os'
import { deviceOfThing, type Kind } from '@pesebre/contract/kid'
import { type Io, Misuse } from './command.ts'

/** The name of a registered device. @throws Misuse when it is none, or of another kind */
export function deviceArg(thing: string, kind?: Kind): string {
  const device = deviceOfThing(thing)
  if (device === undefined)
    throw new Misuse(`Not the name of a registered device, as feeder-1a2b3c4d is: "${thing}"`)
  if (kind !== undefined && device.kind !== kind) throw new Misuse(`Not a ${kind}: "${thing}"`)
  return thing
}

/** A whole number in an option or argument. @throws Misuse */
export function wholeNumber(text: string, what: string, { min, max }: { min: number; max: number }): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new Misuse(`${what} must be a whole number from ${min} to ${max}: "${text}"`)
}

/** Who is at the keyboard, for the record. */
export function giverOf(io: Io): string {
  const name = io.env['USER'] || io.env['USERNAME'] || userNameOf()
  return `cli:${name.slice(0, 32)}`
}

function userNameOf(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run under a user id that has no name.
    return 'unknown'
  }
}
